#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/symbols.h"
#include "tests/unit/streams-fixture.h"

#include <stdlib.h>

#define MANY 30000

static size_t grouped_trip(const uint8_t *symbols, const struct symbols_place *place)
{
	struct streams_fixture fixture;
	uint8_t back[MANY + 1];
	fixture_begin(&fixture);
	assert_int_equal(symbols_put(fixture.writer, place, symbols), 0);
	size_t size = fixture_open(&fixture);
	memset(back, 0xa5, sizeof(back));
	assert_int_equal(symbols_get(fixture.streams, place, back, &fixture.err), 0);
	assert_memory_equal(back, symbols, place->count);
	assert_int_equal(back[place->count], 0xa5);
	fixture_end(&fixture);
	return size;
}

static size_t round_trip(const uint8_t *symbols, size_t count)
{
	struct symbols_place place = {.column = 2, .part = 200, .count = count};
	return grouped_trip(symbols, &place);
}

static void test_widths(void **state)
{
	/* Proves: alphabets of every width and every small count come back; random ones take their bits and little more; the estimate agrees. */
	(void)state;
	static uint8_t symbols[MANY];
	struct streams_fixture random = {.seed = 3};
	struct symbols_place place = {.count = MANY};
	for (unsigned bits = 0; bits <= 8; bits++) {
		for (size_t i = 0; i < MANY; i++) {
			symbols[i] = (uint8_t)(fixture_random(&random) & ((1u << bits) - 1));
		}
		for (size_t count = 0; count < 80; count++) {
			(void)round_trip(symbols, count);
		}
		size_t size = round_trip(symbols, MANY);
		assert_in_range(size, MANY * bits / 8, MANY * bits / 8 + MANY / 200 + 200);
		uint64_t cost = symbols_cost(&place, symbols);
		assert_in_range(cost, (uint64_t)MANY * bits * 99 / 100,
				(uint64_t)MANY * bits + 2000);
	}
}

static void test_skewed(void **state)
{
	/* Proves: rare symbols cost their entropy: 0.286 bits at one in twenty, whatever the symbols are. */
	(void)state;
	static uint8_t symbols[MANY];
	struct streams_fixture random = {.seed = 3};
	for (size_t i = 0; i < MANY; i++) {
		symbols[i] = fixture_random(&random) % 20 == 0 ? 200 : 7;
	}
	assert_in_range(round_trip(symbols, MANY), MANY * 28 / 800, MANY * 30 / 800 + 60);
}

static void test_groups(void **state)
{
	/* Proves: groups of four natures, in any mixture and with empty ones between, cost about the entropy of each; without their ends the
	 * stream is damage. */
	(void)state;
	static uint8_t symbols[MANY];
	static uint32_t ends[400];
	struct streams_fixture random = {.seed = 5};
	double bits = 0;
	for (size_t g = 0, from = 0; g < 400; g++) {
		unsigned nature = (unsigned)(fixture_random(&random) % 4); /* 0, 2, 4, 6 bits */
		size_t end = g == 399 ? MANY : from + fixture_random(&random) % 150;
		end = end > MANY || g % 7 == 3 ? from : end;
		for (; from < end; from++) {
			symbols[from] = (uint8_t)(fixture_random(&random) % (1u << 2 * nature));
			bits += 2 * nature;
		}
		ends[g] = (uint32_t)end;
	}
	struct symbols_place place = {
		.column = 2, .part = 1, .count = MANY, .ends = ends, .group_count = 400};
	size_t floor = (size_t)(bits / 8);
	assert_in_range(grouped_trip(symbols, &place), floor, floor * 103 / 100 + 400);
	struct streams_fixture fixture;
	uint8_t back[MANY];
	fixture_begin(&fixture);
	assert_int_equal(symbols_put(fixture.writer, &place, symbols), 0);
	(void)fixture_open(&fixture);
	place.ends = NULL;
	assert_int_equal(symbols_get(fixture.streams, &place, back, &fixture.err), -ERR_CORRUPT);
	fixture_end(&fixture);
}

static void test_length(void **state)
{
	/* Proves: a stream that has not the length of its values, or no known form, is damage. */
	(void)state;
	static const struct {
		const char *bytes;
		size_t len, first, last; /* the counts that fit */
	} cases[] = {
		{"\x08"
		 "0123456789",
		 11, 10, 10},
		{"\x04"
		 "01234",
		 6, 9, 10},
		{"\x02"
		 "01",
		 3, 5, 8},
		{"\x01"
		 "0",
		 2, 1, 8},
		{"\x03"
		 "0",
		 2, 99, 0},
		{"\x10", 1, 99, 0},
		{"\x11", 1, 99, 0},
		{"\x11\x02\x00", 3, 99, 0},
	};
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct streams_fixture fixture;
		uint8_t back[64];
		fixture_begin(&fixture);
		streams_put(fixture.writer, 2, 0, str_make(cases[k].bytes, cases[k].len), 0);
		(void)fixture_open(&fixture);
		for (size_t count = 0; count <= 64; count++) {
			struct symbols_place place = {.column = 2, .part = 0, .count = count};
			bool fits = count >= cases[k].first && count <= cases[k].last;
			assert_int_equal(symbols_get(fixture.streams, &place, back, &fixture.err),
					 fits ? 0 : -ERR_CORRUPT);
		}
		fixture_end(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_skewed),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
