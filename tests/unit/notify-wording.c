#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/wording.h"

#include "tests/unit/notify-fixture.h"

static const char *told(void (*tell)(const struct alert *, struct buf *), const struct alert *alert,
			struct buf *out)
{
	buf_clear(out);
	tell(alert, out);
	return out->ptr;
}

static void test_headline(void **state)
{
	/* proves: the headline tells it with what there is: person or login, verb or action, table, route; and its end */
	struct alert alert = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	alert.value[ALERT_rule] = STR_LIT("r1");
	assert_string_equal(told(wording_headline, &alert, &out), "r1: somebody");
	alert.value[ALERT_title] = STR_LIT("Mass delete");
	alert.value[ALERT_principal] = STR_LIT("app");
	alert.value[ALERT_action] = STR_LIT("DL");
	assert_string_equal(told(wording_headline, &alert, &out), "Mass delete: login app ran DL");
	alert.value[ALERT_user] = STR_LIT("alice");
	alert.value[ALERT_verb] = STR_LIT("DELETE");
	alert.value[ALERT_table] = STR_LIT("dbo.Orders");
	alert.value[ALERT_route] = STR_LIT("DELETE /orders/{id}");
	alert.value[ALERT_state] = STR_LIT("resolved");
	assert_string_equal(
		told(wording_headline, &alert, &out),
		"ended: Mass delete: alice ran DELETE on dbo.Orders through DELETE /orders/{id}");
	alert = (struct alert){0};
	alert.value[ALERT_title] = STR_LIT("Source is silent");
	alert.value[ALERT_source] = STR_LIT("api");
	alert.value[ALERT_gap] = STR_LIT("nothing since 10:00");
	assert_string_equal(told(wording_headline, &alert, &out), "Source is silent: source api");
	buf_done(&out);
}

static void test_who_and_what(void **state)
{
	/* proves: without a person it says so and tells what is known; a refusal of the server is told */
	struct alert alert = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_string_equal(told(wording_who, &alert, &out), "nobody is known");
	alert.value[ALERT_principal] = STR_LIT("sa");
	alert.value[ALERT_application] = STR_LIT("SSMS");
	alert.value[ALERT_client_ip] = STR_LIT("10.0.0.1");
	assert_string_equal(told(wording_who, &alert, &out),
			    "nobody is known; the login is sa, application SSMS, from 10.0.0.1");
	alert.value[ALERT_user] = STR_LIT("alice");
	alert.value[ALERT_user_kind] = STR_LIT("claims.email");
	alert.value[ALERT_source_ip] = STR_LIT("203.0.113.9");
	assert_string_equal(told(wording_who, &alert, &out),
			    "alice (claims.email) from 203.0.113.9");
	alert.value[ALERT_verb] = STR_LIT("SELECT");
	alert.value[ALERT_table] = STR_LIT("dbo.Cards");
	alert.value[ALERT_server] = STR_LIT("sql1");
	alert.value[ALERT_rows] = STR_LIT("7");
	alert.value[ALERT_succeeded] = STR_LIT("false");
	assert_string_equal(
		told(wording_what, &alert, &out),
		"SELECT on dbo.Cards on server sql1 as login sa, rows: 7, refused by the server");
	buf_done(&out);
}

static void test_plain(void **state)
{
	/* proves: plain text is one line, cut at a character with an ellipsis */
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	wording_plain(STR_LIT("a\nb\t\r\033[31m\xe2\x80\xae\xff"), 100, &out);
	assert_string_equal(out.ptr, "a\\nb\\t\\r\\u{1b}[31m\\u{202e}\\xff");
	buf_clear(&out);
	wording_plain(STR_LIT("aéb"), 2, &out);
	assert_string_equal(out.ptr, "a…");
	buf_clear(&out);
	wording_plain(STR_LIT("aé"), 3, &out);
	assert_string_equal(out.ptr, "aé");
	buf_done(&out);
}

static void test_block(void **state)
{
	/* proves: in a block line feeds stay, CR LF is one, a lone CR is told, tabs become spaces */
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	wording_block(STR_LIT("a\r\n\tb\rc\n\nd\r"), 100, &out);
	assert_string_equal(out.ptr, "a\n    b\\rc\n\nd\\r");
	buf_clear(&out);
	wording_block(STR_LIT("\n\n"), 100, &out);
	assert_string_equal(out.ptr, "\n\n");
	buf_clear(&out);
	wording_block(STR_LIT("abc"), 2, &out);
	assert_string_equal(out.ptr, "ab…");
	buf_done(&out);
}

struct heard {
	unsigned lines, blocks;
	struct buf labels;
};

static void hear(void *owner, const char *label, struct str text, bool block)
{
	struct heard *heard = owner;

	assert_true(text.len > 0);
	assert_true(block || str_find_byte(text, '\n', 0) < 0);
	assert_true(strlen(label) <= WORDING_LABEL_WIDTH + 1);
	heard->lines++;
	heard->blocks += block;
	buf_putf(&heard->labels, "%s|", label);
}

static void test_tell(void **state)
{
	/* proves: an alert is told in order, without lines for what it has not; all fields, with line feeds in each, keep lines whole */
	struct alert alert = {0};
	struct heard heard = {0};

	(void)state;
	buf_init(&heard.labels, 0);
	alert.value[ALERT_id] = STR_LIT("1");
	wording_tell(&alert, hear, &heard);
	assert_string_equal(heard.labels.ptr, "Who|Alert|");
	for (int i = 0; i < ALERT_FIELD_COUNT; i++) {
		alert.value[i] = STR_LIT("x\ny");
	}
	buf_clear(&heard.labels);
	wording_tell(&alert, hear, &heard);
	assert_string_equal(heard.labels.ptr,
			    "Who|Through|What|Statement|Missing|When|How we know|Matched|Why it is "
			    "risky|What to do "
			    "next|Ended|Why it ended|Severity|Rule|Tags|Statement id|Alert|");
	assert_int_equal(heard.blocks, 3);
	buf_done(&heard.labels);
}

static void test_time(void **state)
{
	/* proves: a time that is none gives the fallback */
	struct alert alert = {0};

	(void)state;
	assert_int_equal(wording_time(&alert, ALERT_fired, 7), 7);
	alert.value[ALERT_fired] = STR_LIT("yesterday");
	assert_int_equal(wording_time(&alert, ALERT_fired, 7), 7);
	alert.value[ALERT_fired] = STR_LIT("1970-01-01T00:00:01Z");
	assert_int_equal(wording_time(&alert, ALERT_fired, 7), NS_PER_SEC);
	assert_false(wording_is_resolved(&alert));
	alert.value[ALERT_state] = STR_LIT("resolved");
	assert_true(wording_is_resolved(&alert));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headline), cmocka_unit_test(test_who_and_what),
		cmocka_unit_test(test_plain),    cmocka_unit_test(test_block),
		cmocka_unit_test(test_tell),     cmocka_unit_test(test_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
