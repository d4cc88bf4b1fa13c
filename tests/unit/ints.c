#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/ints.h"
#include "tests/unit/streams-fixture.h"

#include <stdlib.h>

#define COLUMN 12

/* Writes values, reads them back, compares; returns the size of the block. */
static size_t round_trip(const int64_t *values, const uint32_t *bucket, size_t count)
{
	struct streams_fixture fixture;
	struct ints_column about = {.column = COLUMN, .part = 3, .count = count, .bucket = bucket};
	fixture_begin(&fixture);
	assert_int_equal(ints_put(fixture.writer, &about, values), 0);
	size_t size = fixture_open(&fixture);
	int64_t *back = malloc((count + 1) * sizeof(*back));
	assert_non_null(back);
	memset(back, 0xa5, (count + 1) * sizeof(*back));
	assert_int_equal(ints_get(fixture.streams, &about, back, &fixture.err), 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(back[i] == values[i]);
	}
	free(back);
	fixture_end(&fixture);
	return size;
}

static size_t empty_size(void)
{
	return round_trip(NULL, NULL, 0);
}

#define MANY 20000

struct column {
	int64_t value[MANY];
	uint32_t bucket[MANY];
};

static struct column *make_column(void)
{
	struct column *column = calloc(1, sizeof(*column));
	assert_non_null(column);
	return column;
}

static void test_constants(void **state)
{
	/* Proves: zeros cost no stream at all, a constant a few bytes, whatever it is. */
	(void)state;
	struct column *column = make_column();
	size_t empty = empty_size();
	assert_int_equal(round_trip(column->value, NULL, MANY), empty);
	static const int64_t constants[] = {1, -1, 1000000000, INT64_MIN, INT64_MAX};
	for (size_t k = 0; k < 5; k++) {
		for (size_t i = 0; i < MANY; i++) {
			column->value[i] = constants[k];
		}
		assert_true(round_trip(column->value, NULL, MANY) <= empty + 16);
		assert_true(round_trip(column->value, NULL, 1) <= empty + 16);
	}
	free(column);
}

static void test_extremes(void **state)
{
	/* Proves: the ends of the range come back, alone and mixed, in every small count. */
	(void)state;
	static const int64_t odd[] = {INT64_MIN,     INT64_MAX, 0,         -1, 1, INT64_MIN + 1,
				      INT64_MAX - 1, 255,       256,       -7, 7, 8,
				      1ll << 32,     -9,        INT64_MIN, 3,  4, INT64_MAX};
	for (size_t count = 1; count <= sizeof(odd) / sizeof(odd[0]); count++) {
		for (size_t from = 0; from + count <= sizeof(odd) / sizeof(odd[0]); from++) {
			(void)round_trip(odd + from, NULL, count);
		}
	}
}

static void test_forms(void **state)
{
	/* Proves: each kind of column comes back, and takes what its nature allows: rising with a constant step nothing, a common factor
	 * nothing, small steps a byte, few distinct values their codes, orders of magnitude about their entropy. */
	(void)state;
	struct column *column = make_column();
	struct streams_fixture random = {.seed = 9};
	size_t empty = empty_size();
	for (size_t i = 0; i < MANY; i++) {
		column->value[i] = 1700000000000000000 + (int64_t)i * 512;
	}
	assert_true(round_trip(column->value, NULL, MANY) <= empty + 32);
	int64_t time = 1700000000000000000;
	for (size_t i = 0; i < MANY; i++) {
		time += (int64_t)(fixture_random(&random) % 200) * 1000000;
		column->value[i] = time;
	}
	assert_in_range(round_trip(column->value, NULL, MANY), MANY * 7 / 8, MANY * 65 / 64);
	for (size_t i = 0; i < MANY; i++) {
		column->value[i] = (int64_t)((fixture_random(&random) & 7) * 0x123456789abcdu);
	}
	assert_true(round_trip(column->value, NULL, MANY) <= MANY * 3 / 8 + 200);
	for (size_t i = 0; i < MANY; i++) {
		column->value[i] =
			(int64_t)(fixture_random(&random) >> (1 + fixture_random(&random) % 63));
	}
	size_t spread = round_trip(column->value, NULL, MANY);
	assert_in_range(spread, MANY * 4, MANY * 5);
	free(column);
}

static void test_buckets(void **state)
{
	/* Proves: regrouping by bucket makes a column of mixed natures small, and buckets may be any numbers. */
	(void)state;
	struct column *column = make_column();
	struct streams_fixture random = {.seed = 4};
	for (unsigned wide = 0; wide < 2; wide++) {
		for (size_t i = 0; i < MANY; i++) {
			unsigned bucket = (unsigned)(fixture_random(&random) % 50);
			column->bucket[i] = wide != 0 ? bucket * 80000001u : bucket;
			column->value[i] = 1000000 + (int64_t)bucket * bucket * 7919;
		}
		size_t grouped = round_trip(column->value, column->bucket, MANY);
		assert_true(grouped < 400);
		assert_true(round_trip(column->value, NULL, MANY) > 10 * grouped);
	}
	free(column);
}

