#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/feed-report.h"
#include "tests/unit/feed-daemon.h"

static int send_to(enum feed_type answer, int code, struct error *err)
{
	struct feed_daemon daemon;
	struct record record;
	feed_daemon_start(&daemon, answer, code);
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT("querytrail");
	record.key = STR_LIT("k");
	record_set_text(&record, FIELD_note, STR_LIT("seen"));
	const struct feed_report report = {.path = daemon.path,
					   .source = "querytrail",
					   .source_type = "person",
					   .record = &record};
	int result = feed_report_send(&report, err);
	assert_int_equal(feed_daemon_end(&daemon), 0);
	return result;
}

static void only_a_commit_is_success(void **state)
{
	/* committed is 0; who must wait for another hears AGAIN; every other refusal is IO with its sentence; no daemon is told */
	struct error err;
	struct record record;
	(void)state;
	assert_int_equal(send_to(FEED_COMMITTED, 0, &err), 0);
	assert_int_equal(send_to(FEED_ERROR, ERR_AGAIN, &err), -ERR_AGAIN);
	assert_int_equal(send_to(FEED_ERROR, ERR_INPUT, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "not you"));
	assert_int_equal(send_to(FEED_STATUS, 0, &err), -ERR_IO);
	record_init(&record, RECORD_LIFECYCLE);
	const struct feed_report report = {.path = "/nonexistent/feed.sock",
					   .source = "querytrail",
					   .source_type = "person",
					   .record = &record};
	assert_true(feed_report_send(&report, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_a_commit_is_success)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
