/* The cursor comes back as it was, refuses what is damaged, and lets repeats drop out one for one. */
#include "collector/sources/sqlserver/auditcursor.h"

#include "model/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void fill(struct auditcursor *cursor)
{
	struct error err;
	auditcursor_init(cursor);
	assert_int_equal(auditcursor_enter(cursor, STR_LIT("app_0D_0_132.sqlaudit"), &err), 0);
	assert_int_equal(auditcursor_take(cursor, 1024, 7, &err), 0);
	assert_int_equal(auditcursor_take(cursor, 2048, 8, &err), 0);
	assert_int_equal(auditcursor_take(cursor, 2048, 8, &err), 0);
	assert_int_equal(auditcursor_take(cursor, 2048, 9, &err), 0);
	cursor->generation = 42;
	cursor->last_time_ns = -5;
	buf_put_text(&cursor->joiner, "parts");
}

/* Every field survives encoding, and the bytes of a decoded cursor are the same bytes. */
static void test_round_trip(void **state)
{
	(void)state;
	struct auditcursor cursor, back, copy;
	struct error err;
	struct buf bytes, again;
	fill(&cursor);
	auditcursor_init(&back);
	auditcursor_init(&copy);
	buf_init(&bytes, FEED_CURSOR_MAX);
	buf_init(&again, FEED_CURSOR_MAX);
	assert_int_equal(auditcursor_encode(&cursor, &bytes, &err), 0);
	assert_int_equal(auditcursor_decode(buf_str(&bytes), &back, &err), 0);
	assert_true(str_is(auditcursor_file(&back), "app_0D_0_132.sqlaudit"));
	assert_int_equal(back.before_offset, 1024);
	assert_int_equal(back.last_offset, 2048);
	assert_int_equal(back.last_time_ns, -5);
	assert_int_equal(back.seen_count, 3);
	assert_int_equal(back.generation, 42);
	assert_true(str_is(buf_str(&back.joiner), "parts"));
	assert_int_equal(auditcursor_copy(&copy, &back, &err), 0);
	assert_int_equal(auditcursor_encode(&copy, &again, &err), 0);
	assert_true(str_equal(buf_str(&bytes), buf_str(&again)));
	auditcursor_done(&cursor);
	auditcursor_done(&back);
	auditcursor_done(&copy);
	buf_done(&bytes);
	buf_done(&again);
}

/* No bytes are the cursor of the very first start. */
static void test_empty(void **state)
{
	(void)state;
	struct auditcursor cursor;
	struct error err;
	fill(&cursor);
	assert_int_equal(auditcursor_decode((struct str){0}, &cursor, &err), 0);
	assert_int_equal(auditcursor_file(&cursor).len, 0);
	assert_int_equal(cursor.last_offset, AUDITCURSOR_START);
	auditcursor_done(&cursor);
}

/* Cut at any byte, with a byte too many, or of another version it is ERR_CORRUPT and empty. */
static void test_damage(void **state)
{
	(void)state;
	struct auditcursor cursor, back;
	struct error err;
	struct buf bytes;
	fill(&cursor);
	auditcursor_init(&back);
	buf_init(&bytes, FEED_CURSOR_MAX);
	assert_int_equal(auditcursor_encode(&cursor, &bytes, &err), 0);
	for (size_t len = 1; len < bytes.len; len++) {
		assert_int_equal(auditcursor_decode(str_make(bytes.ptr, len), &back, &err),
				 -ERR_CORRUPT);
		assert_int_equal(auditcursor_file(&back).len, 0);
	}
	buf_put_byte(&bytes, 0);
	assert_int_equal(auditcursor_decode(buf_str(&bytes), &back, &err), -ERR_CORRUPT);
	bytes.ptr[0] = 9;
	assert_int_equal(auditcursor_decode(buf_str(&bytes), &back, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.text, "version 9"));
	auditcursor_done(&cursor);
	auditcursor_done(&back);
	buf_done(&bytes);
}

/* A new buffer forgets the rows of the one before, and its offset becomes the place to read from. */
static void test_take(void **state)
{
	(void)state;
	struct auditcursor cursor;
	struct error err;
	fill(&cursor);
	assert_int_equal(auditcursor_take(&cursor, 4096, 1, &err), 0);
	assert_int_equal(cursor.before_offset, 2048);
	assert_int_equal(cursor.seen_count, 1);
	assert_int_equal(auditcursor_enter(&cursor, STR_LIT("next"), &err), 0);
	assert_int_equal(cursor.before_offset, AUDITCURSOR_START);
	assert_int_equal(cursor.seen_count, 0);
	assert_int_equal(auditcursor_enter(&cursor, (struct str){0}, &err), -ERR_LIMIT);
	auditcursor_done(&cursor);
}

/* Two rows with one hash drop out twice, not three times; unknown ones never. */
static void test_seen(void **state)
{
	(void)state;
	struct auditcursor cursor;
	struct auditcursor_seen seen;
	struct error err;
	fill(&cursor);
	assert_int_equal(auditcursor_seen_init(&seen, &cursor, &err), 0);
	assert_true(auditcursor_seen_drop(&seen, 8));
	assert_true(auditcursor_seen_drop(&seen, 9));
	assert_true(auditcursor_seen_drop(&seen, 8));
	assert_false(auditcursor_seen_drop(&seen, 8));
	assert_false(auditcursor_seen_drop(&seen, 7));
	auditcursor_seen_done(&seen);
	auditcursor_done(&cursor);
}

/* The largest buffer and joiner state that are saved fit a feed cursor; more rows are cut, a larger state is refused. */
static void test_limits(void **state)
{
	(void)state;
	struct auditcursor cursor, back;
	struct error err;
	struct buf bytes;
	fill(&cursor);
	auditcursor_init(&back);
	buf_init(&bytes, FEED_CURSOR_MAX);
	buf_clear(&cursor.joiner);
	buf_put_fill(&cursor.joiner, 'j', AUDITCURSOR_JOINER_MAX);
	for (uint64_t i = 0; i < AUDITCURSOR_SEEN_SAVED + 10; i++) {
		assert_int_equal(auditcursor_take(&cursor, 4096, i, &err), 0);
	}
	assert_int_equal(auditcursor_encode(&cursor, &bytes, &err), 0);
	assert_int_equal(auditcursor_decode(buf_str(&bytes), &back, &err), 0);
	assert_int_equal(back.seen_count, AUDITCURSOR_SEEN_SAVED);
	buf_put_byte(&cursor.joiner, 'j');
	buf_clear(&bytes);
	assert_int_equal(auditcursor_encode(&cursor, &bytes, &err), -ERR_LIMIT);
	assert_int_equal(bytes.len, 0);
	auditcursor_done(&cursor);
	auditcursor_done(&back);
	buf_done(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_damage),     cmocka_unit_test(test_take),
		cmocka_unit_test(test_seen),       cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