static void test_bucket_natures(void **state)
{
	/* Proves: buckets of different natures each cost their own entropy: few large values in some, one in others; spreads of different
	 * medians; and small numbers. */
	(void)state;
	struct column *column = make_column();
	struct streams_fixture random = {.seed = 4};
	static const int64_t few[] = {17, 1000003, 99999989, 5};
	for (size_t i = 0; i < MANY; i++) {
		uint32_t bucket = (uint32_t)(fixture_random(&random) % 100);
		column->bucket[i] = bucket;
		column->value[i] =
			bucket % 2 == 0 ? few[bucket / 2 % 4] : few[fixture_random(&random) % 4];
	}
	assert_in_range(round_trip(column->value, column->bucket, MANY), MANY / 8, MANY / 8 + 700);
	for (size_t i = 0; i < MANY; i++) { /* 2 to 10 bits */
		column->value[i] =
			(int64_t)(fixture_random(&random) & ((4u << column->bucket[i] % 9) - 1));
	}
	assert_in_range(round_trip(column->value, column->bucket, MANY), MANY * 6 / 8 - 400,
			MANY * 6 / 8 + 900);
	for (size_t i = 0; i < MANY; i++) { /* 1 to 4 bits */
		column->value[i] =
			(int64_t)(fixture_random(&random) & ((2u << column->bucket[i] % 4) - 1));
	}
	assert_in_range(round_trip(column->value, column->bucket, MANY), MANY * 5 / 16 - 200,
			MANY * 5 / 16 + 500);
	free(column);
}

static void test_random(void **state)
{
	/* Proves: columns of random lengths, widths, steps and buckets come back. */
	(void)state;
	struct column *column = make_column();
	struct streams_fixture random = {.seed = 5};
	for (unsigned round = 0; round < 300; round++) {
		size_t count = fixture_random(&random) % (round % 10 == 0 ? MANY : 200);
		unsigned shift = (unsigned)(fixture_random(&random) % 64);
		bool sums = fixture_random(&random) % 2 == 0;
		uint64_t value = 0, scale = fixture_random(&random) % 3 * 5 + 1;
		for (size_t i = 0; i < count; i++) {
			uint64_t step = fixture_random(&random) >> shift;
			value = sums ? value + step * scale : step * scale;
			column->value[i] = (int64_t)value;
			column->bucket[i] = (uint32_t)(fixture_random(&random) % (round + 1));
		}
		(void)round_trip(column->value, column->bucket, count);
		(void)round_trip(column->value, NULL, count);
	}
	free(column);
}

struct hostile {
	uint8_t part; /* counted from the column's first */
	struct str bytes;
};

static void test_damage(void **state)
{
	/* Proves: descriptions, lengths, symbols and places in a list that can't be are damage that names file and column. */
	(void)state;
	static const struct hostile cases[][2] = {
		{{0, STR_LIT("\0")}, {9, STR_LIT("")}},           /* cut */
		{{0, STR_LIT("\0\0\1x")}, {9, STR_LIT("")}},      /* too long */
		{{0, STR_LIT("\3\0\1")}, {9, STR_LIT("")}},       /* no such body */
		{{0, STR_LIT("\14\0\1\0")}, {9, STR_LIT("")}},    /* no such steps */
		{{0, STR_LIT("\40\0\1")}, {9, STR_LIT("")}},      /* no such flag */
		{{0, STR_LIT("\0\0\1")}, {1, STR_LIT("\10abc")}}, /* three symbols for four */
		{{0, STR_LIT("\1\0\1")}, {1, STR_LIT("\10\0\0\0\375")}},   /* no such magnitude */
		{{0, STR_LIT("\1\0\1")}, {1, STR_LIT("\10\0\0\0\20")}},    /* bits are missing */
		{{0, STR_LIT("\2\0\1\1\5")}, {1, STR_LIT("\10\0\0\0\1")}}, /* not in the list */
		{{0, STR_LIT("\2\0\1\0")}, {9, STR_LIT("")}},              /* an empty list */
		{{0, STR_LIT("\2\0\1\377\377\377\377\17")}, {9, STR_LIT("")}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct streams_fixture fixture;
		struct ints_column about = {.column = COLUMN, .part = 3, .count = 4};
		int64_t back[4];
		fixture_begin(&fixture);
		for (size_t k = 0; k < 2; k++) {
			streams_put(fixture.writer, COLUMN, (uint8_t)(3 + cases[i][k].part),
				    cases[i][k].bytes, 0);
		}
		(void)fixture_open(&fixture);
		assert_int_equal(ints_get(fixture.streams, &about, back, &fixture.err),
				 -ERR_CORRUPT);
		assert_non_null(strstr(fixture.err.text, "blocks/test.qtb: column 12 is damaged"));
		fixture_end(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage),   cmocka_unit_test(test_constants),
		cmocka_unit_test(test_extremes), cmocka_unit_test(test_forms),
		cmocka_unit_test(test_buckets),  cmocka_unit_test(test_bucket_natures),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
