#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "query/show.h"
#include "tests/golden/story-store.h"
#include "tests/unit/hostile.h"

static void test_wrapped(void **state)
{
	/* Proves: no line is wider than asked, each has its indent, nothing acts on a terminal, and no text is lost. */
	(void)state;
	for (size_t width = 30; width < 100; width += 7) {
		for (size_t i = 0; i < HOSTILE_COUNT; i++) {
			struct output out;
			output_init(&out, -1, NULL);
			out.width = width;
			show_put_wrapped(&out, "    | ", hostile[i]);
			struct str rest = buf_str(&out.text);
			while (rest.len > 0) {
				struct str line = str_split(&rest, '\n');
				assert_true(str_has_prefix(line, STR_LIT("    | ")));
				assert_true(utf8_width(line) <= width);
				assert_int_equal(str_find_byte(line, '\033', 0), -1);
				assert_int_equal(utf8_invalid(line), -1);
			}
			output_done(&out);
		}
	}
	struct output out;
	output_init(&out, -1, NULL);
	out.width = 30;
	show_put_wrapped(&out, "", STR_LIT("SELECT aaaaaaaaaaaaaaaaaaaa FROM bbbbbbbbbbbbbbbbbbb"));
	assert_true(str_is(buf_str(&out.text),
			   "SELECT aaaaaaaaaaaaaaaaaaaa \nFROM bbbbbbbbbbbbbbbbbbb\n"));
	output_done(&out);
}

static void test_story(void **state)
{
	/* Proves: text and JSON of a story name its request, statements and all verdicts; a leaf that is gone is an error. */
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
	assert_int_equal(show_put_text(&show, &err), 0);
	assert_true(str_find(buf_str(&out.text), STR_LIT("no request carries this id yet"), 0) > 0);
	assert_true(str_find(buf_str(&out.text), STR_LIT("alice@example.com"), 0) > 0);
	buf_clear(&out.text);
	assert_int_equal(show_put_json(&show, &err), 0);
	assert_true(str_find(buf_str(&out.text), STR_LIT("\"verdicts\":[{\"leaf\":13,"), 0) > 0);
	story.statements.leaf[0] = 9999;
	assert_true(show_put_json(&show, &err) < 0);
	scan_fetch_close(show.fetch);
	story_done(&story);
	output_done(&out);
	store_close(store);
	story_store_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrapped),
					   cmocka_unit_test(test_story)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
