/* What conditions and tests mean, one at a time and together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/matcher-fixture.h"

/* Whether a detection fires on a record. */
static bool fires(const struct record *record, const char *detection)
{
	char text[2000];
	struct bench_rules rules;

	assert_true(snprintf(text, sizeof(text),
			     "title: t\nid: r\nlogsource:\n  product: mssql\ndetection:\n%s",
			     detection) < (int)sizeof(text));
	fixture_open(&rules, text);
	assert_string_equal(fixture_problem(&rules), "");
	bool result = fixture_run_record(&rules, record) != 0;
	fixture_close(&rules);
	return result;
}

struct expectation {
	const char *selection; /* lines of one selection */
	bool fires;
};

static void expect_all(const struct record *record, const struct expectation *cases, size_t count)
{
	char detection[1000];

	for (size_t i = 0; i < count; i++) {
		assert_true(snprintf(detection, sizeof(detection), "  s:\n%s  condition: s\n",
				     cases[i].selection) < (int)sizeof(detection));
		if (fires(record, detection) != cases[i].fires) {
			fail_msg("%s should %s", cases[i].selection,
				 cases[i].fires ? "fire" : "not fire");
		}
	}
}

#define EXPECT_ALL(record, cases) expect_all((record), (cases), sizeof(cases) / sizeof((cases)[0]))

static void numbers_at_their_edges(void **state)
{ /* proves each comparison just below, at and just above its number, and that a text which is no number fits none */
	static const struct expectation cases[] = {
		{"    rows|lt: 12\n", false},    {"    rows|lt: 12.5\n", true},
		{"    rows|lte: 12\n", true},    {"    rows|lte: 11.5\n", false},
		{"    rows|gt: 12\n", false},    {"    rows|gt: 11.5\n", true},
		{"    rows|gte: 12\n", true},    {"    rows|gte: 12.5\n", false},
		{"    rows: 12\n", true},        {"    rows: 12.5\n", false},
		{"    database|lt: 5\n", false}, {"    database|gte: 0\n", false},
		{"    object|lt: 5\n", false},
	};
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	EXPECT_ALL(&record, cases);
}

static void parts_of_times(void **state)
{ /* proves each part of a time, compared as a number: 2026-09-21T14:13:20Z, a Monday of week 39 */
	static const struct expectation cases[] = {
		{"    time|minute: 13\n", true},    {"    time|minute: 14\n", false},
		{"    time|hour: 14\n", true},      {"    time|hour|gte: 15\n", false},
		{"    time|day: 21\n", true},       {"    time|day: 20\n", false},
		{"    time|week: 39\n", true},      {"    time|week: 38\n", false},
		{"    time|month: 9\n", true},      {"    time|month: 8\n", false},
		{"    time|year: 2026\n", true},    {"    time|year: 2025\n", false},
		{"    database|hour: 14\n", false},
	};
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	EXPECT_ALL(&record, cases);
}

static void references_fit_where_they_say(void **state)
{ /* proves equal, begins, ends and holds against another field, letters folded or not, and none against an absent one */
	static const struct expectation cases[] = {
		{"    db_user|fieldref: host\n", false},
		{"    db_user|fieldref|startswith: host\n", true},
		{"    db_user|fieldref|endswith: host\n", false},
		{"    db_user|fieldref|endswith: application\n", true},
		{"    db_user|fieldref|startswith: application\n", false},
		{"    db_user|fieldref|contains: server\n", true},
		{"    db_user|fieldref|contains: database\n", false},
		{"    principal|fieldref: db_user\n", true},
		{"    principal|cased|fieldref: db_user\n", false},
		{"    db_user|fieldref: object\n", false},
		{"    object|fieldref: db_user\n", false},
	};
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	record_set_text(&record, FIELD_db_user, STR_LIT("APP_ORDERS"));
	record_set_text(&record, FIELD_host, STR_LIT("app"));
	record_set_text(&record, FIELD_application, STR_LIT("orders"));
	record_set_text(&record, FIELD_server, STR_LIT("P_o"));
	EXPECT_ALL(&record, cases);
}

