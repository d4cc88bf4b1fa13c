#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "query/anchor-view.h"
#include "tests/unit/log-fixture.h"

static void put_anchor(struct log_fixture *log, const char *name, uint64_t size, int64_t taken_ns)
{
	struct anchor_state state = {.type = "witness",
				     .taken_size = size,
				     .taken_ns = taken_ns,
				     .failures = size < 5,
				     .origin = "example.com/log"};
	struct error err;
	(void)snprintf(state.name, sizeof state.name, "%s", name);
	(void)snprintf(state.text, sizeof state.text, "%s", size < 5 ? "aw\033ay" : "");
	assert_int_equal(anchors_put(log->filled.store, &state, &err), 0);
}

static void nothing_is_said_of_nothing(void **state)
{
	/* without anchors there are no lines; JSON says how far the log is signed */
	struct log_fixture log;
	struct anchor_view view;
	struct output out = {0};
	struct buf json;
	struct error err;
	bool first = true;
	(void)state;
	log_fixture_init(&log, 5);
	buf_init(&out.text, 0);
	buf_init(&json, 0);
	assert_int_equal(anchor_view_read(log.filled.store, &view, &err), 0);
	anchor_view_put(&view, 0, &out);
	anchor_view_put_line(&view, 0, &out.text);
	assert_int_equal(out.text.len, 0);
	anchor_view_put_json(&view, 0, &first, &json);
	assert_non_null(strstr(json.ptr, "\"signed\":5,"));
	assert_non_null(strstr(json.ptr, "\"anchored\":[],\"log_refused\":\"\""));
	buf_done(&out.text);
	buf_done(&json);
	log_fixture_done(&log);
}

static void ages_and_failures_are_told(void **state)
{
	/* what each has, since when, and what went wrong, made printable; more than fit are counted; a refusal is told */
	struct log_fixture log;
	struct anchor_view view;
	struct output out = {0};
	struct error err;
	char name[16];
	(void)state;
	log_fixture_init(&log, 5);
	buf_init(&out.text, 0);
	put_anchor(&log, "a", 5, 0);
	put_anchor(&log, "b", 3, 0);
	put_anchor(&log, "c", 0, INT64_MIN);
	struct anchor_state other = {.name = "d", .type = "file", .taken_size = 9, .origin = "x"};
	assert_int_equal(anchors_put(log.filled.store, &other, &err), 0);
	assert_int_equal(
		store_meta_put(log.filled.store, "log.refused", STR_LIT("a 9 - t seen"), &err), 0);
	assert_int_equal(anchor_view_read(log.filled.store, &view, &err), 0);
	anchor_view_put_line(&view, 12 * NS_PER_SEC, &out.text);
	assert_string_equal(
		out.text.ptr,
		"\n  anchored: a all 5 records 12 s ago, b 3 of 5 records 12 s ago, c nothing "
		"yet, d nothing yet\n  the log is refused by an anchor: a 9 - t seen");
	buf_clear(&out.text);
	anchor_view_put(&view, 12 * NS_PER_SEC, &out);
	assert_non_null(strstr(out.text.ptr, "anchors:     a (witness) all 5 records 12 s ago\n"));
	assert_non_null(
		strstr(out.text.ptr, "b (witness) 3 of 5 records 12 s ago; failed 1 time: aw"));
	assert_null(strchr(out.text.ptr, '\033'));
	assert_non_null(strstr(out.text.ptr, "refused"));
	for (int i = 0; i < ANCHOR_VIEW_MAX; i++) {
		(void)snprintf(name, sizeof name, "n%d", i);
		put_anchor(&log, name, 5, 0);
	}
	assert_int_equal(anchor_view_read(log.filled.store, &view, &err), 0);
	assert_int_equal(view.count, ANCHOR_VIEW_MAX + 4);
	buf_clear(&out.text);
	anchor_view_put(&view, 0, &out);
	assert_non_null(strstr(out.text.ptr, "and 4 more"));
	buf_done(&out.text);
	log_fixture_done(&log);
}

static void damage_is_told_and_takes_nothing_else(void **state)
{
	/* a row that is damaged is told; the reading succeeds */
	struct log_fixture log;
	struct anchor_view view;
	struct buf out;
	struct error err;
	bool first = true;
	(void)state;
	log_fixture_init(&log, 5);
	buf_init(&out, 0);
	put_anchor(&log, "a", 5, 0);
	filled_sql(&log.filled, "UPDATE anchors SET taken_ns = 1");
	assert_int_equal(anchor_view_read(log.filled.store, &view, &err), 0);
	assert_int_equal(view.signed_size, 5);
	anchor_view_put_line(&view, 0, &out);
	assert_non_null(strstr(out.ptr, "damaged"));
	anchor_view_put_json(&view, 0, &first, &out);
	assert_non_null(strstr(out.ptr, "anchors_damaged"));
	buf_done(&out);
	log_fixture_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_nothing),
		cmocka_unit_test(ages_and_failures_are_told),
		cmocka_unit_test(damage_is_told_and_takes_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
