/* Scans miss nothing: every window is asked for to its last page before its position moves, whatever the service does. */
#include "collector/sources/cloudwatch/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

#include <stdio.h>

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define NOW    INT64_C(1795342830000)

static const struct scan_options usual = {.start_ms = HOUR,
					  .poll_ms = 5000,
					  .overlap_ms = 5 * MINUTE,
					  .settle_interval_ms = 15 * MINUTE,
					  .settle_window_ms = 2 * HOUR,
					  .settle_delay_ms = 2 * MINUTE,
					  .deep_interval_ms = 24 * HOUR,
					  .deep_window_ms = 24 * HOUR};

static void page(struct scans *scans, enum scan_kind kind, const char *token, int64_t now_ms)
{
	scans_page_done(scans, &usual, kind, str_of(token), now_ms);
}

/* The first scan begins `start` ago and ends now; the settle sweep follows at once and gives the watermark. */
static void test_first(void **state)
{
	(void)state;
	struct scans scans;
	enum scan_kind kind;
	int64_t wait_ms = -1;

	scans_init(&scans);
	assert_true(scans_busy(&scans));
	assert_true(scans_choose(&scans, &usual, NOW, &kind, &wait_ms));
	assert_int_equal(kind, SCAN_TAIL);
	assert_true(scans.scan[SCAN_TAIL].start_ms == NOW - HOUR);
	assert_true(scans.scan[SCAN_TAIL].end_ms == NOW);
	page(&scans, kind, "", NOW);
	assert_true(scans.tail_end_ms == NOW);
	assert_true(scans.settled_ms == SCAN_NONE);
	assert_true(scans_busy(&scans));
	assert_true(scans_choose(&scans, &usual, NOW + 10, &kind, &wait_ms));
	assert_int_equal(kind, SCAN_SETTLE);
	assert_true(scans.scan[SCAN_SETTLE].start_ms == NOW - HOUR); /* not before the first scan */
	page(&scans, kind, "", NOW + 20);
	assert_true(scans.settled_ms == NOW + 10 - 2 * MINUTE);
	assert_false(scans_busy(&scans));
	assert_false(scans_choose(&scans, &usual, NOW + 20, &kind, &wait_ms));
	assert_true(wait_ms == 5000 - 20);
	scans_done(&scans);
}

/* Only a page without a token ends a window; empty pages and refused tokens move nothing. */
static void test_last_page(void **state)
{
	(void)state;
	struct scans scans;
	enum scan_kind kind;
	int64_t wait_ms;

	scans_init(&scans);
	assert_true(scans_choose(&scans, &usual, NOW, &kind, &wait_ms));
	for (int i = 0; i < 5; i++) {
		page(&scans, kind, "more", NOW + i);
		assert_true(scans.tail_end_ms == SCAN_NONE);
		assert_true(scans_choose(&scans, &usual, NOW + i, &kind, &wait_ms));
		assert_true(str_is(buf_str(&scans.scan[kind].token), "more"));
	}
	scans_token_lost(&scans, kind);
	assert_int_equal(scans.scan[kind].token.len, 0);
	assert_true(scans.scan[kind].start_ms == NOW - HOUR);
	assert_true(scans.scan[kind].end_ms == NOW - HOUR / 2); /* half of it: fewer pages */
	assert_true(scans.tail_end_ms == SCAN_NONE);
	page(&scans, kind, "", NOW + 9);
	assert_true(scans.tail_end_ms == NOW - HOUR / 2);
	assert_true(scans.scan[kind].start_ms == NOW - HOUR / 2);
	page(&scans, kind, "", NOW + 9);
	assert_true(scans.tail_end_ms == NOW); /* when it was begun, not when it ended */
	scans_done(&scans);
}

/* A token older than its life is not sent again: its window begins anew. */
static void test_token_life(void **state)
{
	(void)state;
	struct scans scans;
	enum scan_kind kind;
	int64_t wait_ms;

	scans_init(&scans);
	assert_true(scans_choose(&scans, &usual, NOW, &kind, &wait_ms));
	page(&scans, kind, "more", NOW);
	assert_true(scans_choose(&scans, &usual, NOW + SCAN_TOKEN_LIFE_MS - 1, &kind, &wait_ms));
	assert_int_equal(scans.scan[kind].token.len, 4);
	assert_true(scans_choose(&scans, &usual, NOW + SCAN_TOKEN_LIFE_MS, &kind, &wait_ms));
	assert_int_equal(scans.scan[kind].token.len, 0);
	scans_done(&scans);
}

