#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/channel.h"
#include "tests/unit/notify-fixture.h"

#include <stdio.h>

static void test_notice(void **state)
{
	/* proves: a notice keeps a copy; what is no alert, and an alert without an id, are refused */
	struct notice *notice;
	struct error err;
	char bytes[] = "\1\2ab\0";

	(void)state;
	assert_int_equal(notice_new(str_make(bytes, 5), 3, &notice, &err), 0);
	memset(bytes, 'x', sizeof(bytes));
	assert_true(str_is(notice->alert.value[ALERT_id], "ab"));
	assert_int_equal(notice->revision, 3);
	assert_ptr_equal(notice_hold(notice), notice);
	notice_drop(notice);
	assert_true(str_is(notice->alert.value[ALERT_id], "ab"));
	notice_drop(notice);
	notice_drop(NULL);
	assert_int_equal(notice_new(str_make(bytes, 5), 3, &notice, &err), -ERR_INPUT);
	assert_int_equal(notice_new(str_make("\2\2ab\0", 5), 3, &notice, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "no id"));
}

static void test_settings(void **state)
{
	/* proves: settings come from the channel's section, with the defaults of its type; an unknown name says which is near */
	struct config *config =
		fixture_config("    type: webhook\n    url: http://x\n    tries: 3\n"
			       "    group_wait: 1s\n    min_severity: low\n");
	struct channel_settings settings = fixture_settings(config);
	struct error err;

	(void)state;
	assert_string_equal(settings.name, "c");
	assert_string_equal(settings.section, "channels.c");
	assert_ptr_equal(settings.type, &channel_webhook);
	assert_int_equal(settings.tries, 3);
	assert_int_equal(settings.retry_wait_ns, 30 * NS_PER_SEC);
	assert_int_equal(settings.retry_max_ns, 6 * NS_PER_HOUR);
	assert_int_equal(settings.group_wait_ns, NS_PER_SEC);
	assert_int_equal(settings.group_limit, 10);
	assert_int_equal(settings.resend_ns, 0);
	assert_int_equal(settings.min_severity, 2);
	assert_string_equal(channel_option(&settings, "url"), "http://x");
	assert_null(channel_option(&settings, "ca_file"));
	assert_int_equal(channel_settings_load(config, "d", &settings, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "no channel \"d\""));
	config_free(config);
	config = fixture_config("    type: alertmanager\n    url: http://x\n");
	settings = fixture_settings(config);
	assert_int_equal(settings.resend_ns, NS_PER_MIN);
	assert_int_equal(settings.group_wait_ns, 0);
	config_free(config);
}

static void test_types(void **state)
{
	/* proves: each word of the option type is a type, and no other is */
	const char *const words[] = {"alertmanager", "webhook", "smtp", "syslog"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(channel_type_by_name(words[i])->name, words[i]);
	}
	assert_null(channel_type_by_name("pager"));
}

static void test_wants(void **state)
{
	/* proves: a channel wants alerts of its severity and more, and of its rules, with wildcards */
	struct config *config =
		fixture_config("    type: syslog\n    host: x\n    min_severity: medium\n"
			       "    rules: [one, \"two-*\"]\n");
	struct channel_settings settings = fixture_settings(config);
	struct alert alert = {0};

	(void)state;
	alert.value[ALERT_severity] = STR_LIT("medium");
	alert.value[ALERT_rule] = STR_LIT("one");
	assert_true(channel_wants(&settings, &alert));
	alert.value[ALERT_rule] = STR_LIT("two-three");
	assert_true(channel_wants(&settings, &alert));
	alert.value[ALERT_rule] = STR_LIT("three");
	assert_false(channel_wants(&settings, &alert));
	alert.value[ALERT_rule] = STR_LIT("one");
	alert.value[ALERT_severity] = STR_LIT("low");
	assert_false(channel_wants(&settings, &alert));
	alert.value[ALERT_severity] = STR_LIT("odd");
	assert_false(channel_wants(&settings, &alert));
	config_free(config);
}

static void test_message_id(void **state)
{
	/* proves: the id of a message is that of its alerts and revisions, in order, and of nothing else */
	struct notice *a = fixture_notice("a", 1, NULL);
	struct notice *b = fixture_notice("b", 1, NULL);
	struct notice *newer = fixture_notice("a", 2, NULL);
	struct notice *both[] = {a, b};
	struct channel_message one = {.notices = both, .notice_count = 1, .now_ns = 1};
	struct channel_message same = {
		.notices = both, .notice_count = 1, .now_ns = 2, .more_count = 3};
	struct channel_message two = {.notices = both, .notice_count = 2};
	struct channel_message later = {.notices = &newer, .notice_count = 1};

	(void)state;
	channel_message_id(&one);
	channel_message_id(&same);
	channel_message_id(&two);
	channel_message_id(&later);
	assert_string_equal(one.id, same.id);
	assert_string_not_equal(one.id, two.id);
	assert_string_not_equal(one.id, later.id);
	assert_int_equal(strlen(one.id), 28);
	assert_memory_equal(one.id, "msg_", 4);
	notice_drop(a);
	notice_drop(b);
	notice_drop(newer);
}

static void test_reply(void **state)
{
	/* proves: the text of a reply is one line that is safe to show, cut at a character, and always ended */
	struct channel_reply reply;
	char longer[4 * CHANNEL_TEXT_MAX];

	(void)state;
	channel_reply_set(&reply, FEED_DEAD, 3, "HTTP %d: %s", 400, "a\nb\033[31m\xff");
	assert_string_equal(reply.text, "HTTP 400: a\\nb\\u{1b}[31m\\xff");
	assert_int_equal(reply.outcome, FEED_DEAD);
	assert_int_equal(reply.taken, 3);
	for (size_t i = 0; i + 3 < sizeof(longer); i += 3) {
		memcpy(longer + i, "漢", 4);
	}
	channel_reply_set(&reply, FEED_RETRY, 1, "%s", longer);
	assert_true(strlen(reply.text) < sizeof(reply.text));
	assert_true(strlen(reply.text) > 100);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	channel_reply_set(&reply, FEED_RETRY, 1, "%s", longer);
	assert_int_equal(strlen(reply.text), CHANNEL_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notice),     cmocka_unit_test(test_settings),
		cmocka_unit_test(test_types),      cmocka_unit_test(test_wants),
		cmocka_unit_test(test_message_id), cmocka_unit_test(test_reply),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
