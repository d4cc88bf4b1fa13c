#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "store/block/entropy-table.h"
#include "store/block/entropy.h"
#include "tests/unit/streams-fixture.h"

#include <stdlib.h>

#define MANY 20000

static size_t round_trip(const uint8_t *bytes, size_t count, const struct entropy_runs *runs)
{
	struct buf coded;
	uint8_t *back = malloc(count + 1);
	assert_non_null(back);
	buf_init(&coded, 0);
	buf_put_text(&coded, "before");
	assert_int_equal(entropy_put(bytes, count, runs, &coded), 0);
	back[count] = 0xa5;
	struct str own = str_slice(buf_str(&coded), 6, coded.len - 6);
	assert_int_equal(entropy_get(own, count, runs, back), 0);
	assert_memory_equal(back, bytes, count);
	assert_int_equal(back[count], 0xa5);
	size_t size = own.len;
	buf_done(&coded);
	free(back);
	return size;
}

static size_t one_table(const uint8_t *bytes, size_t count)
{
	uint32_t end = (uint32_t)count;
	struct entropy_runs one = {.ends = &end, .count = 1, .tables = 1};
	return round_trip(bytes, count, &one);
}

static void test_counts(void **state)
{
	/* Proves: every small count and the counts around the changes of form come back, with one byte value, few, and all. */
	(void)state;
	static uint8_t bytes[MANY];
	struct streams_fixture random = {.seed = 1};
	static const unsigned alphabets[] = {1, 2, 3, 17, 255, 256};
	for (size_t a = 0; a < 6; a++) {
		for (size_t i = 0; i < MANY; i++) {
			bytes[i] = (uint8_t)(255 - fixture_random(&random) % alphabets[a]);
		}
		for (size_t count = 1; count < 70; count++) {
			(void)one_table(bytes, count);
		}
		for (size_t count = 1020; count < 1030; count++) {
			(void)one_table(bytes, count);
		}
		for (size_t count = 2045; count < 2053; count++) {
			(void)one_table(bytes, count);
		}
		(void)one_table(bytes, MANY);
	}
}

static void test_size(void **state)
{
	/* Proves: what is written is within a hundredth of the entropy and the table: for all alike, steep, even and jagged frequencies. */
	(void)state;
	static uint8_t bytes[MANY];
	struct streams_fixture random = {.seed = 2};
	for (unsigned shape = 0; shape < 5; shape++) {
		uint32_t frequency[256] = {0};
		for (size_t i = 0; i < MANY; i++) {
			uint64_t draw = fixture_random(&random);
			unsigned byte = shape == 0   ? 9
					: shape == 1 ? (unsigned)__builtin_ctzll(draw | 1ull << 40)
					: shape == 2 ? (unsigned)(draw % 200)
					: shape == 3 ? (unsigned)(draw % 97 * 37 % 256)
						     : (draw % 1000 == 0 ? 1 : 0);
			bytes[i] = (uint8_t)byte;
			frequency[byte]++;
		}
		uint64_t bits = entropy_bits(frequency, 256, MANY);
		uint64_t whole = entropy_bits_with_table(frequency, MANY);
		assert_true(whole >= bits);
		assert_in_range(one_table(bytes, MANY), bits / 8, whole / 8 * 101 / 100 + 80);
	}
}

static void test_runs(void **state)
{
	/* Proves: runs of all lengths, empty ones too, with up to 16 tables come back, also when a table is not used. */
	(void)state;
	static uint8_t bytes[MANY], of[2000];
	static uint32_t ends[2000];
	struct streams_fixture random = {.seed = 4};
	for (unsigned tables = 1; tables <= ENTROPY_TABLES_MAX; tables++) {
		size_t runs = 1 + fixture_random(&random) % 1900, from = 0;
		for (size_t r = 0; r < runs; r++) {
			of[r] = (uint8_t)(fixture_random(&random) % tables);
			of[r] = of[r] == 3 ? 0 : of[r];
			size_t end = from + fixture_random(&random) % (2 * MANY / runs);
			end = end > MANY || r + 1 == runs ? MANY : end;
			for (; from < end; from++) {
				bytes[from] = (uint8_t)(of[r] * 10 +
							fixture_random(&random) % (of[r] + 1u));
			}
			ends[r] = (uint32_t)end;
		}
		struct entropy_runs about = {
			.ends = ends, .of = of, .count = runs, .tables = tables};
		(void)round_trip(bytes, MANY, &about);
	}
}