/* The next tail reaches back over the overlap and begins at the last one's end, never behind it. */
static void test_overlap(void **state)
{
	(void)state;
	struct scans scans;
	enum scan_kind kind;
	int64_t wait_ms;
	struct scan_options none = usual;

	scans_init(&scans);
	none.overlap_ms = 0;
	assert_true(scans_choose(&scans, &none, NOW, &kind, &wait_ms));
	page(&scans, SCAN_TAIL, "", NOW);
	assert_true(scans_choose(&scans, &none, NOW, &kind, &wait_ms));
	page(&scans, SCAN_SETTLE, "", NOW);
	assert_true(scans_choose(&scans, &none, NOW + 5000, &kind, &wait_ms));
	assert_int_equal(kind, SCAN_TAIL);
	assert_true(scans.scan[kind].start_ms == NOW);
	page(&scans, SCAN_TAIL, "", NOW + 5000);
	assert_true(scans_choose(&scans, &usual, NOW + 10000, &kind, &wait_ms));
	assert_true(scans.scan[kind].start_ms == NOW + 5000 - 5 * MINUTE);
	scans_done(&scans);
}

/* A long absence is read window by window, each beginning where the last ended, and settled as a whole. */
static void test_absence(void **state)
{
	(void)state;
	struct scans scans;
	enum scan_kind kind;
	int64_t wait_ms;
	int64_t later = NOW + 3 * 24 * HOUR;
	int64_t settled;
	int64_t expected;

	scans_init(&scans);
	assert_true(scans_choose(&scans, &usual, NOW, &kind, &wait_ms));
	page(&scans, SCAN_TAIL, "", NOW);
	assert_true(scans_choose(&scans, &usual, NOW, &kind, &wait_ms));
	page(&scans, SCAN_SETTLE, "", NOW);
	settled = scans.settled_ms;
	expected = NOW - 5 * MINUTE;
	int windows = 0;
	while (scans_choose(&scans, &usual, later, &kind, &wait_ms) && kind == SCAN_TAIL) {
		assert_true(scans.scan[SCAN_TAIL].start_ms == expected);
		expected = scans.scan[SCAN_TAIL].end_ms;
		assert_true(scans.settled_ms == settled);
		page(&scans, SCAN_TAIL, "", later);
		windows++;
	}
	assert_true(windows > 1);
	assert_true(expected == later);
	assert_int_equal(kind, SCAN_SETTLE);
	assert_true(scans.scan[SCAN_SETTLE].start_ms == settled);
	while (scans.scan[SCAN_SETTLE].active) {
		assert_true(scans.settled_ms == settled);
		page(&scans, SCAN_SETTLE, "", later);
	}
	assert_true(scans.settled_ms == later - 2 * MINUTE);
	scans_done(&scans);
}

/* A tail that is always due does not keep the sweeps from running. */
static void test_no_starving(void **state)
{
	(void)state;
	struct scans scans;
	struct scan_options eager = usual;
	int counts[SCAN_KINDS] = {0};

	eager.poll_ms = 0;
	eager.settle_interval_ms = 1;
	eager.deep_interval_ms = 10;
	scans_init(&scans);
	for (int64_t now_ms = NOW; now_ms < NOW + 60000; now_ms += 100) {
		enum scan_kind kind;
		int64_t wait_ms;
		assert_true(scans_choose(&scans, &eager, now_ms, &kind, &wait_ms));
		counts[kind]++;
		scans_page_done(&scans, &eager, kind, (struct str){0}, now_ms);
	}
	assert_true(counts[SCAN_TAIL] >= 100);
	assert_true(counts[SCAN_SETTLE] >= 100);
	scans_done(&scans);
}

/* What a cursor holds comes back the same, with scans under way and their tokens. */
static void test_cursor(void **state)
{
	(void)state;
	struct scans scans;
	struct scans again;
	struct buf first;
	struct buf second;
	struct error err;
	enum scan_kind kind;
	int64_t wait_ms;

	scans_init(&scans);
	scans_init(&again);
	buf_init(&first, 0);
	buf_init(&second, 0);
	assert_int_equal(scans_read(&again, (struct str){0}, &err), 0);
	assert_true(again.origin_ms == SCAN_NONE);
	assert_true(scans_choose(&scans, &usual, NOW, &kind, &wait_ms));
	page(&scans, SCAN_TAIL, "", NOW);
	assert_true(scans_choose(&scans, &usual, NOW, &kind, &wait_ms));
	page(&scans, SCAN_SETTLE, "settle token", NOW + 1);
	assert_true(scans_choose(&scans, &usual, NOW + 5000, &kind, &wait_ms));
	scans.scan[SCAN_SETTLE].slice = 3;
	scans.serial = 77;
	scans_put(&scans, &first);
	assert_int_equal(scans_read(&again, buf_str(&first), &err), 0);
	scans_put(&again, &second);
	assert_true(str_equal(buf_str(&first), buf_str(&second)));
	assert_true(str_is(buf_str(&again.scan[SCAN_SETTLE].token), "settle token"));
	for (size_t len = 1; len < first.len; len++) { /* cut anywhere, it is refused */
		assert_int_equal(scans_read(&again, str_slice(buf_str(&first), 0, len), &err),
				 -ERR_CORRUPT);
		assert_true(again.tail_end_ms == SCAN_NONE);
	}
	first.ptr[0] = 9;
	assert_int_equal(scans_read(&again, buf_str(&first), &err), -ERR_CORRUPT);
	buf_done(&first);
	buf_done(&second);
	scans_done(&scans);
	scans_done(&again);
}

