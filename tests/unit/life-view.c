#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/life-view.h"
#include "store/erasures.h"
#include "store/holds.h"
#include "tests/golden/story-store.h"

struct view {
	struct story_store story;
	struct surroundings surroundings;
	struct session session;
	struct error err;
};

static void begin(struct view *view)
{
	memset(view, 0, sizeof *view);
	story_store_init(&view->story, true, false);
	view->surroundings = (struct surroundings){
		.out_fd = -1, .err_fd = -1, .now_ns = STORY_NOW_NS, .tz = "", .width = 80};
	assert_int_equal(session_init(&view->session, &view->surroundings, &view->err), 0);
	assert_int_equal(store_open(view->story.dir, STORE_WRITE, &view->session.store, &view->err),
			 0);
}

static void end(struct view *view)
{
	session_done(&view->session);
	story_store_done(&view->story);
}

static void nothing_is_said_of_nothing(void **state)
{
	/* a store without policy, holds and erasures gives no line, and zeros in JSON */
	struct view view;
	bool first = true;
	(void)state;
	begin(&view);
	struct buf *out = &view.session.out.text;
	assert_int_equal(life_view_put(&view.session, &view.err), 0);
	assert_int_equal(out->len, 0);
	assert_int_equal(life_view_put_json(&view.session, &first, &view.err), 0);
	assert_string_equal(out->ptr, "\"life\":\"\",\"legal_holds\":0,\"erasures_done\":0,"
				      "\"erasures_working\":0,\"erasures_held\":0");
	end(&view);
}

static void each_thing_has_its_line(void **state)
{
	/* what the daemon says is wrapped behind its word and made safe; holds are named; erasures are counted by what became of them */
	static const char said[] = "retention: literals go after 90d; looked at "
				   "2026-11-23T06:00:00Z, nothing is due\nproblem: \033[2J\n";
	static const enum erasure_state states[] = {ERASURE_DONE, ERASURE_HELD, ERASURE_WORKING,
						    ERASURE_ORDERED};
	struct view view;
	(void)state;
	begin(&view);
	struct store *store = view.session.store;
	struct hold hold = {.name = STR_LIT("case-1"), .filter = STR_LIT("user:alice")};
	assert_int_equal(holds_add(store, &hold, &view.err), 0);
	hold.name = STR_LIT("case-2");
	assert_int_equal(holds_add(store, &hold, &view.err), 0);
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct erasure erasure = {.state = states[i], .again = i == 0, .records = 3};
		(void)snprintf(erasure.id, sizeof erasure.id, "%016x", (unsigned)i);
		assert_int_equal(erasures_put(store, &erasure, &view.err), 0);
	}
	assert_int_equal(store_meta_put(store, "life.state", str_of(said), &view.err), 0);
	assert_int_equal(life_view_put(&view.session, &view.err), 0);
	const char *text = view.session.out.text.ptr;
	assert_non_null(strstr(text, "retention:   literals go after 90d; looked at "
				     "2026-11-23T06:00:00Z, nothing is\n             due\n"));
	assert_non_null(strstr(text, "problem:     "));
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "legal holds: case-1, case-2\n"));
	assert_non_null(
		strstr(text, "erasures:    1 done, 2 under way, 1 waiting for a legal hold"));
	assert_non_null(strstr(text, "done again"));
	assert_int_equal(store_meta_put(store, "erasures", STR_LIT("\x01\xff"), &view.err), 0);
	assert_int_equal(life_view_put(&view.session, &view.err), -ERR_CORRUPT);
	end(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_nothing),
		cmocka_unit_test(each_thing_has_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
