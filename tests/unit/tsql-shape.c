#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/tsql/template.h"

static void check_shape(const char *text, const char *wanted)
{
	struct buf out;

	buf_init(&out, 0);
	buf_put_text(&out, ">");
	tsql_shape_put(str_of(text), NULL, &out);
	assert_string_equal(out.ptr + 1, wanted);
	buf_done(&out);
}

static void layout_and_comments_do_not_matter(void **state)
{
	/* statements that differ in white space, comments, case of keywords and literals have one shape */
	static const char wanted[] = "SELECT a, b FROM dbo.t WHERE x = ? AND y = @p";

	(void)state;
	check_shape("select a,b\n\tfrom dbo . t where x=5 and y = @p -- z", wanted);
	check_shape("SELECT a , b FROM/* c */dbo.t WHERE x = 'q' AND y=@p", wanted);
}

static void lists_and_rows_are_one(void **state)
{
	/* a list of literals behind IN is one, and rows of VALUES that look the same are one */
	(void)state;
	check_shape("SELECT a FROM t WHERE b IN (1, 2, 3)", "SELECT a FROM t WHERE b IN (?)");
	check_shape("SELECT a FROM t WHERE b NOT IN ('x')", "SELECT a FROM t WHERE b NOT IN (?)");
	check_shape("SELECT a FROM t WHERE b IN (SELECT c FROM d)",
		    "SELECT a FROM t WHERE b IN (SELECT c FROM d)");
	check_shape("INSERT INTO t(a, b) VALUES (1, 'x'), (2, N'y'),(3,'z')",
		    "INSERT INTO t(a, b) VALUES (?, ?)");
	check_shape("INSERT t VALUES (1), (DEFAULT)", "INSERT t VALUES (?), (DEFAULT)");
}

static void names_keep_their_letters(void **state)
{
	/* a name that looks like a keyword behind a point stays as it is written */
	(void)state;
	check_shape("select t.[From], t.type from t", "SELECT t.[From], t.type FROM t");
}

static void doubt_ends_the_shape(void **state)
{
	/* behind what does not end nothing is shown */
	(void)state;
	check_shape("select 'secret", "SELECT ?");
	check_shape("select a \xFF secret", "SELECT a ?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_and_comments_do_not_matter),
		cmocka_unit_test(lists_and_rows_are_one),
		cmocka_unit_test(names_keep_their_letters),
		cmocka_unit_test(doubt_ends_the_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
