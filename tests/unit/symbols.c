#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/symbols.h"
#include "tests/unit/streams-fixture.h"

#include <stdlib.h>

#define MANY 30000

static size_t round_trip(const uint8_t *symbols, size_t count)
{
	struct streams_fixture fixture;
	struct symbols_place place = {.column = 2, .part = 200, .count = count};
	uint8_t back[MANY + 1];
	fixture_begin(&fixture);
	size_t cost = symbols_cost(fixture.writer, symbols, count);
	assert_int_equal(symbols_put(fixture.writer, &place, symbols), 0);
	size_t size = fixture_open(&fixture);
	assert_in_range(size, 33 + (cost > 4 ? cost - 4 : 0), 33 + cost + 4);
	memset(back, 0xa5, sizeof(back));
	assert_int_equal(symbols_get(fixture.streams, &place, back, &fixture.err), 0);
	assert_memory_equal(back, symbols, count);
	assert_int_equal(back[count], 0xa5);
	fixture_end(&fixture);
	return size;
}

static void test_widths(void **state)
{
	/* Proves: alphabets of every width and every small count come back; random ones take their bits and no more. */
	(void)state;
	static uint8_t symbols[MANY];
	struct streams_fixture random = {.seed = 3};
	for (unsigned bits = 0; bits <= 8; bits++) {
		for (size_t i = 0; i < MANY; i++) {
			symbols[i] = (uint8_t)(fixture_random(&random) & ((1u << bits) - 1));
		}
		for (size_t count = 0; count < 80; count++) {
			(void)round_trip(symbols, count);
		}
		unsigned width = bits < 3 ? bits : bits == 3 ? 3 : bits == 4 ? 4 : bits;
		size_t size = round_trip(symbols, MANY);
		assert_in_range(size, MANY * width / 8, MANY * width / 8 + MANY / 40 + 120);
	}
}

static void test_skewed(void **state)
{
	/* Proves: rare symbols cost little more than their entropy (0.29 bits at one in twenty). */
	(void)state;
	static uint8_t symbols[MANY];
	struct streams_fixture random = {.seed = 3};
	for (size_t i = 0; i < MANY; i++) {
		symbols[i] = fixture_random(&random) % 20 == 0;
	}
	assert_in_range(round_trip(symbols, MANY), MANY * 28 / 800, MANY * 42 / 800 + 60);
}

static void test_length(void **state)
{
	/* Proves: a stream that has not the length of its values is damage. */
	(void)state;
	struct streams_fixture fixture;
	uint8_t back[64];
	fixture_begin(&fixture);
	streams_put(fixture.writer, 2, 0, STR_LIT("0123456789"), 0);
	(void)fixture_open(&fixture);
	for (size_t count = 0; count <= 64; count++) {
		struct symbols_place place = {.column = 2, .part = 0, .count = count};
		bool fits =
			count == 10 || count == 19 || count == 20 || (count >= 37 && count <= 40);
		assert_int_equal(symbols_get(fixture.streams, &place, back, &fixture.err),
				 fits ? 0 : -ERR_CORRUPT);
	}
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_skewed),
		cmocka_unit_test(test_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
