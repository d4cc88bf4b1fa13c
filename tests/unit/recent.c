/* Only keys that were given, and lately, are known; in doubt a key is not known. */
#include "collector/sources/cloudwatch/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void make_key(uint8_t key[EVENTID_BYTES], uint32_t number)
{
	memset(key, 7, EVENTID_BYTES);
	memcpy(key, &number, sizeof(number));
}

/* The last `capacity` keys are known, older ones and others are not. */
static void test_ring(void **state)
{
	(void)state;
	struct recent recent;
	uint8_t key[EVENTID_BYTES];

	recent_init(&recent, 100);
	recent_clear(&recent, 1000);
	for (uint32_t i = 0; i < 250; i++) {
		make_key(key, i);
		assert_false(recent_has(&recent, key));
		recent_add(&recent, key, 1000 + i);
		assert_true(recent_has(&recent, key));
	}
	for (uint32_t i = 0; i < 250; i++) {
		make_key(key, i);
		assert_int_equal(recent_has(&recent, key), i >= 150);
	}
	assert_true(recent.complete_ms == 1000 + 150); /* the newest one forgotten is 149 */
	recent_done(&recent);
}

/* After a clear nothing is known. */
static void test_clear(void **state)
{
	(void)state;
	struct recent recent;
	uint8_t key[EVENTID_BYTES];

	recent_init(&recent, 4);
	make_key(key, 1);
	assert_false(recent_has(&recent, key));
	recent_add(&recent, key, 5);
	recent_clear(&recent, 77);
	assert_false(recent_has(&recent, key));
	assert_true(recent.complete_ms == 77);
	recent_add(&recent, key, 5);
	recent_add(&recent, key, 5); /* the same key twice does no harm */
	for (uint32_t i = 10; i < 13; i++) {
		make_key(key, i);
		recent_add(&recent, key, 5);
	}
	make_key(key, 12);
	assert_true(recent_has(&recent, key));
	recent_done(&recent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ring),
					   cmocka_unit_test(test_clear)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
