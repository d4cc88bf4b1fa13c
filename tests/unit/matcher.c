/* The matcher: meanings of tests, what it says of a match, examples, limits and figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/matcher-fixture.h"

/* What one selection says of a statement: "-" when it does not fire, else the line. */
static void expect(const struct record *record, const char *selection, const char *wanted)
{
	char text[2048];
	struct bench_rules rules;

	(void)snprintf(text, sizeof(text),
		       "title: t\nid: r\nlogsource:\n  product: mssql\ndetection:\n  s:\n%s  "
		       "condition: s\n",
		       selection);
	fixture_open(&rules, text);
	assert_string_equal(fixture_problem(&rules), "");
	(void)fixture_run_record(&rules, record);
	assert_string_equal(rules.fired != 0 ? rules.matched + 2 : "-", wanted);
	fixture_close(&rules);
}

static void absent_empty_and_present_differ(void **state)
{ /* proves null, '' and exists on a field that is absent, empty and filled */
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	expect(&record, "    object: null\n", "object: absent");
	expect(&record, "    object: ''\n", "-");
	expect(&record, "    object|exists: false\n", "object: absent");
	expect(&record, "    object|exists: true\n", "-");
	expect(&record, "    object|neq: x\n", "object: none of the excluded values");
	expect(&record, "    object: '*'\n", "-");
	record_set_text(&record, FIELD_object, STR_LIT(""));
	expect(&record, "    object: null\n", "object: ");
	expect(&record, "    object: ''\n", "object: ");
	expect(&record, "    object|exists: true\n", "object: ");
	expect(&record, "    object: '*'\n", "object: ");
	record_set_text(&record, FIELD_object, STR_LIT("x"));
	expect(&record, "    object: null\n", "-");
	expect(&record, "    object|exists: true\n", "object: x");
	expect(&record, "    object|neq: X\n", "-");
}

static void tests_of_all_kinds(void **state)
{ /* proves one test of each operation, and letters that count only when they are told to */
	struct record record = fixture_statement("select Ünion 10");

	(void)state;
	expect(&record, "    principal: app_orders\n", "principal: App_Orders");
	expect(&record, "    principal|cased: app_orders\n", "-");
	expect(&record, "    principal|cased|contains: _Ord\n", "principal: App_Orders");
	expect(&record, "    statement|contains: üNION\n", "statement: select Ünion 10");
	expect(&record, "    statement: 'SELECT ?nion 1?'\n", "statement: select Ünion 10");
	expect(&record, "    statement|re: '\\d{2}$'\n", "statement: select Ünion 10");
	expect(&record, "    client_ip|cidr: 10.0.0.0/16\n", "client_ip: 10.0.3.17");
	expect(&record, "    rows|gte: 12\n    rows|lt: 13\n", "rows: 12");
	expect(&record, "    rows: 12\n", "rows: 12");
	expect(&record, "    rows|gt: 12\n", "-");
	expect(&record, "    succeeded: true\n", "succeeded: true");
	expect(&record, "    time|hour: 14\n    time|month: 9\n",
	       "time: 2026-09-21T14:13:20.000000000Z");
	expect(&record, "    db_user|fieldref: principal\n", "-");
	record_set_text(&record, FIELD_db_user, STR_LIT("APP_"));
	expect(&record, "    principal|fieldref|startswith: db_user\n", "principal: App_Orders");
	expect(&record, "    principal|contains|all: [app, orders]\n", "principal: App_Orders");
	expect(&record, "    principal|contains|all: [app, sales]\n", "-");
	record_set_text(&record, FIELD_host, STR_LIT("xxc2VjcmV0yy"));
	expect(&record, "    host|base64offset|contains|all: [secret]\n", "host: xxc2VjcmV0yy");
}

static void lines_are_safe_and_short(void **state)
{ /* proves that a long value is cut around what matched and that no byte of it can end the line or move a cursor */
	char text[4096];
	struct record record;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 2000, "xp_cmdshell", 11);
	text[sizeof(text) - 1] = '\0';
	record = fixture_statement(text);
	expect(&record, "    statement|contains: XP_CMDSHELL\n",
	       "statement: "
	       "..aaaaaaaaaaaaaaaaaaaaaaaaxp_cmdshellaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	       ".");
	record = fixture_statement("a\nb\x1b[2J\xff\xE2\x80\xAE");
	expect(&record, "    statement|startswith: a\n",
	       "statement: a\\nb\\u{1b}[2J\\xff\\u{202e}");
}

static void keywords_look_everywhere(void **state)
{ /* proves that keywords find any text of the event, the one without comments too */
	struct bench_rules rules;
	struct record record = fixture_statement("DROP/**/TABLE x");

	(void)state;
	fixture_open(&rules,
		     "title: t\nid: r\nlogsource:\n  category: database\ndetection:\n  k:\n    - "
		     "drop table\n"
		     "    - app_ord\n  j:\n    '|all': [drop, 10.0.3]\n  condition: all of them\n");
	assert_string_equal(fixture_problem(&rules), "");
	assert_int_equal(fixture_run_record(&rules, &record), 1);
	record_set_text(&record, FIELD_client_ip, STR_LIT("10.1.3.17"));
	assert_int_equal(fixture_run_record(&rules, &record), 0);
	fixture_close(&rules);
}

