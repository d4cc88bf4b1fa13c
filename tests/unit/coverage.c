#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/coverage.h"
#include "tests/golden/story-store.h"

static bool lacks(const char *state, const char *type, int64_t watermark, bool caught_up,
		  int64_t to)
{
	struct coverage coverage = {.from_ns = INT64_MIN, .to_ns = to, .now_ns = STORY_NOW_NS};
	struct store_source source = {.watermark_ns = watermark, .caught_up = caught_up};
	const char *why = "";
	(void)snprintf(source.state, sizeof(source.state), "%s", state);
	(void)snprintf(source.type, sizeof(source.type), "%s", type);
	return coverage_source_lacks(&coverage, &source, &why);
}

static void test_sources(void **state)
{
	/* Proves: a source lacks something when it failed, is silent, retries, lags behind the asked end or is not caught up; a done
	 * one and serve never do. */
	(void)state;
	const int64_t now = STORY_NOW_NS;
	assert_false(lacks("ok", "file", now - 1, true, INT64_MAX));
	assert_true(lacks("ok", "file", now - 1, false, INT64_MAX));
	assert_true(lacks("failed", "file", now, true, INT64_MAX));
	assert_true(lacks("silent", "file", now, true, INT64_MAX));
	assert_true(lacks("retrying", "file", now, true, INT64_MAX));
	assert_false(lacks("done", "file", INT64_MIN, false, INT64_MAX));
	assert_true(lacks("ok", "file", now - 100, true, now - 99));
	assert_false(lacks("ok", "file", now - 100, true, now - 100));
	assert_false(lacks("ok", "file", now - 100, false, now - 100));
	assert_false(
		lacks("ok", "file", now - 100, true, now + 50)); /* an end that has not come yet */
	assert_false(lacks("failed", "serve", now, true, INT64_MAX));
}

static void test_incomplete(void **state)
{
	/* Proves: gaps, damage and unread rows each make an answer incomplete and are told. */
	(void)state;
	struct run_gap gap = {.source = "sql", .from_ns = INT64_MIN, .to_ns = STORY_DAY_NS};
	struct run_result found = {.gaps = &gap};
	struct coverage coverage = {.result = &found, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct zone zone = zone_utc();
	struct buf out;
	buf_init(&out, 0);
	assert_false(coverage_incomplete(&coverage));
	coverage_put_text(&coverage, &zone, &out);
	assert_true(str_find(buf_str(&out), STR_LIT("nothing is missing"), 0) >= 0);
	buf_clear(&out);
	found.gap_count = 1;
	assert_true(coverage_incomplete(&coverage));
	coverage_put_text(&coverage, &zone, &out);
	assert_true(str_find(buf_str(&out),
			     STR_LIT("source sql has a gap from (unknown) to 2026-11-22 00:00:00Z"),
			     0) >= 0);
	buf_clear(&out);
	coverage_put_json(&coverage, &out);
	assert_true(str_find(buf_str(&out), STR_LIT("\"complete\":false"), 0) >= 0);
	found.gap_count = 0;
	coverage.unread = 1;
	assert_true(coverage_incomplete(&coverage));
	coverage.unread = 0;
	struct error what;
	(void)error_set(&what, ERR_CORRUPT, "block 7 \x1b[31m");
	run_result_note_damage(&found, &what);
	assert_true(coverage_incomplete(&coverage));
	for (size_t i = 0; i < RUN_DAMAGES_MAX + 2; i++) {
		(void)error_set(&what, ERR_CORRUPT, "block %zu", 8 + i);
		run_result_note_damage(&found, &what);
	}
	coverage.unread = 3;
	buf_clear(&out);
	coverage_put_text(&coverage, &zone, &out);
	struct str text = buf_str(&out);
	assert_true(str_find(text, STR_LIT("\n  missing: block 7 \\x1b[31m"), 0) >= 0);
	assert_true(str_find(text, STR_LIT("\n  missing: block 14"), 0) >= 0);
	assert_true(str_find(text, STR_LIT("block 15"), 0) < 0);
	assert_true(str_find(text, STR_LIT("\n  missing: 3 more damaged blocks"), 0) >= 0);
	assert_true(str_find(text, STR_LIT("\n  missing: 3 rows that cannot be read"), 0) >= 0);
	buf_clear(&out);
	coverage_put_json(&coverage, &out);
	text = buf_str(&out);
	assert_true(str_find(text, STR_LIT("\"damaged_blocks\":11,\"damage\":[\"block 7 "), 0) >=
		    0);
	assert_true(str_find(text, STR_LIT(",\"block 14\"]"), 0) >= 0);
	buf_done(&out);
}

/* What an answer up to to_ns says about a daemon that does not run. */
static bool tells_stopped(int64_t to_ns, bool stopped, const char *state, bool *out_incomplete)
{
	struct run_result found = {0};
	struct store_source source = {.name = "api",
				      .type = "cloudwatch",
				      .caught_up = true,
				      .received = 1,
				      .stored = 1,
				      .watermark_ns = STORY_NOW_NS,
				      .last_time_ns = STORY_DAY_NS};
	(void)snprintf(source.state, sizeof(source.state), "%s", state);
	struct coverage coverage = {.result = &found,
				    .sources = &source,
				    .source_count = 1,
				    .from_ns = INT64_MIN,
				    .to_ns = to_ns,
				    .now_ns = STORY_NOW_NS,
				    .daemon_stopped = stopped};
	struct zone zone = zone_utc();
	struct buf out;
	buf_init(&out, 0);
	coverage_put_text(&coverage, &zone, &out);
	bool tells = str_find(buf_str(&out),
			      STR_LIT("\n  querytraild is not running; the newest record is from "
				      "2026-11-22 00:00:00Z\n"),
			      0) > 0;
	*out_incomplete = coverage_incomplete(&coverage);
	buf_clear(&out);
	coverage_put_json(&coverage, &out);
	assert_int_equal(str_find(buf_str(&out), STR_LIT("\"daemon_running\":false"), 0) > 0,
			 stopped);
	buf_done(&out);
	return tells;
}

static void test_stopped(void **state)
{
	/* Proves: a question without an end on a store that nobody writes says so, which makes it no less complete; a question
	 * with an end in the past, a running daemon and a finished import say nothing. */
	(void)state;
	bool incomplete;
	assert_true(tells_stopped(INT64_MAX, true, "ok", &incomplete));
	assert_false(incomplete);
	assert_true(tells_stopped(STORY_NOW_NS + 1, true, "ok", &incomplete));
	assert_false(tells_stopped(STORY_NOW_NS, true, "ok", &incomplete));
	assert_false(tells_stopped(INT64_MAX, false, "ok", &incomplete));
	assert_false(tells_stopped(INT64_MAX, true, "done", &incomplete));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sources),
					   cmocka_unit_test(test_incomplete),
					   cmocka_unit_test(test_stopped)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
