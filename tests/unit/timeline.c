/* Order of items that mostly come in order. */
#include "correlator/join/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int by_value(uint32_t a, uint32_t b, const void *owner)
{
	const int *value = owner;
	return value[a] - value[b];
}

static void push_all(struct timeline *timeline, uint32_t from, uint32_t until)
{
	for (uint32_t i = from; i < until; i++) {
		assert_int_equal(timeline_push(timeline, i), 0);
	}
}

/* Sorted arrivals stay where they are; late ones are merged in, and the first changed position is told. */
static void test_merge(void **state)
{
	(void)state;
	static const int value[] = {10, 20, 30, 40, 50, 25, 5, 60, 25};
	static const uint32_t want[] = {6, 0, 1, 5, 8, 2, 3, 4, 7};
	struct timeline timeline = {0};
	uint32_t first = 99;
	assert_int_equal(timeline_sort(&timeline, by_value, value, &first), 0);
	assert_int_equal(first, 0);
	push_all(&timeline, 0, 4);
	assert_int_equal(timeline_sort(&timeline, by_value, value, &first), 0);
	assert_int_equal(first, 0);
	push_all(&timeline, 4, 5);
	assert_int_equal(timeline_sort(&timeline, by_value, value, &first), 0);
	assert_int_equal(first, 4);
	push_all(&timeline, 5, 6);
	assert_int_equal(timeline_sort(&timeline, by_value, value, &first), 0);
	assert_int_equal(first, 2);
	push_all(&timeline, 6, 9);
	assert_int_equal(timeline_sort(&timeline, by_value, value, &first), 0);
	assert_int_equal(first, 0);
	assert_memory_equal(timeline.at, want, sizeof want);
	assert_int_equal(timeline_sort(&timeline, by_value, value, &first), 0);
	assert_int_equal(first, timeline.count);
	timeline_done(&timeline);
}

/* Many items in reverse, a few at a time, end up in order, each once. */
static void test_reverse(void **state)
{
	(void)state;
	static int value[5000];
	struct timeline timeline = {0};
	for (uint32_t i = 0; i < 5000; i++) {
		value[i] = (int)(5000 - i);
		assert_int_equal(timeline_push(&timeline, i), 0);
		uint32_t first;
		if (i % 100 == 99) {
			assert_int_equal(timeline_sort(&timeline, by_value, value, &first), 0);
		}
	}
	for (uint32_t i = 0; i < 5000; i++) {
		assert_int_equal(timeline.at[i], 4999 - i);
	}
	timeline_done(&timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_reverse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
