#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/syslogline.h"

#include "tests/hostile/payloads.h"
#include "tests/unit/notify-fixture.h"

#include <stdio.h>

static const struct syslog_how plain = {.facility = 13, .host = "h1", .now_ns = T0};
static const struct syslog_how cef = {.cef = true, .facility = 4, .host = "-", .now_ns = T0};

static const char *frame(const struct alert *set, const struct syslog_how *how, struct buf *out)
{
	struct notice *notice = fixture_notice("1", 2, set);

	buf_clear(out);
	syslog_put_frame(notice, how, out);
	notice_drop(notice);
	return out->ptr;
}

static void test_structured(void **state)
{
	/* proves: a whole message, byte for byte: octet count, header, escapes in structured data, BOM, headline */
	struct alert set = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	set.value[ALERT_fired] = STR_LIT("2026-11-22T10:00:00.5Z");
	set.value[ALERT_title] = STR_LIT("T");
	set.value[ALERT_user] = STR_LIT("a\"b\\c]d\ne");
	assert_string_equal(
		frame(&set, &plain, &out),
		"225 <107>1 2026-11-22T10:00:00.500000Z h1 querytrail - alert-firing "
		"[querytrail@32473 id=\"1\" "
		"state=\"firing\" severity=\"high\" rule=\"rule\" title=\"T\" "
		"fired=\"2026-11-22T10:00:00.5Z\" "
		"user=\"a\\\"b\\\\c\\]d\\\\ne\" revision=\"2\"] \xef\xbb\xbfT: a\"b\\c]d\\ne");
	buf_done(&out);
}

static void test_cef(void **state)
{
	/* proves: a whole CEF message, byte for byte: escapes of the header and of the extension differ */
	struct alert set = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	set.value[ALERT_time] = STR_LIT("1970-01-01T00:00:01Z");
	set.value[ALERT_fired] = STR_LIT("2026-11-22T10:00:00Z");
	set.value[ALERT_title] = STR_LIT("a|b=c\\d");
	set.value[ALERT_user] = STR_LIT("a|b=c\\d\n");
	set.value[ALERT_statement] = STR_LIT("x");
	set.value[ALERT_succeeded] = STR_LIT("false");
	assert_string_equal(frame(&set, &cef, &out),
			    "233 <35>1 2026-11-22T10:00:00.000000Z - querytrail - alert-firing - "
			    "\xef\xbb\xbf"
			    "CEF:0|querytrail|querytrail|1|rule|a\\|b=c\\\\d|8|externalId=1 "
			    "suser=a|b\\=c\\\\d\\\\n cs1=x "
			    "cs1Label=statement outcome=failure rt=1000 cat=firing "
			    "msg=a|b\\=c\\\\d: a|b\\=c\\\\d\\\\n");
	buf_done(&out);
}

static void test_kinds(void **state)
{
	/* proves: resolved and test have their MSGID, a resolved one its own time, and severities map */
	static const struct {
		const char *word, *priority;
	} levels[] = {{"critical", " <106>1 "},      {"high", " <107>1 "},
		      {"medium", " <108>1 "},        {"low", " <109>1 "},
		      {"informational", " <110>1 "}, {"odd", " <110>1 "}};
	struct syslog_how test = plain;
	struct alert set = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		set.value[ALERT_severity] = str_of(levels[i].word);
		assert_non_null(strstr(frame(&set, &plain, &out), levels[i].priority));
	}
	set.value[ALERT_state] = STR_LIT("resolved");
	set.value[ALERT_resolved] = STR_LIT("2026-11-22T11:00:00Z");
	assert_non_null(strstr(frame(&set, &plain, &out),
			       "2026-11-22T11:00:00.000000Z h1 querytrail - alert-resolved "));
	test.test = true;
	assert_non_null(strstr(frame(&set, &test, &out), " alert-test "));
	assert_non_null(strstr(out.ptr, "TEST, nothing happened: "));
	buf_done(&out);
}

static void test_payloads(void **state)
{
	/* proves: with a hostile text in all fields a frame counts its bytes rightly, is at most 8 KiB and has no control byte */
	struct alert set = {0};
	struct buf text;
	struct buf out;

	(void)state;
	buf_init(&text, 0);
	buf_init(&out, 0);
	for (size_t i = 0; i < 2 * PAYLOAD_COUNT; i++) {
		buf_clear(&text);
		payload_put(i / 2, &text);
		for (int field = 0; field < ALERT_FIELD_COUNT; field++) {
			set.value[field] = str_slice(buf_str(&text), 0, 20000);
		}
		(void)frame(&set, i % 2 == 0 ? &plain : &cef, &out);
		struct str rest = buf_str(&out);
		struct str count = str_split(&rest, ' ');
		char wanted[24];
		(void)snprintf(wanted, sizeof(wanted), "%zu", rest.len);
		assert_true(str_is(count, wanted));
		assert_true(rest.len <= SYSLOG_LINE_MAX);
		for (size_t at = 0; at < rest.len; at++) {
			assert_true((uint8_t)rest.ptr[at] >= 0x20 && rest.ptr[at] != 0x7f);
		}
	}
	buf_done(&text);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structured),
		cmocka_unit_test(test_cef),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_payloads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
