#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/hold-reach.h"
#include "tests/golden/story-store.h"

/* What a filter reaches, as letters of the story's items from 'a'. */
static void reached(const struct story_store *story, const struct leafset *leaves,
		    char out[STORY_ITEMS + 1])
{
	size_t count = 0;
	for (int item = 0; item < STORY_ITEMS; item++) {
		if (item != STORY_GAP && item != STORY_REJECT &&
		    leafset_has(leaves, story->leaf[item])) {
			out[count++] = (char)('a' + item);
		}
	}
	out[count] = 0;
}

static const struct {
	const char *filter;
	const char *
		want; /* a b c d: requests of alice, bob, eve, carol (who did nothing); e f: alice's statements, g h m: bob's, j l: eve's, i: nobody's,
			   * k: pending */
	uint64_t verdicts;
} questions[] = {
	{"", "abcdefghijklm", 10},
	{"user:alice@example.com", "aef", 3},
	{"user:carol@example.com", "d", 1},
	{"statement:\"id = 17\"", "aef", 3},
	{"statement:stock", "bghm", 3},
	{"grade:U1", "i", 1},
	{"grade:pending", "k", 0},
	{"grade:U2", "d", 1},
	{"user:bob* -table:dbo.Stock", "bghm", 3},
	{"user:alice* OR user:carol*", "adef", 4},
	{"user:alice* time>\"2026-11-22 11:00\"", "", 0},
	{"user:nobody", "", 0},
};

static void trails_are_whole(void **state)
{
	/* a filter reaches what matches with its request, all statements of that, and their verdicts, whatever the order of commits */
	(void)state;
	for (int turned = 0; turned < 2; turned++) {
		struct story_store story;
		struct error err;
		story_store_init(&story, true, turned == 1);
		struct store *store = NULL;
		assert_int_equal(store_open(story.dir, STORE_READ, &store, &err), 0);
		for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
			const struct hold hold = {.name = STR_LIT("case-1"),
						  .filter = str_of(questions[i].filter),
						  .since_ns = STORY_NOW_NS};
			struct reach reach;
			struct leafset all;
			char got[STORY_ITEMS + 1];
			leafset_init(&all);
			assert_int_equal(hold_reach_find(store, &hold, &reach, &err), 0);
			assert_int_equal(reach_add_to(&reach, &all, &err), 0);
			reached(&story, &all, got);
			assert_string_equal(got, questions[i].want);
			assert_int_equal(leafset_count(&reach.verdicts), questions[i].verdicts);
			assert_int_equal(reach.in_head, leafset_count(&all));
			assert_true(reach.damaged == 0 && reach.blocks == 0);
			assert_int_equal(reach.from_ns == INT64_MAX, got[0] == 0);
			leafset_done(&all);
			reach_done(&reach);
		}
		store_close(store);
		story_store_done(&story);
	}
}

static void holds_are_looked_up(void **state)
{
	/* each hold of a store has its leaves; relative times count from its beginning; a filter that cannot be read names the hold */
	struct story_store story;
	struct hold_covers covers;
	struct store *store = NULL;
	struct error err;
	(void)state;
	story_store_init(&story, true, false);
	assert_int_equal(store_open(story.dir, STORE_WRITE, &store, &err), 0);
	struct hold hold = {.name = STR_LIT("recent"),
			    .filter = STR_LIT("time>3h user:alice*"),
			    .since_ns = STORY_NOW_NS};
	assert_int_equal(holds_add(store, &hold, &err), 0);
	hold.name = STR_LIT("late");
	hold.since_ns = STORY_NOW_NS + 24 * NS_PER_HOUR;
	assert_int_equal(holds_add(store, &hold, &err), 0);
	assert_int_equal(hold_covers_find(store, &covers, &err), 0);
	assert_int_equal(covers.count, 2);
	assert_true(str_is(covers.list[0].name, "recent"));
	assert_true(leafset_has(&covers.list[0].leaves, story.leaf[STORY_R_ALICE]));
	assert_int_equal(leafset_count(&covers.list[1].leaves), 0);
	hold_covers_done(&covers);
	hold.name = STR_LIT("strange");
	hold.filter = STR_LIT("usr:x");
	assert_int_equal(holds_add(store, &hold, &err), 0);
	assert_int_equal(hold_covers_find(store, &covers, &err), -ERR_USAGE);
	assert_non_null(strstr(err.text, "legal hold strange"));
	hold_covers_done(&covers);
	store_close(store);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trails_are_whole),
		cmocka_unit_test(holds_are_looked_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
