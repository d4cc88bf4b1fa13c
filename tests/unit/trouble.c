/* A failure that lasts is told once, again when it changes, and when it is over. */
#include "collector/trouble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

/* The same failure is told once however often it happens. */
static void test_once(void **state)
{
	(void)state;
	struct trouble trouble = {0};
	struct error err;
	uint64_t count = 0;

	assert_false(trouble_end(&trouble, &count));
	(void)error_set(&err, ERR_AGAIN, "away");
	assert_true(trouble_add(&trouble, &err, 0));
	for (int i = 1; i < 100; i++) {
		assert_false(trouble_add(&trouble, &err, i * NS_PER_MIN));
	}
	assert_true(trouble_end(&trouble, &count));
	assert_int_equal(count, 100);
	assert_false(trouble_end(&trouble, &count));
	assert_true(trouble_add(&trouble, &err, 0));
}

/* Another code is told at once; another wording at most once a minute. */
static void test_change(void **state)
{
	(void)state;
	struct trouble trouble = {0};
	struct error err;
	int told = 0;

	(void)error_set(&err, ERR_AGAIN, "away");
	assert_true(trouble_add(&trouble, &err, 0));
	(void)error_set(&err, ERR_AUTH, "refused");
	assert_true(trouble_add(&trouble, &err, 1));
	for (int i = 0; i < 180; i++) { /* three minutes of ever new sentences */
		(void)error_set(&err, ERR_AUTH, "refused, request %d", i);
		told += trouble_add(&trouble, &err, i * NS_PER_SEC);
	}
	assert_int_equal(told, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_once),
					   cmocka_unit_test(test_change)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