static void test_damage(void **state)
{
	/* Proves: every cut and a longer text are found; changed bytes give an error or other bytes, never more than there is room for. */
	(void)state;
	static uint8_t bytes[MANY], back[MANY + 1];
	struct streams_fixture random = {.seed = 6};
	for (size_t i = 0; i < MANY; i++) {
		bytes[i] = (uint8_t)(fixture_random(&random) % 30);
	}
	static const size_t counts[] = {40, 1500, 5000};
	for (size_t k = 0; k < 3; k++) {
		uint32_t end = (uint32_t)counts[k];
		struct entropy_runs one = {.ends = &end, .count = 1, .tables = 1};
		struct buf coded;
		buf_init(&coded, 0);
		assert_int_equal(entropy_put(bytes, counts[k], &one, &coded), 0);
		size_t len = coded.len;
		for (size_t cut = 0; cut < len; cut++) {
			assert_int_equal(
				entropy_get(str_make(coded.ptr, cut), counts[k], &one, back),
				-ERR_CORRUPT);
		}
		for (size_t i = 0; i < 2000; i++) {
			size_t at = fixture_random(&random) % len;
			coded.ptr[at] ^= (char)(1 << fixture_random(&random) % 8);
			back[counts[k]] = 0xa5;
			(void)entropy_get(buf_str(&coded), counts[k], &one, back);
			assert_int_equal(back[counts[k]], 0xa5);
		}
		buf_clear(&coded);
		assert_int_equal(entropy_put(bytes, counts[k], &one, &coded), 0);
		buf_put_byte(&coded, 0);
		assert_int_equal(entropy_get(buf_str(&coded), counts[k], &one, back), -ERR_CORRUPT);
		buf_done(&coded);
	}
}

static void test_tables(void **state)
{
	/* Proves: a table reads back as it was made and sums up, also with 256 rare bytes beside a frequent one; random bits are one or none. */
	(void)state;
	struct streams_fixture random = {.seed = 7};
	for (unsigned round = 0; round < 500; round++) {
		uint32_t counts[256] = {0};
		unsigned bits = round % 2 == 0 ? 10 : 12, sum = 0;
		for (unsigned s = 0; s < 256; s++) {
			counts[s] = fixture_random(&random) % (round % 9 + 1) == 0
					    ? 1 + (uint32_t)(fixture_random(&random) >>
							     (32 + fixture_random(&random) % 32))
					    : round % 3;
		}
		counts[round % 256] = 1u << 30;
		struct buf out;
		struct entropy_table made, read;
		buf_init(&out, 0);
		struct bits_writer writer = {.out = &out};
		entropy_table_make(counts, bits, &made, &writer);
		bits_end(&writer);
		uint64_t at = 0;
		assert_true(entropy_table_read(buf_str(&out), &at, bits, &read));
		assert_in_range(at, out.len * 8 - 7, out.len * 8);
		assert_memory_equal(&made, &read, sizeof(made));
		for (unsigned s = 0; s < 256; s++) {
			sum += read.frequency[s];
			assert_true(counts[s] == 0 || read.frequency[s] != 0);
		}
		assert_int_equal(sum, 1u << bits);
		buf_done(&out);
		uint64_t noise[40];
		for (size_t i = 0; i < 40; i++) {
			noise[i] = fixture_random(&random);
		}
		at = 0;
		sum = 0;
		if (entropy_table_read(str_make(noise, sizeof(noise)), &at, bits, &read)) {
			for (unsigned s = 0; s < 256; s++) {
				sum += read.frequency[s];
			}
			assert_int_equal(sum, 1u << bits);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts), cmocka_unit_test(test_size),
		cmocka_unit_test(test_runs),   cmocka_unit_test(test_damage),
		cmocka_unit_test(test_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
