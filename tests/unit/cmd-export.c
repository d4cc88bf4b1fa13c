#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/golden/story-store.h"
#include "tests/unit/ask.h"

static const char *const api[] = {"export", "--raw", "--source", "api", NULL};

static void append(const struct story_store *world, const char *key, const char *raw,
		   const char *extra)
{
	struct story_store open = *world;
	struct record record;
	assert_int_equal(store_open(world->dir, STORE_CREATE, &open.store, NULL), 0);
	assert_int_equal(store_begin(open.store, STORY_NOW_NS, NULL), 0);
	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("api");
	record.key = str_of(key);
	record.time_ns = STORY_DAY_NS;
	record_set_text(&record, FIELD_raw, str_of(raw));
	record_set_text(&record, FIELD_extra, str_of(extra));
	story_append(&open, &record, -1);
	assert_int_equal(store_commit(open.store, NULL), 0);
	store_close(open.store);
}

static void test_line_ends(void **state)
{
	/* Proves: each raw has a line end behind it but where extra says that its piece had none; a carriage return stays, and a key
	 * of that name deeper in extra is not taken for it. */
	(void)state;
	struct story_store world;
	struct asked asked;
	story_store_init(&world, true, false);
	append(&world, "a", "with\r", "{\"x\":{\"file_newline\":false}}");
	append(&world, "b", "without", "{\"file_newline\":false}");
	append(&world, "c", "also without", "{\"a\":1,\"file_newline\":false}");
	append(&world, "d", "with", "{\"file_newline\":false,\"a\":1}");
	ask(&asked, world.dir, api, STORY_NOW_NS);
	assert_int_equal(asked.status, EXIT_FOUND);
	assert_true(str_has_suffix(buf_str(&asked.out),
				   STR_LIT("{\"requestId\":\"req-3\"}\nwith\r\nwithoutalso "
					   "withoutwith\n")));
	asked_done(&asked);
	story_store_done(&world);
}

static void test_what(void **state)
{
	/* Proves: an unknown source and a missing --raw are exit 2. */
	(void)state;
	static const char *const unknown[] = {"export", "--raw", "--source", "nobody", NULL};
	static const char *const tidy[] = {"export", "--source", "api", NULL};
	struct story_store world;
	struct asked asked;
	story_store_init(&world, true, false);
	ask(&asked, world.dir, unknown, STORY_NOW_NS);
	assert_int_equal(asked.status, EXIT_ERROR);
	asked_done(&asked);
	ask(&asked, world.dir, tidy, STORY_NOW_NS);
	assert_int_equal(asked.status, EXIT_ERROR);
	assert_true(asked_said(&asked, "--raw"));
	asked_done(&asked);
	story_store_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_line_ends),
					   cmocka_unit_test(test_what)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
