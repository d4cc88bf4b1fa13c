#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/report-read.h"

#include <stdio.h>

static void test_parts(void **state)
{
	/* Proves: every part that the engine gave is a record, rows are under their table's name, and the end counts them. */
	(void)state;
	struct buf lines;
	sample_read(&write_jsonl, false, &lines);
	assert_int_equal(sample_count(&lines, "{\"record\":\"head\",\"version\":1,"), 1);
	assert_int_equal(sample_count(&lines, "{\"record\":\"chart\","), 3);
	assert_true(sample_count(&lines, "{\"record\":\"section\",") >= 3);
	assert_true(sample_count(&lines, "{\"record\":\"note\",") >= 1);
	assert_true(sample_count(&lines,
				 "{\"record\":\"row\",\"table\":\"statements\",\"cells\":{") == 20);
	assert_int_equal(sample_count(&lines, "{\"record\":\"table\","),
			 sample_count(&lines, "{\"record\":\"table_end\","));
	assert_int_equal(sample_count(&lines, "{\"record\":\"end\","), 1);
	char last[64];
	(void)snprintf(last, sizeof(last), "\"rows\":%zu}\n",
		       sample_count(&lines, "\"record\":\"row\""));
	assert_true(str_has_suffix(buf_str(&lines), str_of(last)));
	buf_done(&lines);
}

static void test_values(void **state)
{
	/* Proves: each form of value has its JSON: numbers, shares with three digits, times in UTC, null for what is absent, base64 for what is no
	 * text; and control characters are escaped. */
	(void)state;
	static const struct report_column columns[] = {
		{"n", "N", REPORT_NUMBER, 1}, {"s", "S", REPORT_SHARE, 1},
		{"t", "T", REPORT_TIME, 1},   {"b", "B", REPORT_BOOL, 1},
		{"x", "X", REPORT_TEXT, 1},   {"y", "Y", REPORT_CODE, 1},
		{"z", "Z", REPORT_TEXT, 1}};
	const struct report_cell cells[] = {{.number = -5},
					    {.number = 12},
					    {.number = 1500000000},
					    {.number = 1},
					    {.text = STR_LIT("\xff")},
					    {.text = STR_LIT("a\"\033\n")},
					    {.absent = true}};
	const struct report_table table = {"t", STR_LIT("T"), columns, 7};
	const struct report_head head = {.name = STR_LIT("r")};
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	output_init(&output, -1, &zone);
	struct report_writer writer = {.type = &write_jsonl, .out = &output, .table = &table};
	assert_int_equal(write_jsonl.begin(&writer, &head, &err), 0);
	buf_clear(&output.text);
	assert_int_equal(write_jsonl.row(&writer, cells, &err), 0);
	assert_string_equal(
		output.text.ptr,
		"{\"record\":\"row\",\"table\":\"t\",\"cells\":{\"n\":-5,\"s\":0.012,\"t\":"
		"\"1970-01-01T00:00:01.500000000Z\",\"b\":true,\"x\":{\"base64\":\"/w==\"},"
		"\"y\":\"a\\\"\\u001b\\n\",\"z\":null}}\n");
	write_jsonl.done(&writer);
	output_done(&output);
}

static void test_same(void **state)
{
	/* Proves: the same calls give the same bytes. */
	(void)state;
	struct buf one, two;
	sample_read(&write_jsonl, false, &one);
	sample_read(&write_jsonl, false, &two);
	assert_true(str_equal(buf_str(&one), buf_str(&two)));
	buf_done(&one);
	buf_done(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts),
					   cmocka_unit_test(test_values),
					   cmocka_unit_test(test_same)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
