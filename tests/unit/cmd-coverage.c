#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/golden/story-store.h"
#include "tests/unit/ask.h"

static int coverage_of(const struct story_store *world, const char *since, const char *says)
{
	const char *const words[] = {"coverage", "--since",          since,
				     "--until",  "2026-11-22 11:00", NULL};
	struct asked asked;
	ask(&asked, world->dir, words, STORY_NOW_NS);
	int status = asked.status;
	assert_int_equal(asked_said(&asked, "app_7.sqlaudit was deleted"),
			 strcmp(says, "gap") == 0);
	asked_done(&asked);
	return status;
}

static void test_time(void **state)
{
	/* Proves: a gap is told and makes the exit status 3 only where it overlaps the time asked for. */
	(void)state;
	struct story_store world;
	struct store_source sql = {.name = "sql01",
				   .type = "sqlserver",
				   .watermark_ns = STORY_NOW_NS,
				   .caught_up = true,
				   .state = "ok"};
	story_store_init(&world, false, false);
	assert_int_equal(store_open(world.dir, STORE_CREATE, &world.store, NULL), 0);
	assert_int_equal(store_begin(world.store, STORY_NOW_NS, NULL), 0);
	assert_int_equal(store_put_source(world.store, &sql, NULL), 0);
	assert_int_equal(store_commit(world.store, NULL), 0);
	store_close(world.store);
	world.store = NULL;
	assert_int_equal(coverage_of(&world, "2026-11-22 08:59", "gap"), EXIT_INCOMPLETE);
	assert_int_equal(coverage_of(&world, "2026-11-22 10:30", ""), EXIT_FOUND);
	story_store_done(&world);
}

static void test_formats(void **state)
{
	/* Proves: coverage has table and json and refuses other formats. */
	(void)state;
	static const char *const json[] = {"coverage", "--json", NULL};
	static const char *const csv[] = {"coverage", "--format", "csv", NULL};
	struct story_store world;
	struct asked asked;
	story_store_init(&world, true, false);
	ask(&asked, world.dir, json, STORY_NOW_NS);
	assert_int_equal(asked.status, EXIT_FOUND);
	assert_true(asked_said(&asked, "\"complete\":true"));
	asked_done(&asked);
	ask(&asked, world.dir, csv, STORY_NOW_NS);
	assert_int_equal(asked.status, EXIT_ERROR);
	asked_done(&asked);
	story_store_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_time),
					   cmocka_unit_test(test_formats)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
