#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/ranks.h"
#include "tests/unit/streams-fixture.h"

#include <stdlib.h>

#define COLUMN 9

static size_t round_trip(const uint32_t *codes, const uint32_t *context, size_t count)
{
	struct streams_fixture fixture;
	struct ranks_column about = {
		.column = COLUMN, .part = 1, .count = count, .context = context};
	fixture_begin(&fixture);
	assert_int_equal(ranks_put(fixture.writer, &about, codes), 0);
	size_t size = fixture_open(&fixture);
	uint32_t *back = malloc((count + 1) * sizeof(*back));
	assert_non_null(back);
	memset(back, 0xa5, (count + 1) * sizeof(*back));
	assert_int_equal(ranks_get(fixture.streams, &about, back, &fixture.err), 0);
	assert_memory_equal(back, codes, count * sizeof(*back));
	free(back);
	fixture_end(&fixture);
	return size;
}

#define MANY 20000

struct column {
	uint32_t code[MANY];
	uint32_t context[MANY];
};

static struct column *make_column(void)
{
	struct column *column = calloc(1, sizeof(*column));
	assert_non_null(column);
	return column;
}

static void test_follows(void **state)
{
	/* Proves: codes that follow from their context take nothing when they are numbered by first use, and else a byte or two for each context. */
	(void)state;
	struct column *column = make_column();
	struct streams_fixture random = {.seed = 2};
	uint32_t number[500];
	uint32_t next = 0;
	size_t empty = round_trip(NULL, NULL, 0);
	memset(number, 0xff, sizeof(number));
	for (size_t i = 0; i < MANY; i++) {
		uint32_t user = (uint32_t)(fixture_random(&random) % 500);
		if (number[user] == UINT32_MAX) {
			number[user] = next++;
		}
		column->context[i] = number[user];
		column->code[i] = number[user];
	}
	assert_int_equal(round_trip(column->code, column->context, MANY), empty);
	for (size_t i = 0; i < MANY; i++) {
		column->code[i] = column->context[i] * 7 % 500;
	}
	assert_true(round_trip(column->code, column->context, MANY) < empty + 1000);
	free(column);
}

static void test_kinds(void **state)
{
	/* Proves: codes of bursts, of fixed frequencies, and without any order come back and cost about their entropy. */
	(void)state;
	struct column *column = make_column();
	struct streams_fixture random = {.seed = 3};
	uint32_t last = 0;
	for (size_t i = 0; i < MANY;
	     i++) { /* bursts: 0.3 bits for the burst, a byte for each new code */
		last = fixture_random(&random) % 20 == 0 ? (uint32_t)(fixture_random(&random) % 256)
							 : last;
		column->code[i] = last;
	}
	assert_in_range(round_trip(column->code, NULL, MANY), 1200, 2700);
	for (size_t i = 0; i < MANY;
	     i++) { /* each context has its favourite: 0.9 of all, 0.57 bits */
		column->context[i] = (uint32_t)(fixture_random(&random) % 300) * 1000003u;
		uint32_t other = fixture_random(&random) % 10 == 0;
		column->code[i] = (column->context[i] + other) % 97;
	}
	assert_in_range(round_trip(column->code, column->context, MANY), 1100, 2600);
	for (size_t i = 0; i < MANY; i++) {
		column->code[i] = (uint32_t)(fixture_random(&random) % 240);
	}
	assert_in_range(round_trip(column->code, NULL, MANY), MANY * 31 / 32, MANY + 100);
	free(column);
}

static void test_extremes(void **state)
{
	/* Proves: any 32-bit codes and contexts come back in every small count. */
	(void)state;
	static const uint32_t odd[] = {UINT32_MAX, 0,           1, UINT32_MAX, UINT32_MAX - 1,
				       0,          0x80000000u, 7, 7,          7};
	for (size_t count = 0; count <= 10; count++) {
		for (size_t from = 0; from + count <= 10; from++) {
			(void)round_trip(odd + from, NULL, count);
			(void)round_trip(odd + from, odd, count);
		}
	}
}

