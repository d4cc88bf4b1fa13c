#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/story.h"
#include "tests/golden/story-store.h"

static void find(const struct story_store *story, struct store **store, const char *id,
		 struct story *out)
{
	struct error err;
	assert_int_equal(store_open(story->dir, STORE_READ, store, &err), 0);
	assert_int_equal(story_find(*store, str_of(id), out, &err), 0);
}

static void test_ids(void **state)
{
	/* Proves: every id of a request, a statement's id and leaf numbers lead to the same story; an unknown one to none. */
	(void)state;
	struct story_store world;
	story_store_init(&world, false, false);
	char id[RECORD_ID_DIGITS + 1];
	char leaf[24];
	record_stable_id(STR_LIT("sql01"), STR_LIT("statement-4"), id);
	(void)snprintf(leaf, sizeof(leaf), "%llu", (unsigned long long)world.leaf[STORY_S_ALICE_2]);
	const char *const ids[] = {"req-0", "Xe0Request=", "lambda-0", id, leaf, "0", "14"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct store *store;
		struct story story;
		find(&world, &store, ids[i], &story);
		assert_int_equal(story.requests.count, 1);
		assert_int_equal(story.requests.leaf[0], world.leaf[STORY_R_ALICE]);
		assert_int_equal(story.statements.count, 2);
		assert_int_equal(story.verdict_count, 3);
		const struct story_verdict *standing =
			story_standing(&story, world.leaf[STORY_S_ALICE_1]);
		assert_int_equal(standing->request_leaf, world.leaf[STORY_R_ALICE]);
		story_done(&story);
		store_close(store);
	}
	static const char *const none[] = {"", "zzz", "99999", "-1", "REQ-0"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct store *store;
		struct story story;
		find(&world, &store, none[i], &story);
		assert_int_equal(story.found_count, 0);
		story_done(&story);
		store_close(store);
	}
	story_store_done(&world);
}

static void test_lone(void **state)
{
	/* Proves: a statement without request, a pending one, a request without statement and a gap each stand alone. */
	(void)state;
	struct story_store world;
	story_store_init(&world, false, false);
	static const struct {
		enum story_item item;
		size_t requests, statements, others, verdicts;
	} cases[] = {{STORY_S_ADMIN, 0, 1, 0, 1},
		     {STORY_S_PENDING, 0, 1, 0, 0},
		     {STORY_R_IDLE, 1, 0, 0, 1},
		     {STORY_GAP, 0, 0, 1, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store *store;
		struct story story;
		char leaf[24];
		(void)snprintf(leaf, sizeof(leaf), "%llu",
			       (unsigned long long)world.leaf[cases[i].item]);
		find(&world, &store, leaf, &story);
		assert_int_equal(story.requests.count, cases[i].requests);
		assert_int_equal(story.statements.count, cases[i].statements);
		assert_int_equal(story.others.count, cases[i].others);
		assert_int_equal(story.verdict_count, cases[i].verdicts);
		story_done(&story);
		store_close(store);
	}
	story_store_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ids), cmocka_unit_test(test_lone)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
