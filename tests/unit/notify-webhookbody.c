#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/webhookbody.h"

#include "base/json.h"
#include "base/utf8.h"
#include "tests/hostile/payloads.h"
#include "tests/unit/notify-fixture.h"

#include <stdio.h>

#define MANY 12

/* Whether the body is one JSON value and nothing else, without raw control bytes. */
static bool is_json(struct str body)
{
	struct json_scanner scanner = json_scanner(body);
	enum json_event event;

	do {
		event = json_next(&scanner);
	} while (event != JSON_END && event != JSON_ERROR);
	for (size_t i = 0; i < body.len; i++) {
		if ((uint8_t)body.ptr[i] < 0x20 || body.ptr[i] == 0x7f) {
			return false;
		}
	}
	return event == JSON_END && scanner.pos == body.len;
}

static void test_body(void **state)
{
	/* proves: the whole body of an alert, byte for byte */
	struct alert set = {0};
	struct buf out;

	(void)state;
	set.value[ALERT_fired] = STR_LIT("2026-11-22T10:00:00Z");
	set.value[ALERT_statement] = STR_LIT("a\"\n\xff\xed\xa0\x80");
	set.value[ALERT_table] = STR_LIT("");
	struct notice *notice = fixture_notice("1", 7, &set);
	struct channel_message message = {
		.notices = &notice, .notice_count = 1, .more_count = 2, .now_ns = T0};
	buf_init(&out, 0);
	assert_int_equal(webhook_body(&message, &out), 1);
	assert_string_equal(out.ptr, "{\"type\":\"alert.firing\",\"timestamp\":\"2026-11-22T10:00:"
				     "00.000Z\",\"data\":{\"alerts\":[{\"id\":\"1\","
				     "\"state\":\"firing\",\"severity\":\"high\",\"rule\":\"rule\","
				     "\"fired\":\"2026-11-22T10:00:00Z\","
				     "\"table\":\"\",\"statement\":\"a\\\"\\n\xef\xbf\xbd\\ud800\","
				     "\"revision\":7}],\"more\":2}}");
	message.test = true;
	assert_int_equal(webhook_body(&message, &out), 1);
	assert_non_null(strstr(out.ptr, "\"type\":\"alert.test\""));
	notice_drop(notice);
	buf_done(&out);
}

static void test_resolved(void **state)
{
	/* proves: a resolved alert says so, with the time of its end; a time that is none becomes now */
	struct alert set = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	set.value[ALERT_state] = STR_LIT("resolved");
	set.value[ALERT_resolved] = STR_LIT("2026-11-22T11:00:00Z");
	struct notice *notice = fixture_notice("1", 1, &set);
	struct channel_message message = {.notices = &notice, .notice_count = 1, .now_ns = T0};
	assert_int_equal(webhook_body(&message, &out), 1);
	assert_true(
		str_has_prefix(buf_str(&out), STR_LIT("{\"type\":\"alert.resolved\",\"timestamp\":"
						      "\"2026-11-22T11:00:00.000Z\"")));
	notice_drop(notice);
	set.value[ALERT_resolved] = STR_LIT("soon");
	notice = fixture_notice("1", 1, &set);
	assert_int_equal(webhook_body(&message, &out), 1);
	assert_non_null(strstr(out.ptr, "\"timestamp\":\"2026-11-2"));
	notice_drop(notice);
	buf_done(&out);
}

static void fill(struct alert *set, struct str text)
{
	for (int i = 0; i < ALERT_FIELD_COUNT; i++) {
		set->value[i] = text;
	}
	set->value[ALERT_state] = STR_LIT("firing");
}

static void test_limit(void **state)
{
	/* proves: whatever an alert holds, and however many there are, the body is JSON of at most 20,000 bytes with at least one of them */
	struct alert set = {0};
	struct buf text;
	struct buf out;

	(void)state;
	buf_init(&text, 0);
	buf_init(&out, 0);
	for (size_t i = 0; i < PAYLOAD_COUNT; i++) {
		buf_clear(&text);
		payload_put(i, &text);
		fill(&set, str_slice(buf_str(&text), 0, 20000));
		struct notice *notice = fixture_notice("1", 1, &set);
		struct notice *many[MANY];
		for (size_t j = 0; j < MANY; j++) {
			many[j] = notice;
		}
		struct channel_message message = {
			.notices = many, .notice_count = MANY, .now_ns = T0};
		size_t taken = webhook_body(&message, &out);
		assert_true(taken >= 1 && taken <= MANY);
		assert_true(out.len <= WEBHOOK_BODY_MAX);
		assert_true(is_json(buf_str(&out)));
		notice_drop(notice);
	}
	buf_done(&text);
	buf_done(&out);
}

static void test_cut(void **state)
{
	/* proves: what is cut ends in an ellipsis at a character border and is named; what fits stays whole; the rest counts as more */
	struct alert set = {0};
	struct buf text;
	struct buf out;

	(void)state;
	buf_init(&text, 0);
	buf_init(&out, 0);
	for (int i = 0; i < 10000; i++) {
		buf_put_text(&text, "é");
	}
	set.value[ALERT_statement] = buf_str(&text);
	set.value[ALERT_user] = STR_LIT("alice");
	struct notice *notice = fixture_notice("1", 1, &set);
	struct notice *many[] = {notice, notice, notice};
	struct channel_message message = {
		.notices = many, .notice_count = 3, .more_count = 4, .now_ns = T0};
	assert_int_equal(webhook_body(&message, &out), 3);
	assert_non_null(strstr(out.ptr, "é…\",\"revision\":1,\"cut\":[\"statement\"]}"));
	assert_non_null(strstr(out.ptr, "\"user\":\"alice\""));
	assert_non_null(strstr(out.ptr, "\"more\":4}}"));
	assert_int_equal(utf8_invalid(buf_str(&out)), -1);
	struct notice *hundred[100];
	for (size_t i = 0; i < 100; i++) {
		hundred[i] = notice;
	}
	message.notices = hundred;
	message.notice_count = 100;
	size_t taken = webhook_body(&message, &out);
	char more[32];
	(void)snprintf(more, sizeof(more), "\"more\":%zu}}", 104 - taken);
	assert_true(taken > 5 && taken < 100);
	assert_non_null(strstr(out.ptr, more));
	notice_drop(notice);
	buf_done(&text);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_resolved),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
