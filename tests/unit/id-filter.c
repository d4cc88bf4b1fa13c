#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "store/id-filter.h"

#include <stdlib.h>

static uint64_t *make_keys(size_t count, uint64_t from)
{
	uint64_t *keys = malloc((count + 1) * sizeof(*keys));
	assert_non_null(keys);
	for (size_t i = 0; i < count; i++) {
		keys[i] = hash_u64(from + i);
	}
	return keys;
}

static void check_filter(size_t count, enum id_filter_bits bits)
{
	uint64_t *keys = make_keys(count, 1);
	struct buf bytes;
	struct id_filter filter;
	struct error err;
	buf_init(&bytes, 1 << 24);
	assert_int_equal(id_filter_build(keys, count, bits, &bytes), 0);
	assert_int_equal(id_filter_open(buf_str(&bytes), &filter, &err), 0);
	size_t false_hits = 0;
	for (uint64_t i = 0; i < count; i++) {
		assert_true(id_filter_may_hold(&filter, hash_u64(1 + i)));
	}
	for (uint64_t i = 0; i < 40000; i++) {
		false_hits += id_filter_may_hold(&filter, hash_u64(1000000 + i));
	}
	assert_true(false_hits < (bits == ID_FILTER_SMALL ? 300 : 40)); /* expected: 156, 10 */
	assert_true(count < 10000 || bytes.len * 80 < count * 105 * bits / 8);
	buf_done(&bytes);
	free(keys);
}

static void every_key_is_in_it(void **state)
{
	/* Proves: at many sizes, small and large, each key is found, few others are, and a key costs nine to ten bits, or half as much again. */
	(void)state;
	static const size_t counts[] = {0,  1,  2,   3,   4,    5,    7,     8,     15,    33,
					64, 99, 255, 256, 1000, 1001, 16384, 50000, 65537, 200000};
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		check_filter(counts[c], ID_FILTER_SMALL);
		check_filter(counts[c], ID_FILTER_LARGE);
	}
}

static void order_and_doubles_do_not_matter(void **state)
{
	/* Proves: the same keys in another order and some of them twice give the same bytes. */
	(void)state;
	uint64_t *keys = make_keys(3000, 7);
	uint64_t *again = make_keys(3000, 7);
	for (size_t i = 0; i < 1000;
	     i++) { /* the last thousand are those of the first, the rest turned round */
		uint64_t key = again[i];
		again[i] = again[1999 - i];
		again[1999 - i] = key;
		again[2000 + i] = keys[i];
		keys[2000 + i] = keys[i];
	}
	struct buf one, two;
	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	assert_int_equal(id_filter_build(keys, 2000, ID_FILTER_LARGE, &one), 0);
	assert_int_equal(id_filter_build(again, 3000, ID_FILTER_LARGE, &two), 0);
	assert_true(str_equal(buf_str(&one), buf_str(&two)));
	buf_done(&one);
	buf_done(&two);
	free(keys);
	free(again);
}

static void check_damage(enum id_filter_bits bits)
{
	uint64_t *keys = make_keys(41, 3);
	struct buf bytes;
	struct id_filter filter;
	struct error err;
	buf_init(&bytes, 1 << 20);
	assert_int_equal(id_filter_build(keys, 41, bits, &bytes), 0);
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		bytes.ptr[bit / 8] = (char)(bytes.ptr[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(id_filter_open(buf_str(&bytes), &filter, &err), -ERR_CORRUPT);
		bytes.ptr[bit / 8] = (char)(bytes.ptr[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t len = 0; len < bytes.len; len++) {
		assert_int_equal(id_filter_open(str_make(bytes.ptr, len), &filter, &err),
				 -ERR_CORRUPT);
	}
	assert_int_equal(id_filter_open(buf_str(&bytes), &filter, &err), 0);
	buf_done(&bytes);
	free(keys);
}

static void damage_is_told(void **state)
{
	/* Proves: each changed bit and each length that is too short is ERR_CORRUPT, for fingerprints of both sizes. */
	(void)state;
	check_damage(ID_FILTER_SMALL);
	check_damage(ID_FILTER_LARGE);
}

static void ids_keep_their_keys(void **state)
{
	/* Proves: the key of a text is the one of docs/format.md, for ever: another one would lose all ids of older stores. */
	(void)state;
	assert_true(id_filter_key(STR_LIT("r-1")) == id_filter_key(STR_LIT("r-1")));
	assert_true(id_filter_key(STR_LIT("r-1")) != id_filter_key(STR_LIT("r-2")));
	assert_true(id_filter_key(STR_LIT("abc")) == UINT64_C(0xcd854135611113d7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_in_it),
		cmocka_unit_test(order_and_doubles_do_not_matter),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(ids_keep_their_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