static void all_any_and_none(void **state)
{ /* proves lists: one is enough, with all each is needed, with neq none may be there */
	static const struct expectation cases[] = {
		{"    principal|contains: [app, sales]\n", true},
		{"    principal|contains: [web, sales]\n", false},
		{"    principal|contains|all: [app, orders]\n", true},
		{"    principal|contains|all: [app, sales]\n", false},
		{"    principal|contains|all: [sales, app]\n", false},
		{"    principal|neq: [x, y]\n", true},
		{"    principal|neq: [x, app_orders]\n", false},
		{"    principal|neq: [app_orders, x]\n", false},
		{"    object|neq: x\n", true},
		{"    principal|contains|all|neq: [app, sales]\n", false},
		{"    principal|contains|all|neq: [web, sales]\n", true},
		{"    host|base64offset|contains|all: [secret, needle]\n", false},
		{"    host|base64offset|contains|all: [secret]\n", true},
		{"    host|base64offset|contains: [needle, secret]\n", true},
	};
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	record_set_text(&record, FIELD_host, STR_LIT("xxc2VjcmV0yy")); /* "secret" in base64 */
	EXPECT_ALL(&record, cases);
}

static void and_or_not(void **state)
{ /* proves conditions by their truth table, with two selections that hold and two that do not */
	static const struct {
		const char *condition;
		bool fires;
	} cases[] = {
		{"y1 and y2", true},
		{"y1 and n1", false},
		{"n1 and y1", false},
		{"n1 and n2", false},
		{"y1 or n1", true},
		{"n1 or y1", true},
		{"n1 or n2", false},
		{"not n1", true},
		{"not y1", false},
		{"not (n1 or n2)", true},
		{"not (n1 or y1)", false},
		{"not (y1 and n1)", true},
		{"not (y1 and y2)", false},
		{"not not y1", true},
		{"y1 and not n1", true},
		{"(n1 or y1) and (n2 or not y2)", false},
		{"(n1 or y1) and (n2 or not n1)", true},
		{"1 of y*", true},
		{"all of y*", true},
		{"1 of n*", false},
		{"all of them", false},
	};
	struct record record = fixture_statement("SELECT 1");
	char detection[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(
			detection, sizeof(detection),
			"  y1:\n    database: shop\n  y2:\n    rows: 12\n  n1:\n    database: "
			"sales\n  n2:\n    rows: 13\n  condition: %s\n",
			cases[i].condition);
		if (fires(&record, detection) != cases[i].fires) {
			fail_msg("%s", cases[i].condition);
		}
	}
}

/* Rules that share the test `database: shop`. */
#define SHARED(id, more, condition)                                                            \
	"title: t\nid: " id "\nlogsource:\n  product: mssql\ndetection:\n  s:\n    database: " \
	"shop\n" more "  condition: " condition "\n"

static const char shared[] = SHARED("a", "    rows|gt: 1\n", "s") "---\n" SHARED(
	"b", "    rows|gt: 1\n",
	"s") "---\n" SHARED("c", "    rows|gt: 1\n",
			    "not s") "---\n" SHARED("e", "    rows|lt: 99\n",
						    "not s") "---\n" RULE_TEXT("d",
									       "product: mssql",
									       "  s:\n    "
									       "database|neq: "
									       "shop\n");

static void each_event_is_looked_at_anew(void **state)
{ /* proves that tests which many rules share hold for each of them, and that nothing of one event is believed of the next */
	struct bench_rules rules;
	struct record shop = fixture_statement("SELECT 1");
	struct record sales = fixture_statement("SELECT 1");

	(void)state;
	record_set_text(&sales, FIELD_database, STR_LIT("Sales"));
	fixture_open(&rules, shared);
	assert_string_equal(fixture_problem(&rules), "");
	for (int round = 0; round < 3; round++) {
		assert_int_equal(fixture_run_record(&rules, &shop), 2);
		assert_non_null(strstr(rules.matched, "a="));
		assert_non_null(strstr(rules.matched, "b="));
		assert_int_equal(fixture_run_record(&rules, &sales), 3);
		assert_non_null(strstr(rules.matched, "c="));
		assert_non_null(strstr(rules.matched, "d="));
		assert_non_null(strstr(rules.matched, "e="));
	}
	fixture_close(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_at_their_edges),
		cmocka_unit_test(parts_of_times),
		cmocka_unit_test(references_fit_where_they_say),
		cmocka_unit_test(all_any_and_none),
		cmocka_unit_test(and_or_not),
		cmocka_unit_test(each_event_is_looked_at_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
