#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/mail.h"

#include "tests/hostile/payloads.h"
#include "tests/unit/notify-fixture.h"

#define CHANNEL                                                                         \
	"    type: smtp\n    url: smtp://x\n    from: 'A B <a@mail.example>'\n    to: " \
	"[c@example.org, 'Ä <d@example.org>']\n"

static void test_text(void **state)
{
	/* proves: the plain part, byte for byte */
	struct alert set = {0};
	struct buf out;

	(void)state;
	set.value[ALERT_title] = STR_LIT("T");
	set.value[ALERT_user] = STR_LIT("alice");
	set.value[ALERT_statement] = STR_LIT("SELECT 1\n-- x");
	set.value[ALERT_explanation] = STR_LIT("Because.");
	struct notice *notice = fixture_notice("1", 1, &set);
	struct channel_message message = {
		.notices = &notice, .notice_count = 1, .more_count = 1, .now_ns = T0};
	buf_init(&out, 0);
	mail_text(&message, &out);
	assert_string_equal(
		out.ptr,
		"T: alice\n"
		"------------------------------------------------------------------------\n"
		"Who              alice\n"
		"\n"
		"Statement\n"
		"  | SELECT 1\n"
		"  | -- x\n"
		"\n"
		"Why it is risky\n"
		"  Because.\n"
		"\n"
		"Severity         high\n"
		"Rule             rule\n"
		"Alert            1\n"
		"\n\n"
		"1 more alert of this kind waits for the next mail.\n"
		"\n"
		"To see all that is known:  querytrail alerts show 1\n");
	notice_drop(notice);
	buf_done(&out);
}

static void test_html(void **state)
{
	/* proves: in the HTML part what has a meaning there is escaped, in texts and in the headline */
	struct alert set = {0};
	struct buf out;

	(void)state;
	set.value[ALERT_title] = STR_LIT("<b>&\"'");
	set.value[ALERT_statement] = STR_LIT("</pre><script>");
	struct notice *notice = fixture_notice("1", 1, &set);
	struct channel_message message = {.notices = &notice, .notice_count = 1, .now_ns = T0};
	buf_init(&out, 0);
	mail_html(&message, &out);
	assert_non_null(strstr(out.ptr, "&lt;b&gt;&amp;&quot;&#39;: somebody</h2>"));
	assert_non_null(strstr(out.ptr, "&lt;/pre&gt;&lt;script&gt;</pre>"));
	assert_null(strstr(out.ptr, "<script"));
	assert_null(strstr(out.ptr, "<b>&"));
	notice_drop(notice);
	buf_done(&out);
}

static void test_headers(void **state)
{
	/* proves: addresses keep their form with encoded names, the id is of the alerts, the date is now */
	struct config *config = fixture_config(CHANNEL);
	struct channel_settings settings = fixture_settings(config);
	struct notice *notice = fixture_notice("1", 1, NULL);
	struct channel_message message = {.notices = &notice, .notice_count = 1, .now_ns = T0};
	struct buf out;

	(void)state;
	buf_init(&out, MAIL_MAX);
	channel_message_id(&message);
	assert_int_equal(mail_write(&settings, &message, &out), 1);
	assert_true(str_has_prefix(
		buf_str(&out),
		STR_LIT("From: A B\r\n <a@mail.example>\r\nTo: c@example.org,\r\n "
			"=?utf-8?B?w4Q=?=\r\n <d@example.org>\r\n"
			"Subject: [high] rule: somebody\r\nDate: 22 Nov 2026 22:00:00 +0000\r\n")));
	assert_non_null(strstr(out.ptr, "@mail.example>\r\nAuto-Submitted: auto-generated\r\n"));
	assert_non_null(strstr(out.ptr, message.id));
	notice_drop(notice);
	config_free(config);
	buf_done(&out);
}

static void test_large(void **state)
{
	/* proves: alerts that are too much for one mail are left for the next, and the mail says so; one alone always fits */
	struct config *config = fixture_config(CHANNEL);
	struct channel_settings settings = fixture_settings(config);
	struct alert set = {0};
	struct notice *many[64];
	struct buf text;
	struct buf out;

	(void)state;
	buf_init(&text, 0);
	buf_init(&out, MAIL_MAX);
	buf_put_fill(&text, '<', 100000);
	set.value[ALERT_statement] = buf_str(&text);
	set.value[ALERT_explanation] = buf_str(&text);
	set.value[ALERT_next_steps] = buf_str(&text);
	struct notice *notice = fixture_notice("1", 1, &set);
	for (size_t i = 0; i < 64; i++) {
		many[i] = notice;
	}
	struct channel_message message = {.notices = many, .notice_count = 64, .now_ns = T0};
	size_t taken = mail_write(&settings, &message, &out);
	assert_true(taken >= 1 && taken < 64);
	assert_true(out.len < MAIL_MAX);
	assert_non_null(strstr(out.ptr, "more alerts of this kind wait for the next"));
	message.notice_count = 1;
	assert_int_equal(mail_write(&settings, &message, &out), 1);
	buf_put_fill(&text, 0, 300000);
	struct buf small;
	buf_init(&small, 1000);
	assert_int_equal(mail_write(&settings, &message, &small), 0);
	notice_drop(notice);
	config_free(config);
	buf_done(&text);
	buf_done(&small);
	buf_done(&out);
}

static void test_payloads(void **state)
{
	/* proves: with a hostile text in all fields a mail has short lines of plain bytes, ended by CR LF and three boundaries, no more */
	struct config *config = fixture_config(CHANNEL);
	struct channel_settings settings = fixture_settings(config);
	struct alert set = {0};
	struct buf text;
	struct buf out;

	(void)state;
	buf_init(&text, 0);
	buf_init(&out, MAIL_MAX);
	for (size_t i = 0; i < PAYLOAD_COUNT; i++) {
		size_t boundaries = 0;
		buf_clear(&text);
		payload_put(i, &text);
		for (int field = 0; field < ALERT_FIELD_COUNT; field++) {
			set.value[field] = str_slice(buf_str(&text), 0, 8000);
		}
		struct notice *notice = fixture_notice("1", 1, &set);
		struct channel_message message = {
			.notices = &notice, .notice_count = 1, .now_ns = T0};
		assert_int_equal(mail_write(&settings, &message, &out), 1);
		for (struct str rest = buf_str(&out); rest.ptr != NULL;) {
			struct str line = str_split(&rest, '\n');
			assert_true(line.len <= 79);
			assert_true(rest.ptr == NULL ||
				    (line.len > 0 && line.ptr[line.len - 1] == '\r'));
			boundaries += str_has_prefix(line, STR_LIT("--=_msg_"));
			for (size_t at = 0; at + 1 < line.len; at++) {
				assert_true((uint8_t)line.ptr[at] >= 0x20 &&
					    (uint8_t)line.ptr[at] < 0x7f);
			}
		}
		assert_int_equal(boundaries, 3);
		notice_drop(notice);
	}
	config_free(config);
	buf_done(&text);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),     cmocka_unit_test(test_html),
		cmocka_unit_test(test_headers),  cmocka_unit_test(test_large),
		cmocka_unit_test(test_payloads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