static void test_random(void **state)
{
	/* Proves: columns of random lengths, alphabets and contexts come back. */
	(void)state;
	struct column *column = make_column();
	struct streams_fixture random = {.seed = 6};
	for (unsigned round = 0; round < 300; round++) {
		size_t count = fixture_random(&random) % (round % 10 == 0 ? MANY : 300);
		uint64_t codes = 1 + fixture_random(&random) % (1 + round * round);
		uint64_t contexts = 1 + fixture_random(&random) % (1 + round);
		for (size_t i = 0; i < count; i++) {
			column->context[i] = (uint32_t)(fixture_random(&random) % contexts);
			uint64_t draw = fixture_random(&random) % codes;
			column->code[i] = (uint32_t)(fixture_random(&random) % (draw + 1));
		}
		(void)round_trip(column->code, column->context, count);
		(void)round_trip(column->code, NULL, count);
	}
	free(column);
}

static void test_cost(void **state)
{
	/* Proves: the estimate tells a context that says much from one that says nothing. */
	(void)state;
	struct column *column = make_column();
	struct streams_fixture random = {.seed = 8};
	for (size_t i = 0; i < MANY; i++) {
		column->context[i] = (uint32_t)(fixture_random(&random) % 100);
		column->code[i] = column->context[i] / 2;
	}
	uint64_t known = ranks_cost(column->code, column->context, MANY);
	uint64_t unknown = ranks_cost(column->code, NULL, MANY);
	assert_true(known < 2000);
	assert_in_range(unknown, MANY * 5, MANY * 7);
	free(column);
}

struct hostile {
	uint8_t part; /* counted from the column's first */
	struct str bytes;
};

static void test_damage(void **state)
{
	/* Proves: descriptions that can't be, ranks beyond the list, and codes beyond 32 bits are damage that names file and column. */
	(void)state;
	static const struct hostile cases[][2] = {
		{{0, STR_LIT("\0")}, {9, STR_LIT("")}},                        /* cut */
		{{0, STR_LIT("\3\1")}, {9, STR_LIT("")}},                      /* no such kind */
		{{0, STR_LIT("\10\1")}, {9, STR_LIT("")}},                     /* no such flag */
		{{0, STR_LIT("\2\1")}, {9, STR_LIT("")}},                      /* too long */
		{{1, STR_LIT("\10\0\1\0")}, {9, STR_LIT("")}},                 /* a list of one */
		{{0, STR_LIT("\1\5")}, {1, STR_LIT("\10\5\2\0")}},             /* of two */
		{{1, STR_LIT("\10\0\0")}, {9, STR_LIT("")}},                   /* too few ranks */
		{{0, STR_LIT("\4\5")}, {2, STR_LIT("\0\1\0")}},                /* -1 */
		{{0, STR_LIT("\2")}, {2, STR_LIT("\0\200\200\200\200\40\0")}}, /* 2^32 */
		{{2, STR_LIT("\0\2\0")}, {9, STR_LIT("")}}, /* before the first */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct streams_fixture fixture;
		struct ranks_column about = {.column = COLUMN, .part = 1, .count = 4};
		uint32_t back[4];
		fixture_begin(&fixture);
		for (size_t k = 0; k < 2; k++) {
			streams_put(fixture.writer, COLUMN, (uint8_t)(1 + cases[i][k].part),
				    cases[i][k].bytes, 0);
		}
		(void)fixture_open(&fixture);
		assert_int_equal(ranks_get(fixture.streams, &about, back, &fixture.err),
				 -ERR_CORRUPT);
		assert_non_null(strstr(fixture.err.text, "blocks/test.qtb: column 9 is damaged"));
		fixture_end(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage), cmocka_unit_test(test_follows),
		cmocka_unit_test(test_kinds),  cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_random), cmocka_unit_test(test_cost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
