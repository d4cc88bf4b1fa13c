/* Growing text keeps its limit, its NUL and its sticky failure. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* All writers append what they say. */
static void test_writers(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 0);
	buf_put_text(&buf, "a");
	buf_put_byte(&buf, 'b');
	buf_put_str(&buf, STR_LIT("c"));
	buf_put_fill(&buf, '-', 3);
	buf_putf(&buf, "%d%s", 7, "x");
	buf_put_i64(&buf, INT64_MIN);
	buf_put_byte(&buf, ' ');
	buf_put_u64(&buf, UINT64_MAX);
	buf_put_byte(&buf, ' ');
	buf_put_hex(&buf, str_make("\x00\xff\x1a", 3));
	assert_string_equal(buf.ptr, "abc---7x-9223372036854775808 18446744073709551615 00ff1a");
	assert_int_equal(buf_check(&buf, "the text", NULL), 0);
	buf_done(&buf);
}

/* A write past the limit changes nothing, stays failed, and is told by name. */
static void test_limit(void **state)
{
	(void)state;
	struct buf buf;
	struct error err = {0};
	buf_init(&buf, 4);
	buf_put_text(&buf, "abcd");
	assert_false(buf.failed);
	buf_put_byte(&buf, 'e');
	assert_true(buf.failed);
	assert_string_equal(buf.ptr, "abcd");
	buf_put_text(&buf, "");
	assert_int_equal(buf_reserve(&buf, 0), -ERR_LIMIT);
	assert_int_equal(buf_check(&buf, "the reply", &err), -ERR_LIMIT);
	assert_non_null(strstr(err.text, "the reply"));
	buf_clear(&buf);
	assert_false(buf.failed);
	buf_putf(&buf, "%s", "12345");
	assert_true(buf.failed);
	assert_int_equal(buf.len, 0);
	buf_done(&buf);
}

/* Truncating and consuming keep the rest and the NUL. */
static void test_cut(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 0);
	buf_put_text(&buf, "hello world");
	buf_consume(&buf, 6);
	assert_string_equal(buf.ptr, "world");
	buf_truncate(&buf, 2);
	assert_string_equal(buf.ptr, "wo");
	buf_consume(&buf, 0);
	buf_consume(&buf, 2);
	assert_int_equal(buf.len, 0);
	for (int i = 0; i < 100000; i++) {
		buf_put_byte(&buf, 'x');
	}
	assert_int_equal(buf.len, 100000);
	assert_int_equal(buf.ptr[100000], 0);
	buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
