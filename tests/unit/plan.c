#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "query/plan.h"

#include <stdlib.h>

#define NOW (INT64_C(1795341600) * NS_PER_SEC) /* 2026-11-22T10:00:00Z */

static struct arena arena;
static struct query query;
static struct plan plan;
static struct zone zone;

static int make(const char *text, unsigned grades, struct error *err)
{
	struct plan_options options = {INT64_MIN, INT64_MAX, grades, {&zone, NOW}};
	arena_clear(&arena);
	assert_int_equal(query_parse(str_of(text), &arena, &query, err), 0);
	return plan_make(&query, &options, &plan, err);
}

static void test_sides(void **state)
{
	/* Proves: a filter over all three sides holds exactly when the atoms of each record, put together, say so. */
	(void)state;
	struct record statement;
	struct record request;
	struct record verdict;
	record_init(&statement, RECORD_STATEMENT);
	record_init(&request, RECORD_REQUEST);
	record_init(&verdict, RECORD_VERDICT);
	statement.time_ns = NOW;
	statement.source = STR_LIT("sql01");
	record_set_text(&statement, FIELD_table, STR_LIT("dbo.Orders"));
	record_set_number(&statement, FIELD_rows, 7);
	record_set_text(&request, FIELD_user, STR_LIT("alice"));
	record_set_text(&verdict, FIELD_grade, STR_LIT("A"));
	static const struct {
		const char *filter;
		bool want;
	} cases[] = {
		{"", true},
		{"user:alice table:orders grade:A", true},
		{"user:bob", false},
		{"-user:bob rows>5", true},
		{"user:bob OR rows=7", true},
		{"source:sql01", true},
		{"leaf:5", true},
		{"leaf>5", false},
		{"time:today", true},
		{"alice", true},
		{"orders", true},
		{"mallory", false},
		{"grade:BX", false},
		{"NOT (user:alice OR rows>5)", false},
		{"route:*", false},
		{"-route:*", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(make(cases[i].filter, 0, NULL), 0);
		uint64_t bits = plan_record_atoms(&plan, SIDE_STATEMENT, &statement, 5) |
				plan_record_atoms(&plan, SIDE_REQUEST, &request, 4) |
				plan_record_atoms(&plan, SIDE_VERDICT, &verdict, 6);
		assert_int_equal(plan_holds(&plan, bits), cases[i].want);
	}
}

static void test_bounds(void **state)
{
	/* Proves: only terms that every match must fulfil narrow the time. */
	(void)state;
	const int64_t day = INT64_C(1795305600) * NS_PER_SEC;
	assert_int_equal(make("time:2026-11-22 user:x", 0, NULL), 0);
	assert_true(plan.from_ns == day && plan.to_ns == day + NS_PER_DAY);
	assert_true(plan_time(&plan, day) && !plan_time(&plan, day + NS_PER_DAY));
	assert_int_equal(make("time:2026-11-22 OR user:x", 0, NULL), 0);
	assert_true(plan.from_ns == INT64_MIN && plan.to_ns == INT64_MAX);
	assert_true(plan_time(&plan, INT64_MAX));
	assert_int_equal(make("-time:2026-11-22", 0, NULL), 0);
	assert_true(plan.from_ns == INT64_MIN);
	assert_int_equal(make("time>=2026-11-22", 0, NULL), 0);
	assert_true(plan.from_ns == day && plan.to_ns == INT64_MAX);
}

static void test_grades(void **state)
{
	/* Proves: --grade, requests without statements, and the pending grade are recognised. */
	(void)state;
	assert_int_equal(make("", 1u << GRADE_A, NULL), 0);
	assert_true(plan_grade(&plan, GRADE_A) && !plan_grade(&plan, GRADE_PENDING));
	assert_false(plan.lone_requests);
	assert_int_equal(make("grade:U", 0, NULL), 0);
	assert_true(plan.lone_requests);
	assert_int_equal(make("grade:pending", 0, NULL), 0);
	assert_true(plan_holds(&plan, plan.pending_bits));
	assert_int_equal(make("grade:A", 0, NULL), 0);
	assert_false(plan_holds(&plan, plan.pending_bits));
}

static void test_errors(void **state)
{
	/* Proves: a bad value is ERR_USAGE, and more atoms than a word has bits are ERR_LIMIT. */
	(void)state;
	struct error err;
	assert_int_equal(make("a rows>x", 0, &err), -ERR_USAGE);
	assert_non_null(strstr(err.text, "query:1:8"));
	char text[2 * QUERY_TERMS_MAX];
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = i % 2 == 0 ? 'a' : ' ';
	}
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(make(text, 0, &err), -ERR_LIMIT); /* free text has two atoms */
}

static int setup(void **state)
{
	(void)state;
	zone = zone_utc();
	arena_init(&arena, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sides),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_grades),
		cmocka_unit_test(test_errors),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
