#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "query/match.h"

#include <stdlib.h>

static struct arena arena;

/* The test of the only term of a filter. */
static int make(const char *text, struct match *out, struct error *err)
{
	static struct query query; /* borrowed by the match */
	struct zone zone = zone_utc();
	struct match_context context = {&zone, INT64_C(1795341600) * NS_PER_SEC};
	arena_clear(&arena);
	assert_int_equal(query_parse(str_of(text), &arena, &query, err), 0);
	return match_make(&query, query.root->term, &context, out, err);
}

static void test_text(void **state)
{
	/* Proves: equality and globs fold letters over the whole value; long texts are searched; table takes the last part. */
	(void)state;
	static const struct {
		const char *filter, *value;
		bool want;
	} cases[] = {
		{"user:alice", "Alice", true},
		{"user:ali", "alice", false},
		{"user:ali*", "alice", true},
		{"user:*", "", true},
		{"user:a?ice", "alice", true},
		{"statement:orders", "SELECT * FROM Orders", true},
		{"statement=orders", "SELECT * FROM Orders", false},
		{"statement:\"select * from\"", "SELECT a FROM b", true},
		{"statement:\"x * y\"", "SELECT a FROM b", false},
		{"table:orders", "dbo.Orders", true},
		{"table:dbo.orders", "dbo.Orders", true},
		{"table:ord*", "dbo.Orders", true},
		{"table:rders", "dbo.Orders", false},
		{"user<b", "alice", true},
		{"user>=b", "alice", false},
		{"user<=alice", "alice", true},
		{"user>alice", "alice", false},
		{"grade:AB", "B", true},
		{"grade:U", "U2", true},
		{"grade:U1", "U2", false},
		{"grade:x", "X", true},
		{"grade:pending", "A", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct match match;
		assert_int_equal(make(cases[i].filter, &match, NULL), 0);
		assert_int_equal(match_text(&match, str_of(cases[i].value)), cases[i].want);
	}
}

static void test_numbers(void **state)
{
	/* Proves: comparisons, units, times, booleans and globs over numbers include and exclude their borders rightly. */
	(void)state;
	const int64_t day = INT64_C(1795305600) * NS_PER_SEC; /* 2026-11-22 */
	const struct {
		const char *filter;
		int64_t value;
		bool want;
	} cases[] = {
		{"rows>10", 10, false},
		{"rows>10", 11, true},
		{"rows>=10", 10, true},
		{"rows<10", 9, true},
		{"rows<10", 10, false},
		{"rows<=10", 10, true},
		{"rows=10", 10, true},
		{"rows:10", 11, false},
		{"status:4*", 404, true},
		{"status:4*", 500, false},
		{"rows:*", 5, true},
		{"duration_ms>2s", 2000, false},
		{"duration_ms>2s", 2001, true},
		{"latency<250ms", 249, true},
		{"response_bytes>=1KiB", 1024, true},
		{"succeeded:true", 1, true},
		{"ok:no", 1, false},
		{"time:2026-11-22", day, true},
		{"time:2026-11-22", day - 1, false},
		{"time:2026-11-22", day + NS_PER_DAY, false},
		{"time>2026-11-22", day + NS_PER_DAY, true},
		{"time<2026-11-22", day, false},
		{"rows<-9223372036854775808", INT64_MIN, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct match match;
		assert_int_equal(make(cases[i].filter, &match, NULL), 0);
		assert_int_equal(match_number(&match, cases[i].value), cases[i].want);
	}
}

static void test_bad_values(void **state)
{
	/* Proves: a value that does not fit its field is told with its place and what would fit. */
	(void)state;
	static const char *const cases[][2] = {
		{"rows>many", "query:1:6: \"rows\" wants a number, not \"many\""},
		{"grade:Z", "query:1:7: \"grade\" wants grades out of A B C D U1 U2 U X pending, "
			    "as in AB, not \"Z\""},
		{"grade>A", "query:1:7: \"grade\" wants grades"},
		{"time:soon", "query:1:6: \"time\" wants a time"},
		{"ok:maybe", "query:1:4: \"succeeded\" wants true or false, not \"maybe\""},
		{"duration>long", "query:1:10: \"duration_ms\" wants milliseconds or a duration"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct match match;
		struct error err;
		assert_int_equal(make(cases[i][0], &match, &err), -ERR_USAGE);
		assert_ptr_equal(strstr(err.text, cases[i][1]), err.text);
	}
}

static void test_grades(void **state)
{
	/* Proves: names and sets of grades agree with one another. */
	(void)state;
	for (enum grade grade = GRADE_A; grade < GRADE_COUNT; grade++) {
		unsigned set;
		assert_int_equal(grade_of(str_of(grade_name(grade))), grade);
		assert_true(grade_parse_set(str_of(grade_name(grade)), &set));
		assert_int_equal(set, 1u << grade);
	}
	unsigned set;
	assert_true(grade_parse_set(STR_LIT("a,b"), &set));
	assert_int_equal(set, 1u << GRADE_A | 1u << GRADE_B);
	assert_true(grade_parse_set(STR_LIT("u2p"), &set));
	assert_int_equal(set, 1u << GRADE_U2 | 1u << GRADE_PENDING);
	assert_false(grade_parse_set(STR_LIT(""), &set));
	assert_false(grade_parse_set(STR_LIT("A3"), &set));
}

static int setup(void **state)
{
	(void)state;
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
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_grades),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
