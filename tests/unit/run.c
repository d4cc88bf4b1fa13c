#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/run.h"
#include "tests/golden/story-store.h"

struct asked {
	struct arena arena;
	struct query query;
	struct plan plan;
	struct zone zone;
	struct run_result found;
	struct store *store;
};

static void ask(struct asked *asked, const char *dir, const char *filter, unsigned grades)
{
	struct error err;
	arena_init(&asked->arena, 1 << 20);
	asked->zone = zone_utc();
	struct plan_options options = {INT64_MIN, INT64_MAX, grades, {&asked->zone, STORY_NOW_NS}};
	assert_int_equal(store_open(dir, STORE_READ, &asked->store, &err), 0);
	assert_int_equal(query_parse(str_of(filter), &asked->arena, &asked->query, &err), 0);
	assert_int_equal(plan_make(&asked->query, &options, &asked->plan, &err), 0);
	assert_int_equal(run_plan(asked->store, &asked->plan, &asked->found, &err), 0);
}

static void asked_done(struct asked *asked)
{
	run_result_clear(&asked->found);
	store_close(asked->store);
	arena_done(&asked->arena);
}

/* The rows' items in order, as letters from 'a'. */
static const char *rows(const struct story_store *story, const struct run_result *found,
			char out[STORY_ITEMS + 1])
{
	for (size_t i = 0; i < found->row_count; i++) {
		out[i] = '?';
		for (int item = 0; item < STORY_ITEMS; item++) {
			if (item != STORY_GAP && item != STORY_REJECT &&
			    story->leaf[item] == found->rows[i].leaf) {
				out[i] = (char)('a' + item);
			}
		}
	}
	out[found->row_count] = '\0';
	return out;
}

static const struct {
	const char *filter;
	unsigned grades;
	const char *
		want; /* e f: alice's statements, g: bob's, h: comment, i: admin, j: conflict, k: pending, l: hostile, m: refused */
} questions[] = {
	{"", 0, "feghmjlik"},
	{"user:alice@example.com", 0, "fe"},
	{"-user:alice@example.com", 0, "ghmjlik"},
	{"user:alice* OR rows>1000", 0, "fei"},
	{"grade:U1", 0, "i"},
	{"", 1u << GRADE_A, "egm"},
	{"", 1u << GRADE_PENDING, "k"},
	{"grade:pending", 0, "k"},
	{"-grade:AB", 0, "hjlik"},
	{"grade:U2", 0, "d"},
	{"", 1u << GRADE_U2 | 1u << GRADE_U1, "di"},
	{"carol", 1u << GRADE_U2, "d"},
	{"grade:U2 time:\"2026-11-22 10:00:30\"", 0, "d"},
	{"grade:U2 time:\"2026-11-22 10:00:31\"", 0, ""},
	{"time>=\"2026-11-22 10:00:11\" time<\"2026-11-22 10:00:13\"", 0, "hm"},
	{"time>=\"2026-11-22 10:00:11\" time<\"2026-11-22 10:00:13\" user:bob*", 0, "hm"},
	{"time>\"2026-11-22 10:00:00.140\" user:alice*", 0, "fe"},
	{"request_time>\"2026-11-22 10:00:05\"", 0, "ghmjl"},
	{"ok:false", 0, "m"},
	{"table:orders", 0, "egk"},
	{"statement:customers", 0, "fei"},
	{"salaries", 0, "mj"},
	{"carrier:comment", 0, "hl"},
	{"settled:provisional", 0, ""},
	{"source:api", 0, "feghmjl"},
	{"leaf<0", 0, ""},
	{"latency_ms:35 grade:X", 0, "j"},
	{"NOT (route:* OR grade:U1)", 0, "k"},
	{"extended_request_id:Xe0*", 0, "fe"},
};

static void test_questions(void **state)
{
	/* Proves: each filter over statement, verdict and request gives exactly the trails that it should, in order of time and id,
	 * and the order of commits changes nothing. */
	(void)state;
	for (int turned = 0; turned < 2; turned++) {
		struct story_store story;
		story_store_init(&story, true, turned == 1);
		for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
			struct asked asked;
			char got[STORY_ITEMS + 1];
			ask(&asked, story.dir, questions[i].filter, questions[i].grades);
			assert_string_equal(rows(&story, &asked.found, got), questions[i].want);
			asked_done(&asked);
		}
		story_store_done(&story);
	}
}

static void test_standing(void **state)
{
	/* Proves: the last verdict stands, its request is named, and the counts by grade follow it. */
	(void)state;
	struct story_store story;
	struct asked asked;
	story_store_init(&story, true, false);
	ask(&asked, story.dir, "", 0);
	assert_int_equal(asked.found.statements[GRADE_A], 3);
	assert_int_equal(asked.found.statements[GRADE_B], 1);
	assert_int_equal(asked.found.statements[GRADE_C], 2);
	assert_int_equal(asked.found.statements[GRADE_U1], 1);
	assert_int_equal(asked.found.statements[GRADE_X], 1);
	assert_int_equal(asked.found.statements[GRADE_PENDING], 1);
	assert_int_equal(asked.found.rows[1].request_leaf, story.leaf[STORY_R_ALICE]);
	assert_int_equal(asked.found.rows[1].verdict_leaf, 14);
	assert_true(asked.found.rows[8].verdict_leaf == RUN_NO_LEAF);
	assert_int_equal(asked.found.gap_count, 0);
	asked_done(&asked);
	story_store_done(&story);
}

static void test_gaps(void **state)
{
	/* Proves: a gap counts when it overlaps the time asked for, and only then. */
	(void)state;
	struct story_store story;
	struct asked asked;
	story_store_init(&story, false, false);
	static const struct {
		const char *filter;
		size_t gaps;
	} cases[] = {{"", 1},
		     {"time:2026-11-22", 1},
		     {"time:yesterday", 0},
		     {"time>=09:00", 0},
		     {"time>=08:59", 1},
		     {"time<08:00", 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(&asked, story.dir, cases[i].filter, 0);
		assert_int_equal(asked.found.gap_count, cases[i].gaps);
		if (cases[i].gaps > 0) {
			assert_string_equal(asked.found.gaps[0].source, "sql01");
		}
		asked_done(&asked);
	}
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_standing),
		cmocka_unit_test(test_gaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
