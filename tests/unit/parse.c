/* Numbers and encodings: all of the text or nothing. */
#include "base/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Integers: limits hold, anything else is refused and leaves the output alone. */
static void test_integers(void **state)
{
	(void)state;
	uint64_t u = 5;
	int64_t i = 5;
	assert_true(parse_u64(STR_LIT("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_false(parse_u64(STR_LIT("18446744073709551616"), &u));
	assert_false(parse_u64(STR_LIT(""), &u));
	assert_false(parse_u64(STR_LIT("+1"), &u));
	assert_false(parse_u64(STR_LIT("1 "), &u));
	assert_true(u == UINT64_MAX);
	assert_true(parse_i64(STR_LIT("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_true(parse_i64(STR_LIT("9223372036854775807"), &i) && i == INT64_MAX);
	assert_false(parse_i64(STR_LIT("9223372036854775808"), &i));
	assert_false(parse_i64(STR_LIT("-"), &i));
	assert_false(parse_i64(STR_LIT("--1"), &i));
}

/* Decimals are scaled, cut past the scale, and keep their sign. */
static void test_decimal(void **state)
{
	(void)state;
	int64_t v = 0;
	assert_true(parse_decimal(STR_LIT("12.5"), 1000, &v) && v == 12500);
	assert_true(parse_decimal(STR_LIT("-0.25"), 100, &v) && v == -25);
	assert_true(parse_decimal(STR_LIT("3"), 10, &v) && v == 30);
	assert_true(parse_decimal(STR_LIT("1.99"), 10, &v) && v == 19);
	assert_false(parse_decimal(STR_LIT("1."), 10, &v));
	assert_false(parse_decimal(STR_LIT(".5"), 10, &v));
	assert_false(parse_decimal(STR_LIT("1.2.3"), 10, &v));
	assert_false(parse_decimal(STR_LIT("9223372036854775807"), 10, &v));
}

/* Words and sizes. */
static void test_words(void **state)
{
	(void)state;
	bool b = false;
	uint64_t size = 0;
	assert_true(parse_bool(STR_LIT("yes"), &b) && b);
	assert_true(parse_bool(STR_LIT("0"), &b) && !b);
	assert_false(parse_bool(STR_LIT("TRUE"), &b));
	assert_true(parse_size(STR_LIT("64MiB"), &size) && size == 64u << 20);
	assert_true(parse_size(STR_LIT("12"), &size) && size == 12);
	assert_false(parse_size(STR_LIT("12MB"), &size));
	assert_false(parse_size(STR_LIT("99999999999999999999GiB"), &size));
}

/* Base64 and hex in RFC 4648's own examples, both ways; sloppy spellings are refused. */
static void test_encodings(void **state)
{
	(void)state;
	static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
	static const char *const coded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
					    "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
	struct buf out;
	buf_init(&out, 0);
	for (size_t i = 0; i < 7; i++) {
		buf_clear(&out);
		parse_put_base64(&out, str_of(plain[i]));
		assert_true(str_is(buf_str(&out), coded[i]));
		buf_clear(&out);
		assert_true(parse_base64(str_of(coded[i]), &out));
		assert_true(str_is(buf_str(&out), plain[i]));
	}
	buf_clear(&out);
	assert_false(parse_base64(STR_LIT("Zg="), &out));
	assert_false(parse_base64(STR_LIT("Zh=="), &out));
	assert_false(parse_base64(STR_LIT("Z==="), &out));
	assert_false(parse_base64(STR_LIT("Zm9-"), &out));
	assert_int_equal(out.len, 0);
	parse_put_base64url(&out, str_make("\xfb\xff", 2));
	assert_true(str_is(buf_str(&out), "-_8"));
	buf_clear(&out);
	assert_true(parse_base64url(STR_LIT("-_8"), &out));
	assert_memory_equal(out.ptr, "\xfb\xff", 2);
	buf_clear(&out);
	assert_true(parse_hex(STR_LIT("00fFA1"), &out));
	assert_memory_equal(out.ptr, "\x00\xff\xa1", 3);
	assert_false(parse_hex(STR_LIT("0"), &out));
	assert_false(parse_hex(STR_LIT("0g"), &out));
	assert_int_equal(out.len, 3);
	buf_done(&out);
}

/* Percent escapes both ways; a broken one is refused. */
static void test_percent(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	parse_put_percent(&out, STR_LIT("a b/%\xc3\xbc~"));
	assert_true(str_is(buf_str(&out), "a%20b%2F%25%C3%BC~"));
	struct buf back;
	buf_init(&back, 0);
	assert_true(parse_percent(buf_str(&out), &back));
	assert_true(str_is(buf_str(&back), "a b/%\xc3\xbc~"));
	assert_false(parse_percent(STR_LIT("a%2"), &back));
	assert_false(parse_percent(STR_LIT("a%"), &back));
	assert_false(parse_percent(STR_LIT("a%zz"), &back));
	buf_done(&back);
	buf_done(&out);
}

/* UUIDs and addresses. */
static void test_ids(void **state)
{
	(void)state;
	uint8_t uuid[16];
	assert_true(parse_uuid(STR_LIT("00112233-4455-6677-8899-aAbBcCdDeEfF"), uuid));
	assert_memory_equal(uuid,
			    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
	assert_false(parse_uuid(STR_LIT("00112233-4455-6677-8899-aAbBcCdDeEf"), uuid));
	assert_false(parse_uuid(STR_LIT("00112233x4455-6677-8899-aAbBcCdDeEfF"), uuid));
	assert_false(parse_uuid(STR_LIT("0011223-34455-6677-8899-aAbBcCdDeEfF"), uuid));
	assert_true(parse_is_ip(STR_LIT("10.0.0.1")));
	assert_true(parse_is_ip(STR_LIT("2001:db8::1")));
	assert_false(parse_is_ip(STR_LIT("10.0.0.256")));
	assert_false(parse_is_ip(STR_LIT("local machine")));
	assert_false(parse_is_ip(str_make("1.1.1.1\0x", 9)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers), cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_words),    cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_percent),  cmocka_unit_test(test_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
