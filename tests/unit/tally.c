/* Equal lines get different keys, the same ones each time. */
#include "collector/sources/file/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The nth equal line has ordinal n - 1, which ends its key; other lines do not count; a new file begins anew. */
static void test_ordinals(void **state)
{
	(void)state;
	struct tally tally;
	struct error err;
	uint8_t first[TALLY_KEY_BYTES];
	uint8_t key[TALLY_KEY_BYTES];
	uint32_t ordinal = 9;

	tally_init(&tally, 10);
	assert_int_equal(tally_add(&tally, STR_LIT("a"), &ordinal, first, &err), 0);
	assert_int_equal(ordinal, 0);
	assert_int_equal(tally_add(&tally, STR_LIT("b"), &ordinal, key, &err), 0);
	assert_int_equal(ordinal, 0);
	assert_memory_not_equal(first, key, TALLY_KEY_BYTES);
	for (uint32_t i = 1; i < 300; i++) {
		assert_int_equal(tally_add(&tally, STR_LIT("a"), &ordinal, key, &err), 0);
		assert_int_equal(ordinal, i);
		assert_memory_equal(first, key, 16);
		assert_int_equal(key[16] + 256 * key[17], i);
	}
	tally_clear(&tally);
	assert_int_equal(tally_add(&tally, STR_LIT("a"), &ordinal, key, &err), 0);
	assert_memory_equal(first, key, TALLY_KEY_BYTES);
	tally_done(&tally);
}

/* Only so many different lines are remembered; past that all are forgotten at once. */
static void test_bound(void **state)
{
	(void)state;
	struct tally tally;
	struct error err;
	uint8_t key[TALLY_KEY_BYTES];
	uint32_t ordinal;

	tally_init(&tally, 100);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(tally_add(&tally, str_make(&i, sizeof(i)), &ordinal, key, &err),
				 0);
		assert_int_equal(ordinal, 0);
		assert_true(tally.seen.entry_count <= 100);
	}
	uint32_t last = 999;
	assert_int_equal(tally_add(&tally, str_make(&last, sizeof(last)), &ordinal, key, &err), 0);
	assert_int_equal(ordinal, 1);
	uint32_t long_ago = 1;
	assert_int_equal(
		tally_add(&tally, str_make(&long_ago, sizeof(long_ago)), &ordinal, key, &err), 0);
	assert_int_equal(ordinal, 0);
	tally_done(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ordinals),
					   cmocka_unit_test(test_bound)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
