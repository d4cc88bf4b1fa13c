#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/report.h"

#include <stdio.h>
#include <stdlib.h>

static const struct bad {
	const char *yaml;
	const char *says; /* begins with the place */
} bad[] = {
	{"", "d.yaml:1:1: a report wants keys with values"},
	{"- a\n", "d.yaml:1:1: a report wants keys with values"},
	{"title: T\n", "the key \"purpose\" is missing or empty"},
	{"title: T\npurpose: P\n", "a report has either sections or parts"},
	{"titel: T\n", "d.yaml:1:1: a report has no key \"titel\"; did you mean \"title\"?"},
	{"title: [a]\npurpose: P\n", "d.yaml:1:8: title wants a text"},
	{"title: T\ntitle: U\n", "d.yaml:2:1"},
	{"title: &a T\npurpose: *a\n", "anchors"},
	{"title: T\npurpose: P\nfacts: [rage]\nparts: [a]\n",
	 "d.yaml:3:9: unknown fact \"rage\"; did you mean \"range\"?"},
	{"title: T\npurpose: P\nclauses: [{framework: F, clause: C}]\nparts: [a]\n",
	 "the key \"text\" is missing"},
	{"title: T\npurpose: P\nclauses: {a: b}\nparts: [a]\n",
	 "d.yaml:3:10: clauses wants a list"},
	{"title: T\npurpose: P\nparts: [../x]\n",
	 "d.yaml:3:9: \"../x\" cannot be the name of a report"},
	{"title: T\npurpose: P\nparts: [a, a]\n", "d.yaml:3:12: the part \"a\" stands twice"},
	{"title: T\npurpose: P\nparts: [a]\ncrosswalk: {title: t, rows: [{framework: F, clause: C, "
	 "text: t, answers: [b/x]}]}\n",
	 "unknown part \"b\""},
	{"title: T\npurpose: P\ncrosswalk: {title: t, rows: []}\n", "a crosswalk needs parts"},
};

