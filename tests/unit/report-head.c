#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/definition.h"
#include "query/report/head.h"
#include "tests/golden/story-store.h"

struct asking {
	struct story_store story;
	struct zone zone;
	struct arena arena;
	struct query query;
	struct plan *plan;
	struct run_result found;
	struct definition *definition;
	struct head head;
	struct error err;
};

/* Makes the head for a filter over the story. */
static void asking_init(struct asking *asking, bool complete, const char *filter)
{
	memset(asking, 0, sizeof(*asking));
	story_store_init(&asking->story, complete, false);
	assert_int_equal(store_open(asking->story.dir, STORE_WRITE, &asking->story.store, NULL), 0);
	assert_int_equal(store_meta_put(asking->story.store, "clock.sql01",
					STR_LIT("-6500000 7500000 4096 3"), NULL),
			 0);
	asking->zone = zone_utc();
	asking->plan = calloc(1, sizeof(*asking->plan));
	asking->definition = calloc(1, sizeof(*asking->definition));
	assert_true(asking->plan != NULL && asking->definition != NULL);
	asking->definition->name = STR_LIT("r");
	arena_init(&asking->arena, 1u << 20);
	struct plan_options options = {INT64_MIN, INT64_MAX, 0, {&asking->zone, STORY_NOW_NS}};
	assert_int_equal(query_parse(str_of(filter), &asking->arena, &asking->query, NULL), 0);
	assert_int_equal(plan_make(&asking->query, &options, asking->plan, NULL), 0);
	assert_int_equal(run_plan(asking->story.store, asking->plan, &asking->found, NULL), 0);
	struct head_question question = {asking->story.store, &asking->zone,  asking->plan,
					 str_of(filter),      &asking->found, {"auditor", 7},
					 asking->definition};
	assert_int_equal(head_make(&question, &asking->head, &asking->err), 0);
}

static void asking_done(struct asking *asking)
{
	head_done(&asking->head);
	run_result_clear(&asking->found);
	arena_done(&asking->arena);
	free(asking->plan);
	free(asking->definition);
	story_store_done(&asking->story);
}

static const struct report_fact *find(const struct asking *asking, const char *name)
{
	for (size_t i = 0; i < asking->head.fact_count; i++) {
		if (strcmp(asking->head.fact[i].name, name) == 0) {
			return &asking->head.fact[i];
		}
	}
	return NULL;
}

static const struct report_fact *fact(const struct asking *asking, const char *name)
{
	const struct report_fact *found = find(asking, name);
	if (found == NULL) {
		fail_msg("there is no fact %s", name);
	}
	return found;
}

static void test_facts(void **state)
{
	/* Proves: each fact is there, with the counts of the store, the filter as it was understood, and the clock's estimate. */
	(void)state;
	struct asking asking;
	size_t count;
	const char *const *names = head_fact_names(&count);
	asking_init(&asking, true, "user:bob*");
	assert_int_equal(asking.head.fact_count + 1, count);
	for (size_t i = 0; i < count; i++) {
		bool is_anchored = strcmp(names[i], "anchored") == 0; /* only with anchors */
		assert_true((find(&asking, names[i]) == NULL) == is_anchored);
		assert_true(is_anchored || fact(&asking, names[i])->text.len > 0);
	}
	assert_true(
		str_is(fact(&asking, "query")->text, "user:bob* (understood as: user:\"bob*\")"));
	assert_true(
		str_is(fact(&asking, "counts")->text,
		       "9 in this range, of which 3 match the filter; none of them is left out"));
	assert_true(str_is(fact(&asking, "unmatched")->text,
			   "1 of 9 statements, 11.1 %; logins and logouts count as "
			   "statements"));
	assert_true(
		str_is(fact(&asking, "clocks")->text,
		       "sql01 is 6.500 ms ahead of the gateway, within 7.500 ms, by 4096 pairs"));
	assert_true(str_is(fact(&asking, "asked_by")->text, "auditor (uid 7)"));
	assert_true(str_is(fact(&asking, "range")->text, "all times (zone UTC)"));
	assert_false(fact(&asking, "gaps")->warns);
	assert_true(fact(&asking, "rejects")->warns);
	assert_false(asking.head.incomplete);
	asking_done(&asking);
}

static void test_missing(void **state)
{
	/* Proves: gaps and sources that lag are told as a warning and make the report incomplete. */
	(void)state;
	struct asking asking;
	asking_init(&asking, false, "");
	assert_true(asking.head.incomplete);
	assert_true(fact(&asking, "gaps")->warns);
	assert_true(str_is(fact(&asking, "gaps")->text,
			   "source sql01 cannot be reached; source sql01 has a gap from 2026-11-22 "
			   "08:00:00Z to 2026-11-22 09:00:00Z"));
	assert_true(str_is(fact(&asking, "query")->text, "none: all statements"));
	asking_done(&asking);
}

static void test_anchored(void **state)
{
	/* Proves: what each anchor has is told by the wall clock; without anchors nothing is; a log that is refused warns. */
	struct asking asking;
	struct anchor_state anchor = {
		.name = "w1", .type = "witness", .taken_size = 20, .taken_ns = STORY_NOW_NS};
	struct head head;
	(void)state;
	asking_init(&asking, true, "");
	assert_null(find(&asking, "anchored"));
	struct head_question question = {asking.story.store, &asking.zone,  asking.plan,
					 STR_LIT(""),        &asking.found, {"auditor", 7},
					 asking.definition};
	assert_int_equal(anchors_put(asking.story.store, &anchor, &asking.err), 0);
	assert_int_equal(head_make(&question, &head, &asking.err), 0);
	head_done(&asking.head);
	asking.head = head;
	assert_true(str_is(fact(&asking, "anchored")->text,
			   "w1 (witness) 20 of 0 signed records at 2026-11-22 12:00:00Z"));
	assert_false(fact(&asking, "anchored")->warns);
	assert_int_equal(store_meta_put(asking.story.store, "log.refused",
					STR_LIT("w1 30 - t seen"), &asking.err),
			 0);
	assert_int_equal(head_make(&question, &head, &asking.err), 0);
	head_done(&asking.head);
	asking.head = head;
	assert_true(fact(&asking, "anchored")->warns);
	asking_done(&asking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_facts),
					   cmocka_unit_test(test_missing),
					   cmocka_unit_test(test_anchored)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
