/* Waits grow with each failure, stay within their bounds, and begin again after a success. */
#include "collector/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"

/* The bound doubles up to the cap of its kind of failure. */
static void test_bounds(void **state)
{
	(void)state;
	assert_true(backoff_bound(1, ERR_AGAIN) == 200 * NS_PER_MS);
	assert_true(backoff_bound(2, -ERR_AGAIN) == 400 * NS_PER_MS);
	assert_true(backoff_bound(1000, ERR_AGAIN) == 30 * NS_PER_SEC);
	assert_true(backoff_bound(1, ERR_AUTH) == 5 * NS_PER_SEC);
	assert_true(backoff_bound(1000, ERR_AUTH) == 5 * NS_PER_MIN);
	assert_true(backoff_bound(1000, ERR_GONE) == NS_PER_MIN);
	assert_true(backoff_bound(1000, ERR_CONFIG) == 5 * NS_PER_MIN);
}

/* Waits are spread over the whole range, never beyond it, and two processes do not wait alike. */
static void test_jitter(void **state)
{
	(void)state;
	struct backoff a;
	struct backoff b;
	int low = 0;
	int high = 0;
	int equal = 0;

	backoff_init(&a, 1);
	backoff_init(&b, 2);
	for (int i = 0; i < 2000; i++) {
		int64_t wait_ns = backoff_next(&a, ERR_AGAIN);
		int64_t bound_ns = backoff_bound(a.tries, ERR_AGAIN);
		assert_true(wait_ns >= 0 && wait_ns <= bound_ns);
		low += wait_ns < bound_ns / 4;
		high += wait_ns > bound_ns / 4 * 3;
		equal += wait_ns == backoff_next(&b, ERR_AGAIN);
	}
	assert_true(low > 300 && high > 300 && equal < 10);
	backoff_reset(&a);
	assert_true(backoff_next(&a, ERR_AGAIN) <= 200 * NS_PER_MS);
	assert_int_equal(a.tries, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bounds),
					   cmocka_unit_test(test_jitter)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
