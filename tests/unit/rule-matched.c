/* The line that says which tests of a rule matched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/matcher-fixture.h"

/* What a detection says of a statement: "-" when it does not fire, else the line. */
static void expect(const struct record *record, const char *detection, const char *wanted)
{
	char text[4096];
	struct bench_rules rules;

	assert_true(snprintf(text, sizeof(text),
			     "title: t\nid: r\nlogsource:\n  product: mssql\ndetection:\n%s",
			     detection) < (int)sizeof(text));
	fixture_open(&rules, text);
	assert_string_equal(fixture_problem(&rules), "");
	(void)fixture_run_record(&rules, record); /* what fired stands in matched */
	assert_string_equal(rules.fired != 0 ? rules.matched + 2 : "-", wanted);
	fixture_close(&rules);
}

static void every_field_is_told(void **state)
{ /* proves that a field whose name and value end another field's are told beside it */
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	record_set_text(&record, FIELD_session_principal, STR_LIT("App_Orders"));
	record_set_text(&record, FIELD_db_user, STR_LIT("App_Orders"));
	expect(&record, "  s:\n    session_principal: app*\n    principal: app*\n  condition: s\n",
	       "session_principal: App_Orders; principal: App_Orders");
	expect(&record, "  s:\n    principal: app*\n    session_principal: app*\n  condition: s\n",
	       "principal: App_Orders; session_principal: App_Orders");
	record_set_text(&record, FIELD_host, STR_LIT("db; rows: 12"));
	expect(&record, "  s:\n    host: db*\n    rows: 12\n  condition: s\n",
	       "host: db; rows: 12; rows: 12");
}

static void what_begins_another_is_told(void **state)
{ /* proves that a test whose words begin those of another one is told too */
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	record_set_text(&record, FIELD_host, STR_LIT("application: a"));
	record_set_text(&record, FIELD_application, STR_LIT("a"));
	expect(&record, "  s:\n    host: '*'\n    application: a\n  condition: s\n",
	       "host: application: a; application: a");
}

static void the_same_is_told_once(void **state)
{ /* proves that two tests which found the same value are one part of the line, whatever stands around them */
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	expect(&record,
	       "  a:\n    rows|gt: 1\n    database: shop\n  b:\n    rows|lt: 100\n  condition: a "
	       "and b\n",
	       "rows: 12; database: Shop");
	expect(&record,
	       "  a:\n    database: shop\n    rows|gt: 1\n  b:\n    rows|lt: 100\n  condition: a "
	       "and b\n",
	       "rows: 12; database: Shop");
	expect(&record, "  a:\n    rows|gt: 1\n  b:\n    rows|lt: 100\n  condition: a and b\n",
	       "rows: 12");
}

static void only_what_did_it_is_told(void **state)
{ /* proves that of alternatives those that hold are told, and of a negation nothing while there is something else */
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	expect(&record,
	       "  a:\n    database: sales\n  b:\n    rows: 12\n  c:\n    client_ip: 10.0.3.17\n"
	       "  condition: a or b or c\n",
	       "client_ip: 10.0.3.17; rows: 12");
	expect(&record,
	       "  a:\n    database: shop\n    rows: 99\n  b:\n    client_ip: 10.0.3.17\n"
	       "  condition: a or b\n",
	       "client_ip: 10.0.3.17");
	expect(&record, "  a:\n    rows: 12\n  b:\n    database: sales\n  condition: a and not b\n",
	       "rows: 12");
	expect(&record, "  b:\n    database: sales\n    host: x\n  condition: not b\n",
	       "database: none of the excluded values; host: none of the excluded values");
	expect(&record,
	       "  b:\n    database: sales\n  c:\n    database: other\n  condition: not b and not "
	       "c\n",
	       "database: none of the excluded values");
	expect(&record, "  b:\n    database|neq: sales\n  condition: b\n",
	       "database: none of the excluded values");
}

static void keywords_are_text(void **state)
{ /* proves that what a keyword found is shown as text, around the place */
	struct record record = fixture_statement("SELECT needle FROM t");

	(void)state;
	expect(&record, "  k:\n    - needle\n  condition: k\n", "text: SELECT needle FROM t");
}

static void cuts_are_whole_characters(void **state)
{ /* proves that a long value is cut between characters, at the end as well as around what matched in the middle or at the end */
	char text[400];
	struct record record;

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		size_t len = 0;
		struct bench_rules rules;

		for (size_t i = 0; i < shift; i++) {
			text[len++] = 'x';
		}
		for (size_t i = 0; i < 40; i++) {
			memcpy(text + len, "\xE2\x82\xAC", 3);
			len += 3;
		}
		memcpy(text + len, &"yyyneedle"[3 - shift], 6 + shift);
		len += 6 + shift;
		for (size_t i = 0; i < 40; i++) {
			memcpy(text + len, "\xE2\x82\xAC", 3);
			len += 3;
		}
		text[len] = '\0';
		record = fixture_statement(text);
		fixture_open(&rules, RULE_TEXT("r", "product: mssql",
					       "  s:\n    statement|contains: NEEDLE\n"));
		assert_int_equal(fixture_run_record(&rules, &record), 1);
		assert_non_null(strstr(rules.matched, "needle"));
		assert_null(strstr(rules.matched, "\\x"));
		assert_non_null(strstr(rules.matched, "r=statement: ..\xE2\x82\xAC"));
		size_t said = strlen(rules.matched);
		assert_string_equal(rules.matched + said - 5, "\xE2\x82\xAC..");
		assert_in_range(said, 80, 110);
		fixture_close(&rules);
	}
}

static void lines_are_bounded(void **state)
{ /* proves that long values end the line before all tests are told */
	struct buf detection;
	char value[100];
	static const char *const fields[] = {"server", "database", "schema", "object",
					     "table",  "action",   "class",  "host"};
	struct bench_rules rules;
	struct record record = fixture_statement("SELECT 1");
	char rule[6000];

	(void)state;
	buf_init(&detection, 4000);
	buf_put_text(&detection, "  s:\n");
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (size_t i = 0; i < 8; i++) {
		record_set_text(&record, field_by_name(str_of(fields[i])), str_of(value));
		buf_put_text(&detection, "    ");
		buf_put_text(&detection, fields[i]);
		buf_put_text(&detection, ": v*\n");
	}
	(void)snprintf(rule, sizeof(rule),
		       "title: t\nid: r\nlogsource:\n  product: mssql\ndetection:\n%s  condition: "
		       "s\n",
		       detection.ptr);
	buf_done(&detection);
	fixture_open(&rules, rule);
	assert_string_equal(fixture_problem(&rules), "");
	assert_int_equal(fixture_run_record(&rules, &record), 1);
	assert_in_range(strlen(rules.matched), 400, 600);
	fixture_close(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_told),
		cmocka_unit_test(what_begins_another_is_told),
		cmocka_unit_test(the_same_is_told_once),
		cmocka_unit_test(only_what_did_it_is_told),
		cmocka_unit_test(keywords_are_text),
		cmocka_unit_test(cuts_are_whole_characters),
		cmocka_unit_test(lines_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
