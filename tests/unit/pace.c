/* Calls keep their distance, which doubles when the service throttles and shrinks again slowly. */
#include "collector/sources/cloudwatch/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

/* The first call may be made at once, the next one after 1/rate. */
static void test_distance(void **state)
{
	(void)state;
	struct pace pace;

	pace_init(&pace, 4);
	assert_true(pace_wait_ns(&pace, 1000 * MS) == 0);
	pace_call(&pace, 1000 * MS);
	assert_true(pace_wait_ns(&pace, 1000 * MS) == 250 * MS);
	assert_true(pace_wait_ns(&pace, 1200 * MS) == 50 * MS);
	assert_true(pace_wait_ns(&pace, 1250 * MS) == 0);
	assert_true(pace_wait_ns(&pace, 9999 * MS) == 0);
}

/* Throttling halves the rate, down to one call in 20 s; 20 good calls bring it back, never above what is configured. */
static void test_throttled(void **state)
{
	(void)state;
	struct pace pace;

	pace_init(&pace, 4);
	pace_call(&pace, MS);
	pace_throttled(&pace);
	assert_true(pace_wait_ns(&pace, MS) == 500 * MS);
	for (int i = 0; i < 50; i++) {
		pace_throttled(&pace);
	}
	assert_true(pace_wait_ns(&pace, MS) == 20000 * MS);
	for (int i = 0; i < 10; i++) {
		pace_good(&pace);
	}
	assert_true(pace_wait_ns(&pace, MS) > 400 * MS);
	for (int i = 0; i < 50; i++) {
		pace_good(&pace);
	}
	assert_true(pace_wait_ns(&pace, MS) == 250 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_distance),
					   cmocka_unit_test(test_throttled)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