/* A service in memory: lines with the time they happened and the time they become visible; pages of a few, some of them empty. */
#define LINES 4000
struct service {
	int64_t time_ms[LINES], visible_ms[LINES];
	bool seen[LINES];
	uint64_t random;
};

static uint64_t next_random(struct service *service)
{
	service->random = service->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return service->random >> 33;
}

/* Gives the page behind `from` lines and marks its lines as seen. Returns 1 + how many the next page is behind, or 0. */
static unsigned serve(struct service *service, const struct scan *scan, unsigned from,
		      int64_t now_ms)
{
	unsigned passed = 0;
	unsigned most = (unsigned)(next_random(service) % 100);

	for (int i = 0; i < LINES; i++) {
		bool inside = service->time_ms[i] >= scan->start_ms &&
			      service->time_ms[i] <= scan->end_ms &&
			      service->visible_ms[i] <= now_ms;
		if (!inside || passed++ < from) {
			continue;
		}
		if (passed - from > most) {
			return passed;
		}
		service->seen[i] = true;
	}
	return 0;
}

static unsigned token_number(const struct scan *scan)
{
	unsigned number = 0;

	for (size_t i = 0; i < scan->token.len; i++) {
		number = number * 10 + (unsigned)(scan->token.ptr[i] - '0');
	}
	return number > 0 ? number - 1 : 0;
}

/* With late lines, empty pages, failing calls, lost tokens and restarts from the cursor every line is given, and none before the
 * watermark is given after it. */
static void test_nothing_missing(void **state)
{
	(void)state;
	static struct service service = {.random = 42};
	struct scan_options options = usual;
	struct scans scans;
	struct buf cursor;
	struct error err;

	options.settle_delay_ms = 20 * MINUTE; /* the latest line is 15 minutes late */
	for (int i = 0; i < LINES; i++) {
		service.time_ms[i] = NOW + i * 1000;
		bool late = next_random(&service) % 10 == 0;
		service.visible_ms[i] =
			service.time_ms[i] +
			(late ? (int64_t)(next_random(&service) % (15 * MINUTE)) : 500);
	}
	scans_init(&scans);
	buf_init(&cursor, 0);
	int64_t now_ms = NOW;
	while (now_ms < NOW + LINES * 1000 + 2 * HOUR) {
		enum scan_kind kind;
		int64_t wait_ms = 0;
		if (!scans_choose(&scans, &options, now_ms, &kind, &wait_ms)) {
			now_ms += wait_ms;
			continue;
		}
		now_ms += 20;
		uint64_t fate = next_random(&service) % 1000;
		if (fate < 30) { /* the process is killed: what was committed last counts */
			assert_int_equal(scans_read(&scans, buf_str(&cursor), &err), 0);
			continue;
		}
		if (fate < 80) { /* the call fails */
			continue;
		}
		if (fate < 81) {
			scans_token_lost(&scans, kind);
			continue;
		}
		char token[16] = "";
		unsigned next =
			serve(&service, &scans.scan[kind], token_number(&scans.scan[kind]), now_ms);
		if (next > 0) {
			(void)snprintf(token, sizeof(token), "%u", next); /* it fits */
		}
		scans_page_done(&scans, &options, kind, str_of(token), now_ms);
		buf_clear(&cursor);
		scans_put(&scans, &cursor);
		for (int i = 0; i < LINES && scans.settled_ms != SCAN_NONE; i++) {
			if (service.time_ms[i] < scans.settled_ms && !service.seen[i]) {
				fail_msg("line %d is missing below the watermark", i);
			}
		}
	}
	assert_true(scans.settled_ms > NOW + LINES * 1000);
	for (int i = 0; i < LINES; i++) {
		if (!service.seen[i]) {
			fail_msg("line %d is missing", i);
		}
	}
	buf_done(&cursor);
	scans_done(&scans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),      cmocka_unit_test(test_last_page),
		cmocka_unit_test(test_token_life), cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_absence),    cmocka_unit_test(test_no_starving),
		cmocka_unit_test(test_cursor),     cmocka_unit_test(test_nothing_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
