#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "query/layout.h"

static void test_decide(void **state)
{
	/* Proves: everything fits when it can; the least important goes first; what is left over goes to the most important, the
	 * rest to the last column. */
	(void)state;
	struct layout_column columns[] = {{"A", 0, 5, 0, false, 0, 0},
					  {"B", 2, 5, 8, false, 0, 0},
					  {"C", 1, 5, 0, true, 0, 0},
					  {"D", 3, 10, 10, false, 0, 0}};
	layout_begin(columns, 4);
	layout_see(&columns[0], 6);
	layout_see(&columns[1], 20);
	layout_see(&columns[2], 5);
	layout_see(&columns[3], 100);
	layout_decide(columns, 4, 0);
	assert_int_equal(columns[3].width, 100);
	assert_int_equal(columns[1].width, 20);
	layout_decide(columns, 4, 31); /* 5+5+5+10 and three gaps */
	assert_int_equal(columns[0].width, 5);
	assert_int_equal(columns[2].width, 5);
	layout_decide(columns, 4, 30);
	assert_int_equal(columns[2].width, 0);
	assert_int_equal(columns[0].width, 6);
	assert_int_equal(columns[1].width, 8);
	assert_int_equal(columns[3].width, 12);
	layout_decide(columns, 4, 3); /* what always stays may be too wide */
	assert_int_equal(columns[1].width + columns[2].width + columns[3].width, 0);
	assert_int_equal(columns[0].width, 5);
}

static void test_cells(void **state)
{
	/* Proves: cells are padded, cut with an ellipsis at a character border, and have exactly their column's width. */
	(void)state;
	struct layout_column column = {"A", 0, 5, 0, false, 0, 5};
	static const char *const texts[] = {"",
					    "abc",
					    "abcde",
					    "abcdef",
					    "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2",
					    "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"};
	for (size_t i = 0; i < 6; i++) {
		struct buf out;
		buf_init(&out, 0);
		layout_put_cell(&out, &column, str_of(texts[i]), false, true);
		assert_int_equal(utf8_width(buf_str(&out)), 5);
		assert_int_equal(utf8_invalid(buf_str(&out)), -1);
		buf_done(&out);
	}
	struct buf out;
	buf_init(&out, 0);
	column.right = true;
	layout_put_cell(&out, &column, STR_LIT("12"), true, true);
	assert_true(str_is(buf_str(&out), "   12"));
	buf_clear(&out);
	column.right = false;
	layout_put_cell(&out, &column, STR_LIT("abcdefg"), true, false);
	assert_true(str_is(buf_str(&out), "abcdefg"));
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_decide),
					   cmocka_unit_test(test_cells)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
