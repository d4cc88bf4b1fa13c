#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/show.h"
#include "tests/golden/story-store.h"

static void test_story(void **state)
{
	/* Proves: the JSON of a story names its request, statements and all verdicts; a leaf that cannot be read is told in its place and counted,
	 * and the rest is shown. */
	(void)state;
	struct story_store world;
	struct store *store;
	struct story story;
	struct error err;
	struct output out;
	struct zone zone = zone_utc();
	story_store_init(&world, true, false);
	assert_int_equal(store_open(world.dir, STORE_READ, &store, &err), 0);
	assert_int_equal(story_find(store, STR_LIT("req-0"), &story, &err), 0);
	output_init(&out, -1, &zone);
	struct show show = {.out = &out, .story = &story};
	assert_int_equal(scan_fetch_open(store, &show.fetch, &err), 0);
	assert_int_equal(show_put_json(&show, &err), 0);
	assert_true(str_find(buf_str(&out.text), STR_LIT("\"verdicts\":[{\"leaf\":13,"), 0) > 0);
	story.statements.leaf[0] = 9999;
	buf_clear(&out.text);
	assert_int_equal(show_put_json(&show, &err), 0);
	assert_int_equal(show.unread, 1);
	assert_true(str_find(buf_str(&out.text), STR_LIT("{\"leaf\":9999,\"unreadable\":true"), 0) >
		    0);
	assert_true(str_find(buf_str(&out.text), STR_LIT("\"leaf\":5,"), 0) > 0);
	scan_fetch_close(show.fetch);
	story_done(&story);
	output_done(&out);
	store_close(store);
	story_store_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_story)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
