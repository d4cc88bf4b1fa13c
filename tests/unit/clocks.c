/* The clock estimate. */
#include "correlator/join/clocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/join-rows.h"

/* The interval that most share wins, bounds come from its ends, the rest is counted. */
static void test_intersect(void **state)
{
	(void)state;
	static const struct clock_interval intervals[] = {
		{10, 50}, {20, 60}, {30, 40}, {-900, -800}, {40, 41}};
	struct join_clock_estimate estimate;
	assert_int_equal(clocks_intersect(intervals, 1, &estimate), 0);
	assert_int_equal(estimate.offset_ns, 30);
	assert_int_equal(estimate.bound_ns, 20);
	assert_int_equal(estimate.outlier_count, 0);
	assert_int_equal(clocks_intersect(intervals, 4, &estimate), 0);
	assert_int_equal(estimate.offset_ns, 35);
	assert_int_equal(estimate.bound_ns, 5);
	assert_int_equal(estimate.pair_count, 3);
	assert_int_equal(estimate.outlier_count, 1);
	assert_int_equal(clocks_intersect(intervals, 5, &estimate), 0);
	assert_int_equal(estimate.offset_ns, 40); /* touching ends do intersect */
	assert_int_equal(estimate.bound_ns, 0);
}

/* A server whose clock is ten seconds ahead is found out, although every pair is X; a kept context is an outlier. */
static void test_skewed_server(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	for (int i = 0; i < 10; i++) {
		char *x = malloc(24);
		assert_non_null(x);
		char context[32];
		(void)snprintf(x, 24, "X%d", i);                        /* fits */
		(void)snprintf(context, sizeof context, "qt1 x=%s", x); /* fits */
		add_line(&bench, (uint64_t)i * 2, (struct line){T0 + i * 7 * S, 300, .x = x});
		add_row(&bench, (uint64_t)i * 2 + 1,
			(struct row){T0 + i * 7 * S + 10 * S + i * 30 * MS, .column = context});
		free(x);
	}
	add_row(&bench, 40, (struct row){T0 + 200 * S, .column = "qt1 x=X3"});
	settle_all(&bench);
	struct join_clock_estimate estimate[2];
	assert_int_equal(join_clocks(bench.join, estimate, 2), 1);
	assert_true(str_is(estimate[0].source, "db"));
	assert_int_equal(estimate[0].offset_ns, -10 * S + 15 * MS);
	assert_int_equal(estimate[0].bound_ns, 15 * MS);
	assert_int_equal(estimate[0].pair_count, 10);
	assert_int_equal(estimate[0].outlier_count, 1);
	assert_int_equal(join_clocks(bench.join, estimate, 0), 0);
	join_free(bench.join);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intersect),
		cmocka_unit_test(test_skewed_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
