#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/handle.h"
#include "tests/golden/story-store.h"
#include "tests/unit/ask.h"
#include "tests/unit/seal-world.h"

#define RECORDS 700

static void seal_all(struct seal_world *world)
{
	const struct seal_order order = {.head_end = UINT64_MAX,
					 .settled_ns = INT64_MAX,
					 .requests = 16,
					 .close = true,
					 .now_ns = 1};
	seal_world_init(world, RECORDS, 100);
	(void)seal_world_run(world, &order);
}

static void ask_columns(struct seal_world *world, struct asked *asked, const char *more,
			const char *value)
{
	const char *words[] = {"status", "--columns", "--width", "80", more, value, NULL};
	ask(asked, world->filled.fixture.dir, words, STORY_NOW_NS);
}

static void a_table_of_columns(void **state)
{
	/* a line for each column, the sum, and a note on how many blocks were measured; nothing is wider than 80 columns */
	struct seal_world world;
	struct asked asked = {0};
	(void)state;
	seal_all(&world);
	ask_columns(&world, &asked, NULL, NULL);
	assert_int_equal(asked.status, EXIT_FOUND);
	assert_true(asked_said(&asked, "COLUMN"));
	assert_true(asked_said(&asked, "request request_id"));
	assert_true(asked_said(&asked, "all, per event"));
	assert_true(asked_said(&asked, "blocks were measured: 700 records"));
	asked_done(&asked);
	ask_columns(&world, &asked, "--limit", "2");
	assert_true(asked_said(&asked, " others"));
	assert_false(asked_said(&asked, "parents"));
	asked_done(&asked);
	ask_columns(&world, &asked, "--json", NULL);
	assert_true(asked_said(&asked, "\"measured_records\":700,"));
	assert_true(asked_said(&asked, "{\"column\":\"leaves\",\"given\":\"\",\"records\":700,"));
	asked_done(&asked);
	ask_columns(&world, &asked, "--limit", "two");
	assert_int_equal(asked.status, EXIT_ERROR);
	assert_true(asked_said(&asked, "--limit two is no number"));
	asked_done(&asked);
	seal_world_done(&world);
}

static void a_missing_block_is_left_out(void **state)
{
	/* what can't be read is named, and the answer is incomplete */
	struct seal_world world;
	struct asked asked = {0};
	char blocks[256], away[256];
	(void)state;
	seal_all(&world);
	(void)snprintf(blocks, sizeof(blocks), "%s/blocks", world.filled.fixture.dir);
	(void)snprintf(away, sizeof(away), "%s/away", world.filled.fixture.dir);
	assert_int_equal(rename(blocks, away), 0);
	ask_columns(&world, &asked, NULL, NULL);
	assert_int_equal(asked.status, EXIT_INCOMPLETE);
	assert_true(asked_said(&asked, "left out: "));
	assert_true(asked_said(&asked, "is missing"));
	asked_done(&asked);
	assert_int_equal(rename(away, blocks), 0);
	seal_world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_of_columns),
		cmocka_unit_test(a_missing_block_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
