#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/report-read.h"

static void test_parts(void **state)
{
	/* Proves: the first cell of each line says what it is; what a spreadsheet would calculate begins with a quote and its column is named. */
	(void)state;
	struct buf lines;
	sample_read(&write_csv, false, &lines);
	assert_int_equal(strncmp(lines.ptr, "report,", 7), 0);
	assert_int_equal(sample_count(&lines, "\r\nrow,statements,"), 20);
	assert_int_equal(sample_count(&lines, "\r\nclause,"), 2);
	assert_int_equal(sample_count(&lines, "\r\nchart,"), 3);
	assert_int_equal(sample_count(&lines, ",warning\r\n"), 1);
	assert_true(sample_count(&lines, "\r\ntotal,statements,20,") == 1);
	assert_int_equal(sample_count(&lines, "\r\nend,"), 1);
	assert_int_equal(sample_count(&lines, "\x1b"), 0);
	assert_int_equal(sample_count(&lines, "\xe2\x80\xae"), 0);
	buf_done(&lines);
}

static void test_alone(void **state)
{
	/* Proves: a table alone has its columns and rows and nothing else; each form of value has its text. */
	(void)state;
	static const struct report_column columns[] = {
		{"n", "N", REPORT_NUMBER, 1}, {"s", "S", REPORT_SHARE, 1},
		{"t", "T", REPORT_TIME, 1},   {"b", "B", REPORT_BOOL, 1},
		{"x", "X", REPORT_TEXT, 1},   {"y", "Y", REPORT_CODE, 1},
		{"z", "Z", REPORT_TEXT, 1}};
	const struct report_cell cells[] = {{.number = -5},          {.number = 1000},
					    {.number = 1500000000},  {.number = 0},
					    {.text = STR_LIT("=1")}, {.text = STR_LIT("+\033")},
					    {.absent = true}};
	const struct report_table table = {"t", STR_LIT("T"), columns, 7};
	const struct report_head head = {.name = STR_LIT("r")};
	const struct report_table_end end = {1, 1};
	const struct report_section section = {STR_LIT("S"), STR_LIT("text"), 2, "s"};
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	output_init(&output, -1, &zone);
	struct report_writer writer = {
		.type = &write_csv, .out = &output, .table = &table, .alone = true};
	assert_int_equal(write_csv.begin(&writer, &head, &err), 0);
	assert_int_equal(write_csv.section(&writer, &section, &err), 0);
	assert_int_equal(write_csv.facts(&writer, NULL, 0, &err), 0);
	assert_int_equal(write_csv.table_begin(&writer, &table, &err), 0);
	assert_int_equal(write_csv.row(&writer, cells, &err), 0);
	assert_int_equal(write_csv.table_end(&writer, &end, &err), 0);
	assert_int_equal(write_csv.note(&writer, STR_LIT("note"), true, &err), 0);
	assert_int_equal(write_csv.end(&writer, &err), 0);
	assert_string_equal(output.text.ptr,
			    "n,s,t,b,x,y,z,defanged\r\n"
			    "-5,1.000,1970-01-01T00:00:01.500000000Z,false,\"'=1\",\"'+\\u{1b}\",,"
			    "\"x y\"\r\n");
	write_csv.done(&writer);
	output_done(&output);
}

static void test_terminal(void **state)
{
	/* Proves: on a terminal no line break of a value is left. */
	(void)state;
	struct buf lines;
	sample_read(&write_csv, true, &lines);
	assert_int_equal(sample_count(&lines, "\n"), sample_count(&lines, "\r\n"));
	buf_done(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts),
					   cmocka_unit_test(test_alone),
					   cmocka_unit_test(test_terminal)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