/* Those of one section, which stands behind a fixed head: its first line is line 4. */
static const struct bad bad_sections[] = {
	{"{name: a}", "the key \"title\" is missing"},
	{"{name: A b, title: t}", "d.yaml:4:10: a name has 1 to 48 of a-z, 0-9 and -"},
	{"{name: a, title: t}", "the key \"columns\" is missing"},
	{"{name: a, title: t, colums: [time]}", "did you mean \"columns\"?"},
	{"{name: a, title: t, from: trials, columns: [time]}",
	 "unknown dataset \"trials\"; did you mean \"trails\"?"},
	{"{name: a, title: t, columns: [usr]}", "unknown field \"usr\"; did you mean \"user\"?"},
	{"{name: a, title: t, columns: [{name: 'user '}]}", "unknown field \"user \""},
	{"{name: a, title: t, columns: [user, user]}", "the column \"user\" stands twice"},
	{"{name: a, title: t, filter: 'rout:x', columns: [time]}",
	 "filter: query:1:1: unknown field \"rout\"; did you mean \"route\"?"},
	{"{name: a, title: t, filter: '(a', columns: [time]}", "d.yaml:4:31: filter: query:1:"},
	{"{name: a, title: t, from: gaps, filter: a, columns: [time]}",
	 "d.yaml:4:35: the dataset gaps takes no filter"},
	{"{name: a, title: t, only: {user: a}, columns: [time]}",
	 "the dataset trails has a filter instead of only"},
	{"{name: a, title: t, from: gaps, only: {gap_knd: a}, columns: [time]}",
	 "unknown field \"gap_knd\"; did you mean \"gap_kind\"?"},
	{"{name: a, title: t, from: gaps, only: {gap_kind: {}}, columns: [time]}",
	 "gap_kind wants a list"},
	{"{name: a, title: t, group: nobody, columns: [count]}", "unknown field \"nobody\""},
	{"{name: a, title: t, group: [user, verb, table, route, path], columns: [count]}",
	 "group has more than 4 items"},
	{"{name: a, title: t, group: user, columns: [verb]}",
	 "\"verb\" is neither a field of group nor a figure; figures are count"},
	{"{name: a, title: t, group: user, columns: [sum_verb]}", "\"verb\" is no number"},
	{"{name: a, title: t, group: user, columns: [sum_time]}", "\"time\" is no number"},
	{"{name: a, title: t, group: user, columns: [distinct_x]}",
	 "the dataset trails has no field \"x\""},
	{"{name: a, title: t, from: gaps, group: source, columns: [failed]}",
	 "the dataset gaps cannot give this figure"},
	{"{name: a, title: t, from: sources, group: type, columns: [first_seen]}",
	 "the dataset sources cannot give this figure"},
	{"{name: a, title: t, order: user, columns: [user]}",
	 "rows that are not grouped have the order time or -time"},
	{"{name: a, title: t, group: user, order: -coun, columns: [user, count]}",
	 "unknown column \"coun\"; did you mean \"count\"?"},
	{"{name: a, title: t, first: 0, columns: [user]}", "first wants a number from 1 to"},
	{"{name: a, title: t, first: 1e9, columns: [user]}", "first wants a number from 1 to"},
	{"{name: a, title: t, columns: [{name: user, width: 21}]}",
	 "width wants a number from 1 to 20"},
	{"{name: a, title: t, columns: [{name: user, form: tetx}]}",
	 "unknown form \"tetx\"; did you mean \"text\"?"},
	{"{name: a, title: t, columns: [{name: user, form: number}]}",
	 "\"user\" cannot be shown as number"},
	{"{name: a, title: t, columns: [{titel: x}]}", "a column has no key \"titel\""},
	{"{name: a, title: t, columns: [[a]]}", "a column wants keys with values"},
	{"{name: a, title: t, columns: [time], charts: [{title: x}]}", "a chart wants kind"},
	{"{name: a, title: t, columns: [time], charts: [{kind: pie, title: x}]}",
	 "unknown kind of chart \"pie\""},
	{"{name: a, title: t, columns: [time], charts: [{kind: timeline, title: x, by: user}]}",
	 "a timeline has by: hour, day or month"},
	{"{name: a, title: t, columns: [time], charts: [{kind: bars, title: x, by: usr}]}",
	 "unknown field \"usr\""},
	{"{name: a, title: t, columns: [time], charts: [{kind: bars, title: x, by: user, risk: "
	 "x}]}",
	 "unknown risk \"x\"; there are failed, unmatched, conflicts"},
	{"{name: a, title: t, from: sources, columns: [source], charts: [{kind: timeline, title: "
	 "x}]}",
	 "unknown field \"day\""},
};

static void expect(const char *yaml, const char *says)
{
	struct error err;
	struct definition *definition = calloc(1, sizeof(*definition));
	struct definition_input input = {"d.yaml", STR_LIT("d"), str_of(yaml)};
	assert_non_null(definition);
	error_clear(&err);
	int result = definition_parse(&input, definition, &err);
	if (result != -ERR_CONFIG || strstr(err.text, says) == NULL ||
	    strncmp(err.text, "d.yaml:", 7) != 0) {
		print_error("%s\nsays %d \"%s\"\nnot  \"%s\"\n", yaml, result, err.text, says);
		fail();
	}
	free(definition);
}

static void test_refused(void **state)
{
	/* Proves: each mistake of a definition is an error with file, line and column and, where near, "did you mean". */
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect(bad[i].yaml, bad[i].says);
	}
	for (size_t i = 0; i < sizeof(bad_sections) / sizeof(bad_sections[0]); i++) {
		char yaml[1024];
		(void)snprintf(yaml, sizeof(yaml), "title: T\npurpose: P\nsections:\n- %s\n",
			       bad_sections[i].yaml);
		expect(yaml, bad_sections[i].says);
	}
}

