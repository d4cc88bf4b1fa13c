#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/alert.h"

#include <stdlib.h>

static struct alert sample(void)
{
	struct alert alert = {0};
	alert.value[ALERT_id] = STR_LIT("0123456789abcdef");
	alert.value[ALERT_severity] = STR_LIT("high");
	alert.value[ALERT_explanation] = STR_LIT("");
	alert.value[ALERT_statement] = STR_LIT("SELECT '\xff\x01\"' \xe2\x80\xae");
	alert.value[ALERT_gap] = STR_LIT("last");
	return alert;
}

/* What is written is read back: the same fields, present and empty told apart from absent, and the same bytes again. */
static void test_round_trip(void **state)
{
	(void)state;
	struct alert alert = sample();
	struct alert back;
	struct buf once, twice;
	struct error err;
	buf_init(&once, 0);
	buf_init(&twice, 0);
	assert_int_equal(alert_encode(&alert, &once, &err), 0);
	assert_int_equal(alert_decode(buf_str(&once), &back, &err), 0);
	for (size_t i = 0; i < ALERT_FIELD_COUNT; i++) {
		assert_int_equal(back.value[i].ptr != NULL, alert.value[i].ptr != NULL);
		assert_true(str_equal(back.value[i], alert.value[i]));
	}
	assert_int_equal(alert_encode(&back, &twice, &err), 0);
	assert_true(str_equal(buf_str(&once), buf_str(&twice)));
	buf_done(&once);
	buf_done(&twice);
}

/* Each cut of an alert is refused, as is what stands behind it, a field twice and fields out of order. */
static void test_malformed(void **state)
{
	(void)state;
	struct alert alert = sample();
	struct alert back = {0};
	struct buf bytes;
	struct error err;
	buf_init(&bytes, 0);
	assert_int_equal(alert_encode(&alert, &bytes, &err), 0);
	for (size_t len = 0; len < bytes.len; len++) {
		assert_int_equal(alert_decode(str_slice(buf_str(&bytes), 0, len), &back, &err),
				 -ERR_INPUT);
		assert_null(back.value[ALERT_id].ptr);
	}
	buf_put_byte(&bytes, 0);
	assert_int_equal(alert_decode(buf_str(&bytes), &back, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "malformed at byte"));
	assert_int_equal(alert_decode(STR_LIT("\x02\x01x\x02\x01x\0"), &back, &err), -ERR_INPUT);
	assert_int_equal(alert_decode(STR_LIT("\x02\x01x\x01\x01x\0"), &back, &err), -ERR_INPUT);
	buf_done(&bytes);
}

/* A field of a later version is passed over, and what this version knows is taken. */
static void test_later_version(void **state)
{
	(void)state;
	struct alert back;
	struct error err;
	assert_int_equal(alert_decode(STR_LIT("\x03\x04high\xfe\x03new\0"), &back, &err), 0);
	assert_true(str_is(back.value[ALERT_severity], "high"));
}

/* More than an alert may have is refused, and the buffer is as before. */
static void test_limit(void **state)
{
	(void)state;
	struct alert alert = sample();
	struct buf out;
	struct error err;
	char *text = calloc(1, ALERT_MAX_BYTES);
	buf_init(&out, 0);
	buf_put_text(&out, "before");
	alert.value[ALERT_statement] = str_make(text, ALERT_MAX_BYTES);
	assert_int_equal(alert_encode(&alert, &out, &err), -ERR_LIMIT);
	assert_string_equal(out.ptr, "before");
	assert_false(out.failed);
	buf_done(&out);
	free(text);
}

/* The id depends on rule and record alone, and is another for each other rule and record. */
static void test_id(void **state)
{
	(void)state;
	char a[ALERT_ID_DIGITS + 1], b[ALERT_ID_DIGITS + 1];
	alert_id(STR_LIT("rule"), "0123456789abcdef", a);
	alert_id(STR_LIT("rule"), "0123456789abcdef", b);
	assert_string_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdef"), ALERT_ID_DIGITS);
	alert_id(STR_LIT("rule"), "0123456789abcdee", b);
	assert_string_not_equal(a, b);
	alert_id(STR_LIT("rul"), "e0123456789abcdef", b); /* the border between them counts */
	assert_string_not_equal(a, b);
}

/* Severities go from word to number and back; other words and numbers are none. */
static void test_severity(void **state)
{
	(void)state;
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(alert_severity(str_of(alert_severity_word(i))), i);
	}
	assert_string_equal(alert_severity_word(5), "critical");
	assert_int_equal(alert_severity(STR_LIT("High")), 0);
	assert_null(alert_severity_word(0));
	assert_null(alert_severity_word(6));
}

/* JSON has the fields that are there, in their order, with every character that could act escaped. */
static void test_json(void **state)
{
	(void)state;
	struct alert alert = sample();
	struct buf out;
	buf_init(&out, 0);
	alert_put_json(&alert, &out);
	assert_string_equal(out.ptr, "{\"id\":\"0123456789abcdef\",\"severity\":\"high\","
				     "\"explanation\":\"\",\"statement\":\"SELECT '\xef\xbf\xbd"
				     "\\u0001\\\"' \\u202e\",\"gap\":\"last\"}");
	buf_done(&out);
}

/* Every field has a name and says what it holds. */
static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALERT_FIELD_COUNT; i++) {
		assert_true(strlen(alert_field_name((enum alert_field)i)) > 0);
		assert_true(strlen(alert_field_help((enum alert_field)i)) > 0);
	}
	assert_string_equal(alert_field_name(ALERT_grade_reason), "grade_reason");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_later_version),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_severity),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
