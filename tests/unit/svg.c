#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/svg.h"

/* Markup, quotes, control and bidi characters and invalid bytes are escaped; the rest is itself. */
static void test_escaped(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	svg_put_escaped(&out, STR_LIT("a<b>&\"'\x01\x1b[31m\xe2\x80\xae\xff\xc3\xbc"));
	assert_string_equal(out.ptr,
			    "a&lt;b&gt;&amp;&quot;&#39;\\u{1}\\u{1b}[31m\\u{202e}\\xff\xc3\xbc");
	buf_clear(&out);
	svg_put_escaped(&out, STR_LIT(""));
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

/* A chart is one svg element whose tags are balanced, with its title, whatever the labels say. */
static void test_chart(void **state)
{
	(void)state;
	const struct report_bar bars[] = {{STR_LIT("</svg><script>1</script>"), 5, 2},
					  {STR_LIT("\xe2\x80\xae]]>"), 9, 0}};
	const struct report_chart chart = {
		REPORT_BARS, STR_LIT("<title>"), STR_LIT("rows"), "a & b", bars, 2};
	struct buf out;
	buf_init(&out, 0);
	svg_put_chart(&out, &chart);
	assert_int_equal(strncmp(out.ptr, "<svg ", 5), 0);
	assert_null(strstr(out.ptr, "<script"));
	assert_non_null(strstr(out.ptr, "<title>&lt;title&gt;</title>"));
	const char *end = strstr(out.ptr, "</svg>");
	assert_non_null(end);
	assert_string_equal(end, "</svg>\n");
	size_t opened = 0;
	size_t closed = 0;
	for (const char *at = strstr(out.ptr, "<text"); at != NULL; at = strstr(at + 1, "<text")) {
		opened++;
	}
	for (const char *at = strstr(out.ptr, "</text>"); at != NULL;
	     at = strstr(at + 1, "</text>")) {
		closed++;
	}
	assert_true(opened >= 5 && opened == closed);
	buf_done(&out);
}

/* Nothing to be drawn gives nothing. */
static void test_empty(void **state)
{
	(void)state;
	const struct report_chart chart = {.kind = REPORT_BARS};
	struct buf out;
	buf_init(&out, 0);
	svg_put_chart(&out, &chart);
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_escaped),
					   cmocka_unit_test(test_chart),
					   cmocka_unit_test(test_empty)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
