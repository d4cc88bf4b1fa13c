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
static void make(const struct report_writer_type *type, size_t rows, struct buf *out)
{
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	FILE *file = tmpfile();
	assert_non_null(file);
	output_init(&output, fileno(file), &zone);
	assert_int_equal(report_sample_write(type, &output, rows, &err), 0);
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

static size_t count(const struct buf *out, const char *part)
{
	size_t found = 0;
	for (const char *at = strstr(out->ptr, part); at != NULL; at = strstr(at + 1, part)) {
		found++;
	}
	return found;
}

/* Texts from logs are texts on the page: no element that the writer did not make, and nothing is loaded from elsewhere. */
static void test_texts(void **state)
{
	(void)state;
	struct buf page;
	make(&write_html, 20, &page);
	assert_int_equal(count(&page, "<script"), 0);
	assert_true(count(&page, "&lt;script&gt;") >= 4);
	assert_int_equal(count(&page, "http:"), 0);
	assert_int_equal(count(&page, "https:"), 0);
	assert_int_equal(count(&page, "url("), 0);
	assert_int_equal(count(&page, "\x1b"), 0);
	assert_int_equal(count(&page, "\xe2\x80\xae"), 0);
	assert_true(count(&page, "\\u{202e}") > 0);
	assert_int_equal(count(&page, "default-src 'none'"), 1);
	buf_done(&page);
}

/* Every part that the engine gave stands on the page: head, warnings, clauses, contents, charts, rows, counts, notes. */
static void test_parts(void **state)
{
	(void)state;
	struct buf page;
	make(&write_html, 20, &page);
	assert_int_equal(count(&page, "<svg "), 3);
	assert_int_equal(count(&page, "<tr><td class=\"t\">"), 20);
	assert_int_equal(count(&page, "class=\"banner\""), 1);
	assert_int_equal(count(&page, "<dd class=\"warns\">"), 1);
	assert_int_equal(count(&page, "10.2.1.1"), 1);
	assert_int_equal(count(&page, "href=\"#statements\""), 1);
	assert_int_equal(count(&page, "id=\"statements\""), 1);
	assert_int_equal(count(&page, "20 rows, all of them."), 1);
	assert_int_equal(count(&page, "The first 5 of 91 rows"), 1);
	assert_int_equal(count(&page, "note warns"), 1);
	assert_int_equal(count(&page, "<td"), count(&page, "</td>"));
	assert_int_equal(count(&page, "<tr>"), count(&page, "</tr>"));
	assert_int_equal(count(&page, "<table"), count(&page, "</table>"));
	assert_int_equal(count(&page, "<p"), count(&page, "</p>"));
	buf_done(&page);
}

/* A table without rows says so. */
static void test_no_rows(void **state)
{
	(void)state;
	struct buf page;
	make(&write_html, 0, &page);
	assert_int_equal(count(&page, "No rows: nothing matched."), 1);
	buf_done(&page);
}

/* The same calls give the same bytes. */
static void test_same(void **state)
{
	(void)state;
	struct buf one, two;
	make(&write_html, 200, &one);
	make(&write_html, 200, &two);
	assert_true(str_equal(buf_str(&one), buf_str(&two)));
	buf_done(&one);
	buf_done(&two);
}

/* A very long text is folded: its beginning, its length, and the whole; line breaks stay in it. */
static void test_long(void **state)
{
	(void)state;
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	char text[5000];
	memset(text, 'a', sizeof(text));
	text[10] = '\n';
	memcpy(text + 599, "\xc3\xbc", 2); /* the fold would cut it */
	const struct report_column column = {"statement", "Statement", REPORT_CODE, 1};
	const struct report_table table = {.name = "t", .columns = &column, .column_count = 1};
	const struct report_head head = {.name = STR_LIT("x")};
	struct report_cell cell = {.text = str_make(text, sizeof(text))};
	output_init(&output, open("/dev/null", O_WRONLY), &zone);
	struct report_writer writer = {.type = &write_html, .out = &output};
	assert_int_equal(write_html.begin(&writer, &head, &err), 0);
	assert_int_equal(write_html.table_begin(&writer, &table, &err), 0);
	buf_clear(&output.text);
	assert_int_equal(write_html.row(&writer, &cell, &err), 0);
	assert_non_null(strstr(output.text.ptr, "<summary>all 5000 bytes</summary>"));
	assert_non_null(strstr(output.text.ptr, "aaa\naaa"));
	assert_null(strstr(output.text.ptr, "\\x"));
	assert_int_equal(count(&output.text, "\xc3\xbc"), 1);
	write_html.done(&writer);
	(void)close(output.fd);
	output_done(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),   cmocka_unit_test(test_parts),
		cmocka_unit_test(test_no_rows), cmocka_unit_test(test_same),
		cmocka_unit_test(test_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
