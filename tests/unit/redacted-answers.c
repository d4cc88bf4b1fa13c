#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/redact.h"
#include "store/seal.h"
#include "tests/golden/story-store.h"
#include "tests/unit/ask.h"

#include <stdlib.h>

/* What becomes of each leaf of the story. */
struct fate {
	struct redactor *redactor;
	enum redact_degree degree[64];
	bool drop[64];
};

static bool drops(void *owner, const struct seal_item *item)
{
	const struct fate *fate = owner;
	return fate->drop[item->leaf];
}

static int change(void *owner, uint64_t leaf, struct str encoded, struct buf *out,
		  struct error *err)
{
	struct fate *fate = owner;
	const struct redact_order order = {fate->degree[leaf], STR_LIT("e1")};
	return redact_record(fate->redactor, &order, encoded, out, err);
}

/* Seals the story with what is wished. */
static void seal(const struct story_store *story, struct fate *fate)
{
	const struct seal_change changes = {fate, drops, change};
	const struct seal_order order = {.head_end = UINT64_MAX,
					 .settled_ns = INT64_MAX,
					 .judged_ns = INT64_MAX,
					 .close = true,
					 .change = &changes,
					 .now_ns = 1};
	struct seal_result result;
	struct store *store = NULL;
	struct error err;
	fate->redactor = redactor_new();
	assert_int_equal(store_open(story->dir, STORE_WRITE, &store, &err), 0);
	assert_int_equal(seal_run(store, &order, &result, &err), 0);
	store_close(store);
	redactor_free(fate->redactor);
}

/* Asks, and gives all that was said; the exit status must be what is expected. */
static void expect(struct asked *asked, const struct story_store *story, int status,
		   const char *const *words)
{
	ask(asked, story->dir, words, STORY_NOW_NS);
	if (asked->status != status) {
		fail_msg("%s %s: exit %d: %.*s", words[0], words[1], asked->status,
			 STR_ARG(buf_str(&asked->err)));
	}
}

static bool says(const struct asked *asked, const char *text)
{
	return str_find(buf_str(&asked->out), str_of(text), 0) >= 0;
}

static void the_erased_are_nowhere(void **state)
{
	/* who asked is in no answer any more, by name or by id, whatever is asked; the statement under the erased request keeps its grade; all
	 * other rows are as before; nothing is called damage */
	static const char *const who[] = {"who", "--format", "jsonl", NULL};
	static const char *const by_user[] = {"who", "user:bob@example.com", NULL};
	static const char *const top[] = {"top", "user", NULL};
	static const char *const raw[] = {"export", "--raw", "--source", "api", NULL};
	static const char *const request[] = {"show", "req-1", NULL};
	static const char *const table[] = {"who", "table:dbo.Orders", "--format", "jsonl", NULL};
	struct story_store story;
	struct fate fate = {0};
	struct asked asked;
	(void)state;
	story_store_init(&story, true, false);
	expect(&asked, &story, EXIT_FOUND, by_user);
	asked_done(&asked);
	fate.degree[story.leaf[STORY_R_BOB]] = REDACT_ALL;
	fate.degree[story.leaf[STORY_S_COMMENT]] = REDACT_LITERALS;
	fate.degree[story.leaf[STORY_S_REFUSED]] = REDACT_ALL;
	seal(&story, &fate);
	expect(&asked, &story, EXIT_FOUND, who);
	assert_false(says(&asked, "bob@"));
	assert_false(says(&asked, "req-1"));
	assert_true(says(&asked, "alice@example.com"));
	assert_true(says(&asked, "erased e1"));
	assert_true(says(&asked, "UPDATE dbo.Stock SET n = n - '?' WHERE id = '?'"));
	asked_done(&asked);
	expect(&asked, &story, EXIT_NONE, by_user);
	asked_done(&asked);
	expect(&asked, &story, EXIT_FOUND, top);
	assert_false(says(&asked, "bob"));
	assert_true(says(&asked, "alice@example.com"));
	asked_done(&asked);
	expect(&asked, &story, EXIT_FOUND, raw);
	assert_false(says(&asked, "req-1"));
	assert_true(says(&asked, "req-0"));
	assert_true(asked_said(&asked, "1 lines of api are not here"));
	asked_done(&asked);
	expect(&asked, &story, EXIT_NONE, request);
	asked_done(&asked);
	expect(&asked, &story, EXIT_FOUND, table);
	assert_true(says(&asked, "INSERT INTO dbo.Orders (customer_id, total) VALUES (3, 12.50)"));
	assert_true(says(&asked, "\"grade\":\"A\""));
	asked_done(&asked);
	story_store_done(&story);
}

static void show_says_what_was_erased(void **state)
{
	/* a statement under an erased request shows its grade and that the caller was erased; an erased statement shows that its text was */
	struct story_store story;
	struct fate fate = {0};
	struct asked asked;
	char leaf[24];
	const char *const words[] = {"show", leaf, NULL};
	(void)state;
	story_store_init(&story, true, false);
	fate.degree[story.leaf[STORY_R_BOB]] = REDACT_ALL;
	fate.degree[story.leaf[STORY_S_REFUSED]] = REDACT_ALL;
	seal(&story, &fate);
	(void)snprintf(leaf, sizeof leaf, "%llu", (unsigned long long)story.leaf[STORY_S_BOB]);
	expect(&asked, &story, EXIT_FOUND, words);
	assert_true(says(&asked, "an erased caller"));
	assert_true(says(&asked, "(erased)"));
	assert_true(says(&asked, "INSERT INTO dbo.Orders"));
	assert_false(says(&asked, "bob@"));
	asked_done(&asked);
	story_store_done(&story);
}

static void what_was_removed_is_no_damage(void **state)
{
	/* a request that retention took leaves its statements with their grade, and the other way round; every question still ends well */
	static const char *const who[] = {"who", "--format", "jsonl", NULL};
	static const char *const top[] = {"top", "user", NULL};
	static const char *const raw[] = {"export", "--raw", "--source", "sql01", NULL};
	static const char *const status[] = {"status", NULL};
	struct story_store story;
	struct fate fate = {0};
	struct asked asked;
	char leaf[24];
	const char *const show[] = {"show", leaf, NULL};
	(void)state;
	story_store_init(&story, true, false);
	fate.drop[story.leaf[STORY_R_BOB]] = true;
	fate.drop[story.leaf[STORY_S_ALICE_2]] = true;
	seal(&story, &fate);
	expect(&asked, &story, EXIT_FOUND, who);
	assert_false(says(&asked, "bob@"));
	assert_true(says(&asked, "INSERT INTO dbo.Orders"));
	asked_done(&asked);
	expect(&asked, &story, EXIT_FOUND, top);
	asked_done(&asked);
	expect(&asked, &story, EXIT_FOUND, raw);
	assert_true(asked_said(&asked, "retention removed 2 records"));
	asked_done(&asked);
	expect(&asked, &story, EXIT_FOUND, status);
	asked_done(&asked);
	(void)snprintf(leaf, sizeof leaf, "%llu", (unsigned long long)story.leaf[STORY_S_BOB]);
	expect(&asked, &story, EXIT_FOUND, show);
	assert_true(says(&asked, "was removed"));
	asked_done(&asked);
	(void)snprintf(leaf, sizeof leaf, "%llu", (unsigned long long)story.leaf[STORY_S_ALICE_2]);
	expect(&asked, &story, EXIT_NONE, show);
	asked_done(&asked);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_erased_are_nowhere),
		cmocka_unit_test(show_says_what_was_erased),
		cmocka_unit_test(what_was_removed_is_no_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
