/* Routes: an event finds every rule that could match it, and few others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/compiled.h"
#include "correlator/rules/route.h"
#include "tests/unit/matcher-fixture.h"

#define SQL_RULE(id, selection) RULE_TEXT(id, "product: mssql", "  s:\n" selection)

/* The filter of a name of statements; NULL when there is none. */
static const struct route_filter *filter_of(const struct ruleset *ruleset, const char *name)
{
	const struct route *route = &ruleset->routes[ROUTE_SQL];
	struct name_ref ref;

	assert_true(names_find(L_SQL, str_of(name), &ref));
	for (size_t i = 0; i < route->filter_count; i++) {
		struct name_ref of = ruleset->slots[route->filters[i].slot];

		if (of.kind == ref.kind && of.what == ref.what) {
			return &route->filters[i];
		}
	}
	return NULL;
}

/* The places of the rules that a list names, as digits. */
static void put_list(const struct route_filter *filter, const uint64_t *list, char out[16])
{
	size_t count = list != NULL ? filter->lists[*list].count : 0;

	for (size_t i = 0; i < count; i++) {
		out[i] = (char)('0' + filter->lists[*list].places[i]);
	}
	out[count] = '\0';
}

static void expect_text(const struct ruleset *ruleset, const char *name, const char *text,
			const char *wanted)
{
	const struct route_filter *filter = filter_of(ruleset, name);
	char found[16];

	assert_non_null(filter);
	put_list(filter, route_find_text(ruleset, filter, str_of(text)), found);
	assert_string_equal(found, wanted);
}

static void whole_texts_are_found(void **state)
{ /* proves that a whole value leads to all rules that want it, in order and once each, and no other text of its length does */
	struct bench_rules rules;

	(void)state;
	fixture_open(
		&rules,
		SQL_RULE("a", "    database: shop\n") "---\n" SQL_RULE(
			"b", "    database: [SHOP, sale, Shop]\n") "---\n" SQL_RULE("c",
										    "    server: "
										    "shop\n"));
	assert_string_equal(fixture_problem(&rules), "");
	expect_text(rules.ruleset, "database", "shop", "01");
	expect_text(rules.ruleset, "database", "sale", "1");
	expect_text(rules.ruleset, "database", "show", "");
	expect_text(rules.ruleset, "database", "shops", "");
	expect_text(rules.ruleset, "server", "shop", "2");
	assert_int_equal(rules.ruleset->routes[ROUTE_SQL].always[0], 0);
	fixture_close(&rules);
}

static void lengths_wrap(void **state)
{ /* proves that a value of 64 bytes more than a wanted one is still looked up by what it says */
	char rule[500];
	char text[120];
	struct bench_rules rules;

	(void)state;
	memset(text, 'q', sizeof(text));
	text[104] = '\0';
	assert_true(snprintf(rule, sizeof(rule), SQL_RULE("a", "    database: %s\n"), text) <
		    (int)sizeof(rule));
	fixture_open(&rules, rule);
	expect_text(rules.ruleset, "database", text, "0");
	text[40] = '\0';
	expect_text(rules.ruleset, "database", text, "");
	fixture_close(&rules);
}

static void numbers_are_found(void **state)
{ /* proves that a number leads to its rules however it is written, and that -0 is 0 */
	struct bench_rules rules;
	char found[16];

	(void)state;
	fixture_open(&rules,
		     SQL_RULE("a", "    rows: 0\n") "---\n" SQL_RULE("b", "    rows: [0, 7]\n"));
	assert_string_equal(fixture_problem(&rules), "");
	const struct route_filter *filter = filter_of(rules.ruleset, "rows");
	assert_non_null(filter);
	put_list(filter, route_find_number(filter, -0.0), found);
	assert_string_equal(found, "01");
	put_list(filter, route_find_number(filter, 7), found);
	assert_string_equal(found, "1");
	put_list(filter, route_find_number(filter, 7.5), found);
	assert_string_equal(found, "");
	fixture_close(&rules);
}

static void what_needs_nothing_is_always_looked_at(void **state)
{ /* proves that rules of comparisons, absence and negation are candidates for every event, past the 64th rule too */
	static char text[70 * 100 + 300];
	struct bench_rules rules;
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	text[0] = '\0';
	for (int i = 0; i < 70; i++) {
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len,
			       "%stitle: t\nid: r%d\nlogsource:\n  product: mssql\ndetection:\n  "
			       "s:\n    %s\n  condition: s\n",
			       i > 0 ? "---\n" : "", i, i == 40 ? "rows|lt: 13" : "database: x");
	}
	size_t len = strlen(text);
	(void)snprintf(text + len, sizeof(text) - len, "---\n%s",
		       SQL_RULE("last", "    rows|gt: 3\n"));
	fixture_open(&rules, text);
	assert_string_equal(fixture_problem(&rules), "");
	const struct route *route = &rules.ruleset->routes[ROUTE_SQL];
	assert_int_equal(route->rule_count, 71);
	assert_true(route->always[0] == UINT64_C(1) << 40);
	assert_true(route->always[1] == UINT64_C(1) << 6);
	assert_int_equal(fixture_run_record(&rules, &record), 2);
	fixture_close(&rules);
}

static void filters_miss_nothing(void **state)
{ /* proves that rules found through strings, texts, numbers and by nothing fire together on one event, each once */
	struct bench_rules rules;
	struct record record = fixture_statement("EXEC xp_cmdshell 'dir'");

	(void)state;
	fixture_open(
		&rules,
		SQL_RULE("a", "    statement|contains: xp_cmdshell\n") "---\n" SQL_RULE(
			"b",
			"    "
			"state"
			"ment|"
			"conta"
			"ins: "
			"[CMDS"
			"HELL,"
			" xp_"
			"cmd]"
			"\n") "---\n" SQL_RULE("c",
					       "    database: shop\n    rows: "
					       "12\n") "---\n" SQL_RULE("d",
									"    "
									"database"
									"|neq: "
									"other\n") "---"
										   "\n" SQL_RULE(
											   "e",
											   "    "
											   "stateme"
											   "nt|re: "
											   "'xp_"
											   "\\w+'"
											   "\n"));
	assert_string_equal(fixture_problem(&rules), "");
	assert_int_equal(fixture_run_record(&rules, &record), 5);
	record = fixture_statement("SELECT 1");
	assert_int_equal(fixture_run_record(&rules, &record), 2);
	fixture_close(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_are_found),
		cmocka_unit_test(lengths_wrap),
		cmocka_unit_test(numbers_are_found),
		cmocka_unit_test(what_needs_nothing_is_always_looked_at),
		cmocka_unit_test(filters_miss_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