static void test_limits(void **state)
{
	/* Proves: too many sections, columns, charts or clauses, and too long a text, are refused. */
	(void)state;
	static const struct {
		const char *before, *item, *behind;
		size_t count;
		const char *says;
	} limits[] = {
		{"title: T\npurpose: P\nsections: [", "{name: a, title: t, columns: [time]}", "]\n",
		 33, "sections has more than 32 items"},
		{"title: T\npurpose: P\nsections: [{name: a, title: t, columns: [", "time", "]}]\n",
		 17, "columns has more than 16 items"},
		{"title: T\npurpose: P\nsections: [{name: a, title: t, columns: [time], charts: [",
		 "{}", "]}]\n", 5, "charts has more than 4 items"},
		{"title: T\npurpose: P\nclauses: [", "{}", "]\n", 65,
		 "clauses has more than 64 items"},
		{"title: T\npurpose: P\nparts: [", "a", "]\n", 17, "parts has more than 16 items"},
		{"title: [", "b", "]\n", 70000, "too many values"},
	};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct buf yaml;
		buf_init(&yaml, 0);
		buf_put_text(&yaml, limits[i].before);
		for (size_t k = 0; k < limits[i].count; k++) {
			buf_putf(&yaml, "%s%s", k > 0 ? ", " : "", limits[i].item);
		}
		buf_put_text(&yaml, limits[i].behind);
		expect(yaml.ptr, limits[i].says);
		buf_done(&yaml);
	}
	struct buf yaml;
	buf_init(&yaml, 0);
	buf_put_text(&yaml, "title: ");
	buf_put_fill(&yaml, 'x', DEFINITION_TEXT_MAX + 1);
	expect(yaml.ptr, "d.yaml:1:8: title is longer than 4000 bytes");
	buf_done(&yaml);
}

static void test_good(void **state)
{
	/* Proves: what a definition says arrives: texts trimmed, columns with form and weight, order, groups, charts. */
	(void)state;
	struct error err;
	struct definition *definition = calloc(1, sizeof(*definition));
	struct definition_input input = {
		"d.yaml", STR_LIT("d"),
		STR_LIT("title: ' T '\npurpose: >\n  one\n  two\n"
			"clauses: [{framework: F, clause: 10.1, text: t}]\nfacts: "
			"range\nsections:\n"
			"- {name: a-1, title: t, filter: 'user:x', group: [user, day], first: 7,\n"
			"   columns: [{name: user, form: code, width: 9}, count, failed_share], "
			"order: "
			"[-count, user],\n   charts: [{kind: bars, title: c}]}\n"
			"- {name: b, title: t, from: accesses, only: {user: [a, 'b*']}, order: "
			"-time, "
			"columns: [arguments]}\n")};
	assert_int_equal(definition_parse(&input, definition, &err), 0);
	assert_true(str_is(definition->title, "T"));
	assert_true(str_is(definition->purpose, "one two"));
	assert_true(str_is(definition->clause[0].clause, "10.1"));
	assert_int_equal(definition->fact_count, 1);
	assert_int_equal(strlen(definition->digest), 64);
	const struct definition_section *a = definition_section_find(definition, STR_LIT("a-1"));
	assert_non_null(a);
	assert_true(a->grouped);
	assert_int_equal(a->first, 7);
	assert_int_equal(a->column[0].form, REPORT_CODE);
	assert_int_equal(a->column[0].weight, 9);
	assert_int_equal(a->column[2].form, REPORT_SHARE);
	assert_true(a->column[1].of_tally && !a->column[0].of_tally);
	assert_true(a->order[0].descending && a->order[0].column == 1);
	assert_int_equal(a->chart[0].by, a->tally.key[0]);
	const struct definition_section *b = definition_section_find(definition, STR_LIT("b"));
	assert_true(b->newest_first && b->match_count == 1 && b->match[0].glob_count == 2);
	assert_ptr_equal(b->dataset, &dataset_accesses);
	assert_null(definition_section_find(definition, STR_LIT("c")));
	definition_done(definition);
	free(definition);
}

static void test_names(void **state)
{
	/* Proves: names are such that they can be folders, anchors and parts of file names. */
	(void)state;
	assert_true(definition_name_is_allowed(STR_LIT("a")));
	assert_true(definition_name_is_allowed(STR_LIT("9-lives")));
	assert_false(definition_name_is_allowed(STR_LIT("")));
	assert_false(definition_name_is_allowed(STR_LIT("-a")));
	assert_false(definition_name_is_allowed(STR_LIT("A")));
	assert_false(definition_name_is_allowed(STR_LIT("a/b")));
	assert_false(definition_name_is_allowed(STR_LIT("..")));
	assert_false(definition_name_is_allowed(
		STR_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