static void hits_come_in_order_and_can_be_stopped(void **state)
{ /* proves that rules fire in the order of the pack, and that the callback's result ends the run */
	struct bench_rules rules;
	struct record record = fixture_statement("SELECT 1");
	struct rules_event event = {.stage = RULES_STAGE_RECORD, .statement = &record};
	struct matcher_run run;
	struct error err;

	(void)state;
	fixture_open(
		&rules,
		RULE_TEXT("b", "product: mssql", "  s:\n    database: shop\n") "---\n" RULE_TEXT(
			"a", "product: mssql", "  s:\n    rows|gt: 1\n"));
	assert_int_equal(fixture_run_record(&rules, &record), 2);
	assert_string_equal(rules.matched, "b=database: Shop|a=rows: 12");
	run = (struct matcher_run){fixture_stop, &rules};
	rules.fired = 0;
	assert_int_equal(matcher_run(rules.matcher, &event, &run, &err), -ERR_IO);
	assert_int_equal(rules.fired, 1);
	assert_int_equal(matcher_figures(rules.matcher).events, 2);
	assert_int_equal(matcher_figures(rules.matcher).fired, 3);
	fixture_close(&rules);
}

static void limits_are_counted(void **state)
{ /* proves that an expression that explodes on a statement of 1 MB ends soon, counts, and fires not */
	static char text[1 << 20];
	struct bench_rules rules;
	struct record record;
	int64_t start = clock_monotonic_ns();

	(void)state;
	memset(text, 'a', sizeof(text) - 2);
	text[sizeof(text) - 2] = 'b';
	record = fixture_statement(text);
	fixture_open(&rules,
		     RULE_TEXT("r", "product: mssql", "  s:\n    statement|re: '(a+)+$'\n"));
	assert_int_equal(fixture_run_record(&rules, &record), 0);
	assert_int_equal(matcher_figures(rules.matcher).regex_limits, 1);
	assert_true(clock_monotonic_ns() - start < 5 * NS_PER_SEC);
	fixture_close(&rules);
}

/* Whether the first rule fires on fields, which are YAML; -1 when they are refused. */
static int attempt(const char *rule, const char *fields)
{
	struct bench_rules rules;
	struct yaml_node *root = NULL;
	struct arena arena;
	struct error err;
	bool fires = false;
	int result;

	error_clear(&err);
	arena_init(&arena, 1 << 20);
	assert_int_equal(yaml_parse("f", str_of(fields), &arena, &root, &err), 0);
	fixture_open(&rules, rule);
	assert_string_equal(fixture_problem(&rules), "");
	result = matcher_try(rules.matcher, pack_rule(ruleset_pack(rules.ruleset), 0), root, &fires,
			     &err);
	fixture_close(&rules);
	arena_done(&arena);
	if (result != 0) {
		assert_int_equal(result, -ERR_CONFIG);
		return -1;
	}
	return fires;
}

static void examples_are_tried(void **state)
{ /* proves that fields make events with all that is made of them, that given values stand first, and that wrong ones are told */
	const char *sql = RULE_TEXT(
		"r", "product: mssql",
		"  s:\n    flags: delete_without_where\n    rows|gt: 3\n    user: null\n");
	const char *trail = RULE_TEXT(
		"t", "product: querytrail\n  service: trail",
		"  s:\n    user: bob\n    grade: X\n    verb: DELETE\n    time|hour: 3\n");
	const char *web = RULE_TEXT("w", "category: webserver",
				    "  s:\n    cs-uri-query|contains: union\n    sc-status: 404\n");
	const char *words = RULE_TEXT("k", "product: mssql", "  s:\n    - needle\n");

	(void)state;
	assert_int_equal(attempt(sql, "{statement: DELETE FROM t, rows: 4}"), 1);
	assert_int_equal(attempt(sql, "{statement: DELETE FROM t, rows: 4, user: ~}"), 1);
	assert_int_equal(attempt(sql, "{statement: DELETE FROM t, rows: 4, user: bob}"), 0);
	assert_int_equal(
		attempt(sql, "{statement: SELECT 1, flags: [x, delete_without_where], rows: 4}"),
		1);
	assert_int_equal(attempt(sql, "{statement: SELECT 1, rows: 4}"), 0);
	assert_int_equal(attempt(sql, "{statement: SELECT 1, rows: many}"), -1);
	assert_int_equal(attempt(sql, "{statment: SELECT 1}"), -1);
	assert_int_equal(attempt(sql, "{statement: {a: b}}"), -1);
	assert_int_equal(
		attempt(trail, "{user: bob, grade: X, verb: DELETE, time: '2026-11-22T03:00:00Z'}"),
		1);
	assert_int_equal(attempt(trail, "{user: bob, grade: X, verb: DELETE}"), 0);
	assert_int_equal(attempt(trail, "{user: bob, grade: X, verb: DELETE, time: now}"), -1);
	assert_int_equal(attempt(web, "{path: '/a?x=UNION', status: 404}"), 1);
	assert_int_equal(attempt(web, "{cs-uri-query: a union b, sc-status: 404}"), 1);
	assert_int_equal(attempt(words, "{procedures: [a, 'the needle'], statement: x}"), 1);
	assert_int_equal(attempt(words, "{statement: a NEEDLE b}"), 1);
	assert_int_equal(attempt(words, "{statement: hay}"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_empty_and_present_differ),
		cmocka_unit_test(tests_of_all_kinds),
		cmocka_unit_test(lines_are_safe_and_short),
		cmocka_unit_test(keywords_look_everywhere),
		cmocka_unit_test(hits_come_in_order_and_can_be_stopped),
		cmocka_unit_test(limits_are_counted),
		cmocka_unit_test(examples_are_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
