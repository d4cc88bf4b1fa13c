#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/golden/story-store.h"
#include "tests/unit/ask.h"
#include "tests/unit/head-damage.h"

static void test_damage(void **state)
{
	/* Proves: show goes on over a damaged block: the rest is shown, the place says what is missing, and the exit status is 3;
	 * an id that may stand in what cannot be read is not denied with 1. */
	(void)state;
	static const char *const words[] = {"show", "req-0", NULL};
	static const char *const json[] = {"show", "req-0", "--json", NULL};
	static const char *const unknown[] = {"show", "nothing", NULL};
	/* leaves 0-3 are the requests, 4-12 the statements, 13-22 the verdicts: a batch each */
	static const struct {
		uint64_t leaf;
		enum head_part part;
		const char *still, *told;
	} cases[] = {
		{4, HEAD_CHUNK, "alice@example.com (jwt) asked GET /orders/{id}",
		 "the statement that leaf 4 holds cannot be read"},
		{13, HEAD_CHUNK, "alice@example.com (jwt) asked GET /orders/{id}", "INCOMPLETE: "},
		{4, HEAD_IDS, "SELECT name FROM dbo.Customers WHERE id = 3",
		 "INCOMPLETE: 1 block or record"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story_store world;
		struct asked asked;
		story_store_init(&world, true, false);
		head_damage(world.dir, cases[i].leaf, cases[i].part);
		ask(&asked, world.dir, words, STORY_NOW_NS);
		assert_true(asked_said(&asked, cases[i].still));
		assert_true(asked_said(&asked, cases[i].told));
		assert_int_equal(asked.status, EXIT_INCOMPLETE);
		asked_done(&asked);
		ask(&asked, world.dir, json, STORY_NOW_NS);
		assert_true(asked_said(&asked, "alice@example.com"));
		assert_int_equal(asked.status, EXIT_INCOMPLETE);
		asked_done(&asked);
		ask(&asked, world.dir, unknown, STORY_NOW_NS);
		assert_int_equal(asked.status, i == 2 ? EXIT_INCOMPLETE : EXIT_NONE);
		asked_done(&asked);
		story_store_done(&world);
	}
}

static void test_formats(void **state)
{
	/* Proves: show has text and json and refuses other formats; an unknown id is exit 1. */
	(void)state;
	static const char *const csv[] = {"show", "req-0", "--format", "csv", NULL};
	static const char *const json[] = {"show", "req-0", "--format", "json", NULL};
	static const char *const none[] = {"show", "nothing", NULL};
	static const struct {
		const char *const *words;
		int status;
	} cases[] = {{csv, EXIT_ERROR}, {json, EXIT_FOUND}, {none, EXIT_NONE}};
	struct story_store world;
	story_store_init(&world, true, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked asked;
		ask(&asked, world.dir, cases[i].words, STORY_NOW_NS);
		assert_int_equal(asked.status, cases[i].status);
		asked_done(&asked);
	}
	story_store_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_damage),
					   cmocka_unit_test(test_formats)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
