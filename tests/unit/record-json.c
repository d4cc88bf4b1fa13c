#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "model/record.h"

static void check_json(const struct record *record, const char *expected)
{
	struct json_scanner scanner;
	struct str raw;
	struct buf out;

	buf_init(&out, 0);
	record_put_json(record, &out);
	assert_string_equal(out.ptr, expected);
	scanner = json_scanner(buf_str(&out));
	assert_true(json_skip(&scanner, &raw));
	assert_int_equal(raw.len, out.len);
	buf_done(&out);
}

static void every_type_has_its_form(void **state)
{
	/* text, bytes, numbers, truths and times stand in number order in their documented forms */
	struct record record;

	(void)state;
	record_init(&record, RECORD_GAP);
	record.source = STR_LIT("db");
	record.key = STR_LIT("\xFF\x01");
	record.time_ns = 1;
	record_set_number(&record, FIELD_gap_from, INT64_C(1795341600123456700));
	record_set_text(&record, FIELD_reason, STR_LIT("a \"b\"\n\xED\xA0\x80\xFF"));
	record_set_number(&record, FIELD_file_offset, -4);
	check_json(&record, "{\"kind\":\"gap\",\"source\":\"db\",\"key\":\"/wE=\",\"time\":"
			    "\"1970-01-01T00:00:00.000000001Z\",\"reason\":\"a "
			    "\\\"b\\\"\\n\\ud800\xEF\xBF\xBD\","
			    "\"file_offset\":-4,\"gap_from\":\"2026-11-22T10:00:00.123456700Z\"}");
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record.key = STR_LIT("k");
	record_set_number(&record, FIELD_succeeded, 0);
	record_set_text(&record, FIELD_raw, STR_LIT("\xC3\xB8"));
	check_json(&record,
		   "{\"kind\":\"statement\",\"source\":\"db\",\"key\":\"aw==\",\"time\":"
		   "\"1970-01-01T00:00:00.000000000Z\",\"raw\":\"\xC3\xB8\",\"succeeded\":false}");
	record_set_text(&record, FIELD_raw, STR_LIT("\xFF"));
	record_unset(&record, FIELD_succeeded);
	check_json(&record, "{\"kind\":\"statement\",\"source\":\"db\",\"key\":\"aw==\",\"time\":"
			    "\"1970-01-01T00:00:00.000000000Z\",\"raw\":{\"base64\":\"/w==\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_its_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
