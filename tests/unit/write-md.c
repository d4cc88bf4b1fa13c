#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/report-read.h"

static void test_parts(void **state)
{
	/* Proves: each row is one line, the head warns, "the first N" is said, and no element comes from a text. */
	(void)state;
	struct buf page;
	sample_read(&write_md, false, &page);
	assert_int_equal(strncmp(page.ptr, "# ", 2), 0);
	assert_int_equal(sample_count(&page, "(warning)** | "), 1);
	assert_int_equal(sample_count(&page, "This report is incomplete"), 1);
	assert_int_equal(sample_count(&page, "*The first 5 of 91 rows"), 1);
	assert_int_equal(sample_count(&page, "<script"), 0);
	assert_true(sample_count(&page, "&lt;script&gt;") >= 2);
	assert_int_equal(sample_count(&page, "\x1b"), 0);
	assert_int_equal(sample_count(&page, "\xe2\x80\xae"), 0);
	assert_int_equal(2 * sample_count(&page, "<a id=\""), sample_count(&page, "<"));
	buf_done(&page);
}

static void expect(const char *text, const char *wanted)
{
	static const struct report_column columns[] = {{"x", "X", REPORT_TEXT, 1}};
	const struct report_table table = {"t", STR_LIT("T"), columns, 1};
	const struct report_head head = {.name = STR_LIT("r")};
	const struct report_cell cell = {.text = str_of(text)};
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	output_init(&output, -1, &zone);
	struct report_writer writer = {.type = &write_md, .out = &output, .table = &table};
	assert_int_equal(write_md.begin(&writer, &head, &err), 0);
	buf_clear(&output.text);
	assert_int_equal(write_md.row(&writer, &cell, &err), 0);
	struct str line = str_slice(buf_str(&output.text), 2, output.text.len - 5);
	if (!str_is(line, wanted)) {
		print_error("%s\ngives %.*s\nnot   %s\n", text, STR_ARG(line), wanted);
		fail();
	}
	write_md.done(&writer);
	output_done(&output);
}

static void test_texts(void **state)
{
	/* Proves: what could be markup, a link or another line is written so that it is not. */
	(void)state;
	expect("plain text, with (brackets) and 'quotes'.",
	       "plain text, with (brackets) and 'quotes'.");
	expect("a|b\\|c", "a&#124;b&#92;&#124;c");
	expect("*a* _b_ `c` [d](e) ~~f~~", "\\*a\\* \\_b\\_ &#96;c&#96; \\[d\\](e) \\~\\~f\\~\\~");
	expect("<b>&amp;", "&lt;b&gt;&amp;amp;");
	expect("a\nb\r\n", "a&#92;nb&#92;r&#92;n");
	expect("http://x www.y mailto:z", "http&#58;//x www&#46;y mailto&#58;z");
	expect("a@b.example", "`a@b.example`");
	expect("to a@b.example", "to a`@`b.example");
	expect("WHERE id = @p0", "WHERE id = &#64;p0");
	expect("- a", "&#45; a");
	expect("1. a", "1&#46; a");
	expect("10.2.1", "10.2.1");
	expect("# a", "&#35; a");
	expect("", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts),
					   cmocka_unit_test(test_texts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
