/* The scanner gives events with offsets; texts go there and back. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* All values come as events in order, with their raw text. */
static void test_events(void **state)
{
	(void)state;
	struct json_scanner scanner =
		json_scanner(STR_LIT(" {\"a\":[1,-2.5e3,true,null],\"b\":{}} "));
	static const enum json_event want[] = {JSON_OBJECT_BEGIN, JSON_KEY,        JSON_ARRAY_BEGIN,
					       JSON_NUMBER,       JSON_NUMBER,     JSON_TRUE,
					       JSON_NULL,         JSON_ARRAY_END,  JSON_KEY,
					       JSON_OBJECT_BEGIN, JSON_OBJECT_END, JSON_OBJECT_END,
					       JSON_END,          JSON_END};
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(json_next(&scanner), want[i]);
		assert_true(i != 4 || str_is(scanner.text, "-2.5e3"));
	}
	assert_int_equal(scanner.pos, 34);
}

/* Concatenated values are read one after the other from where the last ended. */
static void test_concatenated(void **state)
{
	(void)state;
	struct str input = STR_LIT("{\"a\":1}{\"a\":2}");
	struct json_scanner scanner = json_scanner(input);
	struct str raw;
	assert_true(json_skip(&scanner, &raw));
	assert_true(str_is(raw, "{\"a\":1}"));
	scanner = json_scanner(str_slice(input, scanner.pos, input.len));
	assert_true(json_skip(&scanner, &raw));
	assert_true(str_is(raw, "{\"a\":2}"));
}

/* Each kind of wrong text is an error for ever, with the offset. */
static void test_errors(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",    "{",    "[1,]",  "{\"a\"}", "{\"a\":}", "{a:1}", "01", "1.",
		"1e",  "-",    "tru",   "\"x",     "[1 2]",    "{,}",   "[}", "{\"a\":1,}",
		"nul", "\"\\", "[\"a]", "+1",      ".5",       "}"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct json_scanner scanner = json_scanner(str_of(wrong[i]));
		enum json_event event = json_next(&scanner);
		for (int steps = 0; steps < 10 && event != JSON_ERROR && event != JSON_END;
		     steps++) {
			event = json_next(&scanner);
		}
		assert_int_equal(event, JSON_ERROR);
		assert_int_equal(json_next(&scanner), JSON_ERROR);
		assert_non_null(scanner.problem);
		assert_true(scanner.pos <= strlen(wrong[i]));
	}
	struct buf deep;
	buf_init(&deep, 0);
	buf_put_fill(&deep, '[', JSON_DEPTH_MAX + 1);
	struct json_scanner scanner = json_scanner(buf_str(&deep));
	struct str raw;
	assert_false(json_skip(&scanner, &raw));
	buf_done(&deep);
}

/* Skipping takes whole values, and stops at the end of an array. */
static void test_skip(void **state)
{
	(void)state;
	struct json_scanner scanner = json_scanner(STR_LIT("[{\"x\":[1,{}]} , \"s\"]"));
	struct str raw;
	assert_int_equal(json_next(&scanner), JSON_ARRAY_BEGIN);
	assert_true(json_skip(&scanner, &raw));
	assert_true(str_is(raw, "{\"x\":[1,{}]}"));
	assert_true(json_skip(&scanner, &raw));
	assert_true(str_is(raw, "\"s\""));
	assert_false(json_skip(&scanner, &raw));
}

/* Escapes, pairs and lone surrogates are resolved; what is no escape stays. */
static void test_unescape(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	assert_int_equal(json_unescape(STR_LIT("a\\n\\u00e9\\ud83d\\ude00\\/\\q\\u12"), true, &out),
			 0);
	assert_string_equal(out.ptr, "a\n\xc3\xa9\xf0\x9f\x98\x80/\\q\\u12");
	buf_clear(&out);
	assert_int_equal(json_unescape(STR_LIT("\\ud800x\\udc00"), true, &out), 2);
	assert_string_equal(out.ptr, "\xed\xa0\x80x\xed\xb0\x80");
	buf_clear(&out);
	assert_int_equal(json_unescape(STR_LIT("\\ud800"), false, &out), 1);
	assert_string_equal(out.ptr, "\xef\xbf\xbd");
	buf_done(&out);
}

/* Any text is written as a JSON string that reads back; controls and bidi marks are escaped, invalid bytes replaced. */
static void test_put(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	json_put_string(&out,
			str_make("q\"\\\n\x01\x7f\xe2\x80\xae\xed\xa0\x80\xff\xc3\xbc\0z", 17));
	assert_string_equal(
		out.ptr,
		"\"q\\\"\\\\\\n\\u0001\\u007f\\u202e\\ud800\xef\xbf\xbd\xc3\xbc\\u0000z\"");
	buf_clear(&out);
	bool first = true;
	json_put_key(&out, &first, "a");
	json_put_key(&out, &first, "b");
	assert_string_equal(out.ptr, "\"a\":,\"b\":");
	buf_done(&out);
}

/* Every ASCII byte at every place of a text longer than two words is written as it stands or escaped, and nothing around it changes. */
static void test_put_each_byte(void **state)
{
	(void)state;
	struct buf out, back;
	buf_init(&out, 0);
	buf_init(&back, 0);
	for (unsigned byte = 0; byte < 128; byte++) {
		bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
		for (size_t at = 0; at < 21; at++) {
			char text[] = "abcdefgh!#[]~ zyxwvut";
			text[at] = (char)byte;
			buf_clear(&out);
			buf_clear(&back);
			json_put_string(&out, str_make(text, 21));
			struct str inner = str_slice(buf_str(&out), 1, out.len - 2);
			assert_int_equal(inner.len == 21, plain);
			assert_int_equal(json_unescape(inner, true, &back), 0);
			assert_true(str_equal(buf_str(&back), str_make(text, 21)));
		}
	}
	buf_done(&out);
	buf_done(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),        cmocka_unit_test(test_concatenated),
		cmocka_unit_test(test_errors),        cmocka_unit_test(test_skip),
		cmocka_unit_test(test_unescape),      cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_each_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
