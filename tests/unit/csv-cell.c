#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/csv-cell.h"

static void expect(struct str text, bool terminal, const char *wanted, bool changed)
{
	struct buf out;
	buf_init(&out, 0);
	buf_put_text(&out, "before");
	assert_int_equal(csv_cell_defuse(text, terminal, &out), changed);
	assert_string_equal(out.ptr + 6, wanted);
	buf_done(&out);
}

static void test_defuse(void **state)
{
	/* Proves: what a spreadsheet could take for a formula gets a quote before it, what a terminal obeys is written out, and only then is the
	 * cell told as changed. */
	(void)state;
	expect(STR_LIT("plain"), false, "plain", false);
	expect(STR_LIT("a=b"), false, "a=b", false);
	expect(STR_LIT("=1+1"), false, "'=1+1", true);
	expect(STR_LIT("  @x"), false, "'  @x", true);
	expect(STR_LIT("-5"), false, "'-5", true);
	expect(STR_LIT("\xef\xbc\x9d"
		       "1"),
	       false,
	       "'\xef\xbc\x9d"
	       "1",
	       true);
	expect(STR_LIT("\tx"), false, "'\tx", true);
	expect(STR_LIT("a\nb\tc\r\nd"), false, "a\nb\tc\r\nd", false);
	expect(STR_LIT("a\nb"), true, "a\\nb", true);
	expect(STR_LIT("a\033[2J"), false, "a\\u{1b}[2J", true);
	expect(STR_LIT("\xff"), false, "\\xff", true);
	expect(STR_LIT(""), false, "", false);
}

static void test_put(void **state)
{
	/* Proves: cells are quoted when they hold what divides cells, and quotes are doubled. */
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	csv_cell_put(&out, STR_LIT("a"), true);
	csv_cell_put(&out, STR_LIT(""), false);
	csv_cell_put(&out, STR_LIT("b,\"c\"\n"), false);
	csv_cell_put(&out, STR_LIT("d e"), false);
	assert_string_equal(out.ptr, "a,,\"b,\"\"c\"\"\n\",\"d e\"");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_defuse),
					   cmocka_unit_test(test_put)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
