#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/report-sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What a writer makes, read back from a file. */
static void make(size_t rows, struct buf *out)
{
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	FILE *file = tmpfile();
	assert_non_null(file);
	output_init(&output, fileno(file), &zone);
	assert_int_equal(report_sample_write(&write_pdf, &output, rows, &err), 0);
	assert_int_equal(output_flush(&output, &err), 0);
	output_done(&output);
	char piece[4096];
	rewind(file);
	buf_init(out, 0);
	for (size_t got = 1; got > 0;) {
		got = fread(piece, 1, sizeof(piece), file);
		buf_put(out, piece, got);
	}
	assert_int_equal(fclose(file), 0);
}

static size_t pages(struct str file)
{
	size_t count = 0;
	for (ptrdiff_t at = str_find(file, STR_LIT("/Type /Page\n"), 0); at >= 0;
	     at = str_find(file, STR_LIT("/Type /Page\n"), (size_t)at + 1)) {
		count++;
	}
	return count;
}

/* The same calls give the same bytes, without a date in them. */
static void test_same(void **state)
{
	(void)state;
	struct buf one, two;
	make(50, &one);
	make(50, &two);
	assert_true(str_equal(buf_str(&one), buf_str(&two)));
	assert_true(str_find(buf_str(&one), STR_LIT("CreationDate"), 0) < 0);
	assert_true(str_has_suffix(buf_str(&one), STR_LIT("%%EOF\n")));
	buf_done(&one);
	buf_done(&two);
}

/* More rows take more pages: none is left out at the end of a page. */
static void test_pages(void **state)
{
	(void)state;
	struct buf few, many;
	make(10, &few);
	make(1000, &many);
	assert_true(pages(buf_str(&few)) >= 2);
	assert_true(pages(buf_str(&many)) > pages(buf_str(&few)) + 25);
	buf_done(&few);
	buf_done(&many);
}

/* A cell of a megabyte, one without a place to break, and a table as wide as may be neither hang nor run off the page. */
static void test_hostile_sizes(void **state)
{
	(void)state;
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	struct report_column columns[REPORT_COLUMNS_MAX];
	struct report_cell cells[REPORT_COLUMNS_MAX];
	struct buf text;
	buf_init(&text, 0);
	buf_put_fill(&text, 'W', 1u << 20);
	for (size_t i = 0; i < REPORT_COLUMNS_MAX; i++) {
		columns[i] = (struct report_column){"c", "A title that is long", REPORT_CODE, 1};
		cells[i] = (struct report_cell){.text = buf_str(&text)};
	}
	const struct report_table table = {
		.name = "t", .columns = columns, .column_count = REPORT_COLUMNS_MAX};
	const struct report_head head = {.name = STR_LIT("x"), .title = buf_str(&text)};
	output_init(&output, open("/dev/null", O_WRONLY), &zone);
	struct report_writer writer = {.type = &write_pdf, .out = &output};
	assert_int_equal(write_pdf.begin(&writer, &head, &err), 0);
	assert_int_equal(write_pdf.table_begin(&writer, &table, &err), 0);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(write_pdf.row(&writer, cells, &err), 0);
	}
	const struct report_table_end end = {20, 20};
	assert_int_equal(write_pdf.table_end(&writer, &end, &err), 0);
	assert_int_equal(write_pdf.end(&writer, &err), 0);
	write_pdf.done(&writer);
	(void)close(output.fd);
	output_done(&output);
	buf_done(&text);
}

/* Without the fonts there is no PDF but a sentence that names the package. */
static void test_no_fonts(void **state)
{
	(void)state;
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	assert_int_equal(setenv("QUERYTRAIL_FONTS", "/nowhere", 1), 0);
	output_init(&output, open("/dev/null", O_WRONLY), &zone);
	assert_int_equal(report_sample_write(&write_pdf, &output, 1, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "fonts-liberation2"));
	assert_int_equal(unsetenv("QUERYTRAIL_FONTS"), 0);
	(void)close(output.fd);
	output_done(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_hostile_sizes),
		cmocka_unit_test(test_no_fonts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
