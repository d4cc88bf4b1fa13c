/* Examples of rules: which names of every log source make which part of an event, and what is no value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/matcher-fixture.h"

#define SQL   "product: mssql"
#define TRAIL "product: querytrail\n  service: trail"

/* Tries fields (YAML) on the rule of a log source and a selection. Returns 0, 1, or the failure, whose sentence is in said. */
static int try_on(const char *logsource, const char *selection, const char *fields,
		  char said[ERROR_TEXT_MAX])
{
	char rule[9000];
	struct bench_rules rules;
	struct yaml_node *root = NULL;
	struct arena arena;
	struct error err;
	bool fires = false;

	error_clear(&err);
	arena_init(&arena, 1 << 20);
	assert_int_equal(yaml_parse("f", str_of(fields), &arena, &root, &err), 0);
	assert_true(snprintf(rule, sizeof(rule),
			     "title: t\nid: r\nlogsource:\n  %s\ndetection:\n  s:\n%s  condition: "
			     "s\n",
			     logsource, selection) < (int)sizeof(rule));
	fixture_open(&rules, rule);
	assert_string_equal(fixture_problem(&rules), "");
	int result = matcher_try(rules.matcher, pack_rule(ruleset_pack(rules.ruleset), 0), root,
				 &fires, &err);
	(void)snprintf(said, ERROR_TEXT_MAX, "%s",
		       result != 0 ? err.text : ""); /* enough for every sentence */
	fixture_close(&rules);
	arena_done(&arena);
	return result != 0 ? result : fires;
}

static void every_log_source_has_its_record(void **state)
{ /* proves that a name given in an example is the name that the rule looks at, in each log source */
	static const struct {
		const char *logsource, *selection, *fields, *against;
	} cases[] = {
		{SQL, "    server: a\n", "{server: A}", "{server: b}"},
		{SQL, "    succeeded: false\n", "{succeeded: false}", "{succeeded: true}"},
		{"category: webserver", "    sc-status: 500\n", "{status: 500}", "{status: 200}"},
		{TRAIL, "    grade: U1\n", "{grade: U1}", "{grade: A}"},
		{TRAIL, "    statement|contains: x\n    route: r\n", "{statement: xy, route: r}",
		 "{statement: xy}"},
		{"product: querytrail\n  service: gap", "    gap_kind: silence\n",
		 "{gap_kind: silence}", "{gap_kind: skipped}"},
		{"product: querytrail\n  service: lifecycle", "    event: start\n",
		 "{event: start}", "{event: stop}"},
		{"product: querytrail\n  service: access", "    user: bob\n", "{user: bob}",
		 "{user: eve}"},
		{SQL, "    source: db1\n", "{source: db1}", "{source: db2}"},
		{TRAIL, "    statement_source: db1\n    request_source: gw\n",
		 "{statement_source: db1, request_source: gw}",
		 "{statement_source: gw, request_source: db1}"},
		{SQL, "    time|minute: 5\n", "{time: '2026-11-22T03:05:00Z'}",
		 "{time: '2026-11-22T03:06:00Z'}"},
		{TRAIL, "    statement_time|hour: 1\n    request_time|hour: 2\n",
		 "{statement_time: '2026-11-22T01:00:00Z', request_time: '2026-11-22T02:00:00Z'}",
		 "{statement_time: '2026-11-22T02:00:00Z', request_time: '2026-11-22T01:00:00Z'}"},
	};
	char said[ERROR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fires = try_on(cases[i].logsource, cases[i].selection, cases[i].fields, said);
		int other = try_on(cases[i].logsource, cases[i].selection, cases[i].against, said);

		if (fires != 1 || other != 0) {
			fail_msg("case %zu: %d %d %s", i, fires, other, said);
		}
	}
}

static void what_is_no_value_is_told(void **state)
{ /* proves that a wrong number, truth, time, name and shape are ERR_CONFIG with the line and the name */
	static const struct {
		const char *fields, *part;
	} cases[] = {
		{"{server: a, rows: many}", "line 1: \"many\" is no value of \"rows\""},
		{"server: a\nsucceeded: perhaps\n",
		 "line 2: \"perhaps\" is no value of \"succeeded\""},
		{"{time: soon}", "line 1: \"soon\" is no value of \"time\""},
		{"server: a\n\ndatabse: b\n", "line 3: "},
		{"{databse: b}", "did you mean \"database\"?"},
		{"{zzzzzzzzzzzzzzzzzz: b}", "no field \"zzzzzzzzzzzzzzzzzz\""},
		{"{server: {a: b}}", "\"server\" is a text or a list of texts"},
	};
	char said[ERROR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(try_on(SQL, "    server: a\n", cases[i].fields, said),
				 -ERR_CONFIG);
		if (strstr(said, cases[i].part) == NULL) {
			fail_msg("\"%s\" does not hold \"%s\"", said, cases[i].part);
		}
	}
}

