/* Watermarks: when "unmatched" may be said. */
#include "correlator/join/settle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/join-rows.h"

/* A statement is finally unmatched one tick after both watermarks have passed it, the requests' one by the slack. */
static void test_statement_border(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	add_row(&bench, 1, (struct row){.time_ns = T0});
	join_settle(bench.join, T0 + 5 * S, T0 + S);
	assert_int_equal(drain(&bench), 0);
	join_settle(bench.join, T0 + 5 * S + 1, T0);
	assert_int_equal(drain(&bench), 1);
	assert_int_equal(bench.last[1].settled, JOIN_FINAL);
	join_free(bench.join);
}

/* A request is finally alone one tick after the statements' watermark has passed its end by the slack. */
static void test_request_border(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	add_line(&bench, 1, alice);
	join_settle(bench.join, T0, T0 + 5500 * MS);
	assert_int_equal(drain(&bench), 0);
	join_settle(bench.join, T0, T0 + 5500 * MS + 1);
	assert_int_equal(drain(&bench), 1);
	expect(&bench, 1, "U2", 1);
	join_free(bench.join);
}

/* Watermarks only rise, and a source that has ended does not make the open records of the other one look old. */
static void test_rising(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	add_row(&bench, 1, (struct row){.time_ns = T0});
	join_settle(bench.join, INT64_MAX, T0);
	join_settle(bench.join, INT64_MIN, INT64_MIN);
	assert_int_equal(drain(&bench), 0);
	join_settle(bench.join, INT64_MIN, T0 + 1);
	assert_int_equal(drain(&bench), 1);
	assert_int_equal(bench.last[1].settled, JOIN_FINAL);
	join_free(bench.join);
}

/* The configured clock offset counts: a watermark of a server that lags behind is taken to the gateway's time. */
static void test_offset(void **state)
{
	(void)state;
	struct join_server_clock clock = {STR_LIT("db"), -10 * S};
	struct join_options options = rows_options();
	options.clocks = &clock;
	options.clock_count = 1;
	struct bench bench = bench_with(&options);
	add_line(&bench, 1, alice);
	add_row(&bench, 2, (struct row){.time_ns = T0 + 10 * S + 50 * MS, .column = "qt1 x=XA"});
	drain(&bench);
	expect(&bench, 2, "A", 1);
	add_line(&bench, 3, bob);
	join_settle(bench.join, T0, T0 + 15 * S);
	assert_int_equal(drain(&bench), 0);
	join_settle(bench.join, T0, T0 + 16 * S);
	assert_int_equal(drain(&bench), 1);
	join_free(bench.join);
}

/* Horizons are worked out once for all: the ends of time stay the ends of time. */
static void test_ends_of_time(void **state)
{
	(void)state;
	struct join_options options = rows_options();
	struct book book;
	struct error err;
	assert_int_equal(book_init(&book, &options, &err), 0);
	assert_int_equal(settle_to(&book, INT64_MIN, INT64_MIN), 0);
	assert_true(book.horizon.statement_ns == INT64_MIN);
	assert_true(book.horizon.provisional_ns == INT64_MIN);
	assert_int_equal(settle_to(&book, T0, INT64_MIN), 0);
	assert_true(book.horizon.statement_ns == INT64_MIN);
	assert_true(book.horizon.provisional_ns == T0 - 120 * S);
	assert_int_equal(settle_to(&book, INT64_MAX, INT64_MAX), 0);
	assert_true(book.horizon.statement_ns == INT64_MAX);
	assert_true(book.horizon.request_ns == INT64_MAX);
	assert_true(book.horizon.history_ns == INT64_MAX);
	book_done(&book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statement_border), cmocka_unit_test(test_request_border),
		cmocka_unit_test(test_rising),           cmocka_unit_test(test_offset),
		cmocka_unit_test(test_ends_of_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
