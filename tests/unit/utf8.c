/* Unicode text: checked, cleaned, converted and made safe to show. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Good text is valid; overlong forms, surrogates, too large values and torn sequences are found where they stand. */
static void test_invalid(void **state)
{
	(void)state;
	assert_int_equal(utf8_invalid(STR_LIT("plain ascii text, longer than eight")), -1);
	assert_int_equal(utf8_invalid(STR_LIT("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf")),
			 -1);
	static const char *const wrong[] = {"\xc0\x80",
					    "\xe0\x80\x80",
					    "\xed\xa0\x80",
					    "\xf4\x90\x80\x80",
					    "\xf0\x80\x80\x80",
					    "\xc3",
					    "\x80",
					    "\xff",
					    "\xe2\x82",
					    "\xf8\x88\x80\x80\x80"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[32];
		size_t len = strlen(wrong[i]);
		memcpy(text, "0123456789", 10);
		memcpy(text + 10, wrong[i], len);
		assert_int_equal(utf8_invalid(str_make(text, 10 + len)), 10);
	}
}

/* Every code point goes there and back; surrogates become U+FFFD. */
static void test_code_points(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 0);
	for (uint32_t cp = 0; cp <= 0x110000; cp++) {
		size_t pos = 0;
		bool good = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
		buf_clear(&buf);
		utf8_put(&buf, cp);
		assert_int_equal(utf8_next(buf_str(&buf), &pos), good ? cp : 0xfffd);
		assert_int_equal(pos, buf.len);
	}
	buf_done(&buf);
}

/* One replacement for each maximal subpart, as Unicode 15 table 3-8 has it. */
static void test_clean(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 0);
	utf8_put_clean(&buf, STR_LIT("a\xf1\x80\x80\xe1\x80\xc2"
				     "b\x80"
				     "c\x80\xbf"
				     "d"));
	assert_string_equal(buf.ptr, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
				     "b\xef\xbf\xbd"
				     "c\xef\xbf\xbd\xef\xbf\xbd"
				     "d");
	buf_done(&buf);
}

/* UTF-16LE both ways, with pairs, lone halves and an odd byte. */
static void test_utf16(void **state)
{
	(void)state;
	struct buf wide, back;
	buf_init(&wide, 0);
	buf_init(&back, 0);
	utf8_put_as_utf16le(&wide, STR_LIT("a\xc3\xbc\xf0\x9f\x98\x80"));
	assert_int_equal(wide.len, 8);
	assert_memory_equal(wide.ptr, "a\0\xfc\0\x3d\xd8\x00\xde", 8);
	assert_int_equal(utf8_put_utf16le(&back, buf_str(&wide)), 0);
	assert_string_equal(back.ptr, "a\xc3\xbc\xf0\x9f\x98\x80");
	buf_clear(&back);
	assert_int_equal(utf8_put_utf16le(&back, str_make("\x3d\xd8x\0\x00\xde\x01", 7)), 3);
	assert_string_equal(back.ptr, "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd");
	buf_done(&wide);
	buf_done(&back);
}

/* Nothing that acts on a terminal or hides text is shown as itself. */
static void test_printable(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 0);
	utf8_put_printable(&buf, STR_LIT("a\x1b["
					 "31m\n\r\t\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\x8b\xff\xef\xbb"
					 "\xbf\\ \xc3\xbc"));
	assert_string_equal(
		buf.ptr,
		"a\\u{1b}[31m\\n\\r\\t\\u{7f}\\u{9b}\\u{202e}\\u{200b}\\xff\\u{feff}\\ \xc3\xbc");
	buf_done(&buf);
}

/* Width counts columns as shown; fit never cuts a character and never passes the columns. */
static void test_width(void **state)
{
	(void)state;
	assert_int_equal(utf8_width(STR_LIT("abc")), 3);
	assert_int_equal(utf8_width(STR_LIT("\xe6\x97\xa5\xe6\x9c\xac")), 4);
	assert_int_equal(utf8_width(STR_LIT("e\xcc\x81")), 1);
	assert_int_equal(utf8_width(STR_LIT("\x1b")), 6);
	assert_int_equal(utf8_width(STR_LIT("\xff")), 4);
	assert_int_equal(utf8_width(STR_LIT("\n")), 2);
	assert_true(str_is(utf8_fit(STR_LIT("\xe6\x97\xa5\xe6\x9c\xac"), 3), "\xe6\x97\xa5"));
	assert_int_equal(utf8_fit(STR_LIT("\x1b"), 5).len, 0);
	assert_int_equal(utf8_fit(STR_LIT("abc"), 99).len, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_invalid),   cmocka_unit_test(test_code_points),
		cmocka_unit_test(test_clean),     cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_printable), cmocka_unit_test(test_width),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