static void null_is_absent(void **state)
{ /* proves that a field given as null is not there, while an empty one is */
	char said[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(try_on(SQL, "    server|exists: true\n", "{server: ~}", said), 0);
	assert_int_equal(try_on(SQL, "    server|exists: true\n", "{server: ''}", said), 1);
	assert_int_equal(try_on(SQL, "    server|exists: false\n", "{}", said), 1);
}

static void lists_are_several_values(void **state)
{ /* proves that each text of a list counts, an empty list as none */
	char said[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(try_on(SQL, "    tables: dbo.B\n", "{tables: [dbo.A, dbo.B]}", said), 1);
	assert_int_equal(try_on(SQL, "    tables: dbo.C\n", "{tables: [dbo.A, dbo.B]}", said), 0);
	assert_int_equal(try_on(SQL, "    tables|exists: false\n",
				"{statement: SELECT * FROM dbo.A, tables: []}", said),
			 1);
	assert_int_equal(try_on(SQL, "    server: b\n", "{server: [a, b]}", said), 1);
}

static void keywords_see_what_is_given(void **state)
{ /* proves that keywords look at every text of an example, the names that stand instead of what would be made too */
	char said[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(try_on(SQL, "    - needle\n", "{server: a needle}", said), 1);
	assert_int_equal(try_on(SQL, "    - needle\n", "{tables: [a, needle]}", said), 1);
	assert_int_equal(try_on(SQL, "    - needle\n", "{tables: [a, b]}", said), 0);
}

static void a_matcher_goes_on(void **state)
{ /* proves that what was given to one example is not there for the next one, nor after a wrong one */
	struct bench_rules rules;
	struct yaml_node *root[3];
	struct arena arena;
	struct error err;
	bool fires = false;
	static const char *const given[] = {"{tables: [dbo.A]}", "{tables: [dbo.A], rows: many}",
					    "{statement: SELECT 1}"};
	static const int wanted[] = {0, -ERR_CONFIG, 0};
	static const bool fired[] = {true, true, false};

	(void)state;
	error_clear(&err);
	arena_init(&arena, 1 << 20);
	fixture_open(&rules, RULE_TEXT("r", SQL, "  s:\n    tables: dbo.A\n"));
	const struct rule *rule = pack_rule(ruleset_pack(rules.ruleset), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(yaml_parse("f", str_of(given[i]), &arena, &root[i], &err), 0);
		assert_int_equal(matcher_try(rules.matcher, rule, root[i], &fires, &err),
				 wanted[i]);
		assert_true(fires == fired[i]); /* untouched by a failure */
	}
	struct record record = fixture_statement("SELECT 1");
	assert_int_equal(fixture_run_record(&rules, &record), 0);
	fixture_close(&rules);
	arena_done(&arena);
}

static void refused_rule_is_told(void **state)
{ /* proves that a rule which could not be compiled cannot be tried: ERR_CONFIG */
	struct bench_rules rules;
	struct rule stranger = {.id = STR_LIT("stranger")};
	struct yaml_node nothing = {.type = YAML_MAPPING};
	struct error err;
	bool fires = false;

	(void)state;
	fixture_open(&rules, RULE_TEXT("r", SQL, "  s:\n    server: a\n"));
	assert_int_equal(matcher_try(rules.matcher, &stranger, &nothing, &fires, &err),
			 -ERR_CONFIG);
	assert_non_null(strstr(err.text, "\"stranger\""));
	fixture_close(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_log_source_has_its_record),
		cmocka_unit_test(what_is_no_value_is_told),
		cmocka_unit_test(null_is_absent),
		cmocka_unit_test(lists_are_several_values),
		cmocka_unit_test(keywords_see_what_is_given),
		cmocka_unit_test(a_matcher_goes_on),
		cmocka_unit_test(refused_rule_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
