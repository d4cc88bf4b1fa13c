#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "correlator/notify/retry.h"

static const struct channel_settings settings = {.retry_wait_ns = 30 * NS_PER_SEC,
						 .retry_max_ns = 6 * NS_PER_HOUR};

static void test_bound_doubles(void **state)
{
	/* proves: each failure doubles the longest wait until retry_max, and many failures do not overflow */
	(void)state;
	assert_int_equal(retry_bound_ns(&settings, 1), 30 * NS_PER_SEC);
	assert_int_equal(retry_bound_ns(&settings, 2), 60 * NS_PER_SEC);
	assert_int_equal(retry_bound_ns(&settings, 10), 30 * 512 * NS_PER_SEC);
	assert_int_equal(retry_bound_ns(&settings, 11), 6 * NS_PER_HOUR);
	assert_int_equal(retry_bound_ns(&settings, UINT32_MAX), 6 * NS_PER_HOUR);
	struct channel_settings short_max = {.retry_wait_ns = NS_PER_HOUR,
					     .retry_max_ns = NS_PER_SEC};
	assert_int_equal(retry_bound_ns(&short_max, 1), NS_PER_SEC);
}

static void test_wait_is_any_part(void **state)
{
	/* proves: the wait is full jitter: from nothing to the bound, by the random number alone */
	(void)state;
	int64_t bound_ns = retry_bound_ns(&settings, 3);
	assert_int_equal(retry_wait_ns(&settings, 3, 0, 0), 0);
	assert_int_equal(retry_wait_ns(&settings, 3, 0, (uint64_t)bound_ns), bound_ns);
	assert_int_equal(retry_wait_ns(&settings, 3, 0, (uint64_t)bound_ns + 1), 0);
	assert_true(retry_wait_ns(&settings, 3, 0, UINT64_MAX) <= bound_ns);
}

static void test_receiver_asks(void **state)
{
	/* proves: Retry-After is never undercut, little exceeded, and bounded by retry_max */
	(void)state;
	assert_int_equal(retry_wait_ns(&settings, 1, 10 * NS_PER_SEC, 0), 10 * NS_PER_SEC);
	assert_int_equal(retry_wait_ns(&settings, 1, 10 * NS_PER_SEC, NS_PER_SEC), 11 * NS_PER_SEC);
	for (uint64_t random = 1; random != 0; random <<= 1) {
		int64_t wait_ns = retry_wait_ns(&settings, 1, 10 * NS_PER_SEC, random);
		assert_true(wait_ns >= 10 * NS_PER_SEC && wait_ns <= 11 * NS_PER_SEC);
	}
	assert_int_equal(retry_wait_ns(&settings, 1, 365 * NS_PER_DAY, 77), 6 * NS_PER_HOUR);
}

static void test_bucket_rate(void **state)
{
	/* proves: a tenth of a minute's worth goes at once, then one each sixtieth, and never more than that in ten minutes */
	struct bucket bucket;
	int64_t now_ns = 1000 * NS_PER_SEC;
	unsigned at_once = 0;
	unsigned all = 0;

	(void)state;
	bucket_init(&bucket, 60, now_ns);
	while (bucket_ready_ns(&bucket, 1, now_ns) == now_ns) {
		bucket_take(&bucket, 1, now_ns);
		at_once++;
	}
	assert_int_equal(at_once, 6);
	assert_int_equal(bucket_ready_ns(&bucket, 1, now_ns), now_ns + NS_PER_SEC);
	for (int64_t tick = 1; tick <= 6000; tick++) {
		int64_t then_ns = now_ns + tick * 100 * NS_PER_MS;
		if (bucket_ready_ns(&bucket, 1, then_ns) == then_ns) {
			bucket_take(&bucket, 1, then_ns);
			all++;
		}
	}
	assert_int_equal(all, 600);
}

static void test_bucket_debt(void **state)
{
	/* proves: a message of many alerts may go when the bucket is full, is paid for afterwards, and a clock set back gives nothing */
	struct bucket bucket;
	int64_t now_ns = 1000 * NS_PER_SEC;

	(void)state;
	bucket_init(&bucket, 60, now_ns);
	assert_int_equal(bucket_ready_ns(&bucket, 100, now_ns), now_ns);
	bucket_take(&bucket, 100, now_ns);
	assert_int_equal(bucket_ready_ns(&bucket, 1, now_ns), now_ns + 95 * NS_PER_SEC);
	assert_int_equal(bucket_ready_ns(&bucket, 1, now_ns - NS_PER_HOUR),
			 now_ns - NS_PER_HOUR + 95 * NS_PER_SEC);
	bucket_init(&bucket, 1, now_ns);
	bucket_take(&bucket, 1, now_ns);
	assert_int_equal(bucket_ready_ns(&bucket, 1, now_ns), now_ns + NS_PER_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound_doubles), cmocka_unit_test(test_wait_is_any_part),
		cmocka_unit_test(test_receiver_asks), cmocka_unit_test(test_bucket_rate),
		cmocka_unit_test(test_bucket_debt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
