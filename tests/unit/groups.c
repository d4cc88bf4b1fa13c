#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/groups.h"

#include <stdbool.h>
#include <stdlib.h>

#define COUNT 5000

/* All values are there once, buckets rise, places within one rise, ends are where the bucket changes. */
static void check(const uint32_t *bucket, size_t count)
{
	struct groups groups;
	bool *seen = calloc(count + 1, sizeof(*seen));
	assert_int_equal(groups_make(bucket, count, &groups), 0);
	size_t group = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t at = groups.order != NULL ? groups.order[i] : (uint32_t)i;
		assert_true(at < count && !seen[at]);
		seen[at] = true;
		if (i == groups.ends[group]) {
			group++;
			uint32_t before = groups.order[i - 1];
			assert_true(bucket[before] < bucket[at]);
		} else if (i > 0 && groups.order != NULL) {
			uint32_t before = groups.order[i - 1];
			assert_true(bucket[before] == bucket[at] && before < at);
		}
	}
	assert_int_equal(groups.count, count == 0 ? 0 : group + 1);
	assert_true(count == 0 || groups.ends[group] == count);
	groups_done(&groups);
	free(seen);
}

static void test_orders(void **state)
{
	/* Proves: dense, sparse, equal and no buckets give stable groups in rising order. */
	(void)state;
	uint32_t *bucket = calloc(COUNT, sizeof(*bucket));
	assert_non_null(bucket);
	check(bucket, 0);
	check(NULL, 0);
	check(NULL, COUNT);
	check(bucket, COUNT);
	uint32_t value = 1;
	static const uint32_t spans[] = {2, 50, 4999, 12000, 13000, 1u << 20, UINT32_MAX};
	for (size_t s = 0; s < sizeof(spans) / sizeof(spans[0]); s++) {
		for (size_t i = 0; i < COUNT; i++) {
			value = value * 1664525 + 1013904223;
			bucket[i] = (value >> 3 ^ value << 29) % spans[s];
		}
		check(bucket, COUNT);
		check(bucket, 3);
		check(bucket, 1);
	}
	bucket[17] = UINT32_MAX;
	check(bucket, COUNT);
	free(bucket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_orders)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
