/* CSV rows become JSON lines with the header's names, or are refused. */
#include "collector/sources/file/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *header, const char *row, const char *expected)
{
	struct csv csv;
	struct buf out;
	struct error err;

	csv_init(&csv);
	buf_init(&out, 0);
	buf_put_text(&out, "before");
	assert_int_equal(csv_header(&csv, str_of(header), &err), 0);
	int rc = csv_put_json(&csv, str_of(row), &out, &err);
	assert_int_equal(rc, expected == NULL ? -ERR_INPUT : 0);
	struct str text = str_slice(buf_str(&out), 6, out.len);
	if (!str_is(text, expected != NULL ? expected : "")) {
		fail_msg("%s: %.*s", row, STR_ARG(text));
	}
	csv_done(&csv);
	buf_done(&out);
}

/* Quotes, doubled quotes, separators and line ends inside, nulls, other separators, Windows line ends. */
static void test_rows(void **state)
{
	(void)state;
	expect("a,b", "1,2", "{\"a\":\"1\",\"b\":\"2\"}");
	expect("a,b\r", "1,\"x,\"\"y\"\"\n\"\r", "{\"a\":\"1\",\"b\":\"x,\\\"y\\\"\\n\"}");
	expect("a,b,c", "NULL,,\"NULL\"", "{\"a\":null,\"b\":null,\"c\":\"NULL\"}");
	expect("a;b", "1;2,3", "{\"a\":\"1\",\"b\":\"2,3\"}");
	expect("a\tb", "\t", "{\"a\":null,\"b\":null}");
	expect("\"a\"\"b\"", "\"\"", "{\"a\\\"b\":\"\"}");
	expect("a", "", "{\"a\":null}");
	expect("a", "x\"y", "{\"a\":\"x\\\"y\"}");
}

/* Another number of fields, an open quote, and text behind a closing quote are refused and leave nothing behind. */
static void test_refused_rows(void **state)
{
	(void)state;
	expect("a,b", "1", NULL);
	expect("a,b", "1,2,3", NULL);
	expect("a,b", "1,\"2", NULL);
	expect("a,b", "1,\"2\"x", NULL);
}

/* A header must name every column, once, and not too many. */
static void test_headers(void **state)
{
	(void)state;
	struct csv csv;
	struct buf many;
	struct error err;

	csv_init(&csv);
	assert_int_equal(csv_header(&csv, STR_LIT(""), &err), -ERR_INPUT);
	assert_int_equal(csv_header(&csv, STR_LIT("a,,b"), &err), -ERR_INPUT);
	assert_int_equal(csv_header(&csv, STR_LIT("a,b,A"), &err), -ERR_INPUT);
	assert_int_equal(csv_header(&csv, STR_LIT("a,\"b"), &err), -ERR_INPUT);
	buf_init(&many, 0);
	for (int i = 0; i <= CSV_COLUMNS_MAX; i++) {
		buf_putf(&many, "%sc%d", i > 0 ? "," : "", i);
	}
	assert_int_equal(csv_header(&csv, buf_str(&many), &err), -ERR_INPUT);
	buf_put_fill(&many, 'x', 20000);
	assert_int_equal(csv_header(&csv, buf_str(&many), &err), -ERR_INPUT);
	assert_int_equal(csv.column_count, 0);
	assert_int_equal(csv_header(&csv, STR_LIT("a,b"), &err), 0);
	assert_int_equal(csv.column_count, 2);
	buf_done(&many);
	csv_done(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
					   cmocka_unit_test(test_refused_rows),
					   cmocka_unit_test(test_headers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
