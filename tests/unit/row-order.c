#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/marks.h"
#include "query/row-order.h"
#include "tests/golden/story-store.h"

#include <fcntl.h>

#define ROWS 9

static void all_statements(const struct story_store *story, struct run_row rows[ROWS])
{
	for (int i = 0; i < ROWS; i++) {
		rows[i] = (struct run_row){.time_ns = MARKS_TIME_UNKNOWN,
					   .leaf = story->leaf[STORY_S_REFUSED - i],
					   .verdict_leaf = 7};
	}
}

static void test_times_and_order(void **state)
{
	/* Proves: rows without a time get that of their record, those with one keep it; the order is time, then statement id,
	 * whatever the order before. */
	(void)state;
	struct story_store story;
	struct run_row rows[ROWS];
	struct store *store;
	struct scan_fetch *fetch;
	struct error err;
	story_store_init(&story, true, false);
	assert_int_equal(store_open(story.dir, STORE_READ, &store, &err), 0);
	assert_int_equal(scan_fetch_open(store, &fetch, &err), 0);
	all_statements(&story, rows);
	rows[4].time_ns = 17;
	uint64_t leaf = rows[4].leaf;
	assert_int_equal(row_order_times(store, rows, ROWS, &err), 0);
	assert_int_equal(row_order_sort(store, rows, ROWS, &err), 0);
	assert_true(rows[0].leaf == leaf && rows[0].time_ns == 17);
	char before[RECORD_ID_DIGITS + 1] = "";
	size_t equal = 0;
	for (size_t i = 1; i < ROWS; i++) {
		struct record record;
		int64_t ingest_ns;
		char id[RECORD_ID_DIGITS + 1];
		assert_int_equal(scan_fetch_record(fetch, rows[i].leaf, &record, &ingest_ns, &err),
				 0);
		assert_true(rows[i].time_ns == record.time_ns);
		assert_true(rows[i].time_ns >= rows[i - 1].time_ns);
		assert_int_equal(rows[i].verdict_leaf, 7);
		record_stable_id(record.source, record.key, id);
		if (rows[i].time_ns == rows[i - 1].time_ns) {
			assert_true(strcmp(id, before) > 0);
			equal++;
		}
		memcpy(before, id, sizeof(id));
	}
	assert_true(equal > 0);
	scan_fetch_close(fetch);
	store_close(store);
	story_store_done(&story);
}

static void test_nothing(void **state)
{
	/* Proves: no rows are in order, and need no times. */
	(void)state;
	struct story_store story;
	struct store *store;
	story_store_init(&story, true, false);
	assert_int_equal(store_open(story.dir, STORE_READ, &store, NULL), 0);
	assert_int_equal(row_order_times(store, NULL, 0, NULL), 0);
	assert_int_equal(row_order_sort(store, NULL, 0, NULL), 0);
	store_close(store);
	story_store_done(&story);
}

static void test_damage(void **state)
{
	/* Proves: a block that cannot be read is an error when a row needs its time, which then stays unknown, and is none when no
	 * row does; the other rows get theirs. */
	(void)state;
	struct story_store story;
	struct run_row rows[ROWS + 1];
	struct store *store;
	struct error err;
	char path[128];
	story_store_init(&story, true, false);
	(void)snprintf(path, sizeof(path), "%s/head/000001.qth", story.dir);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	off_t end = lseek(fd, 0, SEEK_END);
	assert_int_equal(ftruncate(fd, end - 5000), 0); /* into the second batch, the statements */
	assert_int_equal(close(fd), 0);
	assert_int_equal(store_open(story.dir, STORE_READ, &store, &err), 0);
	all_statements(&story, rows);
	rows[ROWS] =
		(struct run_row){.time_ns = MARKS_TIME_UNKNOWN, .leaf = story.leaf[STORY_R_BOB]};
	assert_int_equal(row_order_times(store, rows, ROWS + 1, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.text, "000001.qth"));
	for (size_t i = 0; i <= ROWS; i++) {
		bool is_request = rows[i].leaf == story.leaf[STORY_R_BOB];
		assert_int_equal(rows[i].time_ns != MARKS_TIME_UNKNOWN, is_request);
	}
	rows[0] = (struct run_row){.time_ns = MARKS_TIME_UNKNOWN, .leaf = story.leaf[STORY_R_BOB]};
	assert_int_equal(row_order_times(store, rows, 1, &err), 0);
	assert_true(rows[0].time_ns != MARKS_TIME_UNKNOWN);
	store_close(store);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_and_order),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
