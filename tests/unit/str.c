/* Borrowed text: search, split, globs and near words. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Equality, order, prefix and suffix look at lengths as well as bytes. */
static void test_compare(void **state)
{
	(void)state;
	assert_true(str_equal(STR_LIT("ab"), STR_LIT("ab")));
	assert_false(str_equal(STR_LIT("ab"), STR_LIT("abc")));
	assert_true(str_equal(str_of(NULL), STR_LIT("")));
	assert_true(str_equal_fold(STR_LIT("SeLect"), STR_LIT("sElECT")));
	assert_false(str_equal_fold(STR_LIT("a["), STR_LIT("a{")));
	assert_true(str_compare(STR_LIT("ab"), STR_LIT("abc")) < 0);
	assert_true(str_compare(STR_LIT("b"), STR_LIT("abc")) > 0);
	assert_int_equal(str_compare(STR_LIT(""), str_of(NULL)), 0);
	assert_true(str_has_prefix(STR_LIT("abc"), STR_LIT("ab")));
	assert_false(str_has_prefix(STR_LIT("a"), STR_LIT("ab")));
	assert_true(str_has_suffix(STR_LIT("abc"), STR_LIT("bc")));
	assert_false(str_has_suffix(STR_LIT("abc"), STR_LIT("bd")));
}

/* Finding respects the start, folds when asked, and takes NULs as bytes. */
static void test_find(void **state)
{
	(void)state;
	assert_int_equal(str_find(STR_LIT("abcabc"), STR_LIT("bc"), 2), 4);
	assert_int_equal(str_find(STR_LIT("abc"), STR_LIT("x"), 0), -1);
	assert_int_equal(str_find(STR_LIT("abc"), STR_LIT(""), 3), 3);
	assert_int_equal(str_find(STR_LIT("abc"), STR_LIT(""), 4), -1);
	assert_int_equal(str_find(str_of(NULL), STR_LIT("a"), 0), -1);
	assert_int_equal(str_find_fold(STR_LIT("xxDROP"), STR_LIT("drop"), 0), 2);
	assert_int_equal(str_find_fold(STR_LIT("dro"), STR_LIT("drop"), 0), -1);
	assert_int_equal(str_find_byte(str_make("a\0b", 3), 'b', 0), 2);
	assert_int_equal(str_find_byte(STR_LIT("abc"), 'a', 1), -1);
}

/* Slices are cut to the text; trimming takes all ASCII white space. */
static void test_slice(void **state)
{
	(void)state;
	assert_true(str_is(str_slice(STR_LIT("abcdef"), 2, 3), "cde"));
	assert_true(str_is(str_slice(STR_LIT("abc"), 2, 99), "c"));
	assert_int_equal(str_slice(STR_LIT("abc"), 9, 1).len, 0);
	assert_true(str_is(str_trim(STR_LIT(" \t\r\n\v\f a b \n")), "a b"));
	assert_int_equal(str_trim(STR_LIT("  ")).len, 0);
}

/* Splitting gives every part, also empty ones, and ends with a NULL rest. */
static void test_split(void **state)
{
	(void)state;
	struct str rest = STR_LIT("a,,b,");
	const char *const want[] = {"a", "", "b", ""};
	size_t count = 0;
	while (rest.ptr != NULL) {
		struct str part = str_split(&rest, ',');
		assert_true(count < 4);
		assert_true(str_is(part, want[count]));
		count++;
	}
	assert_int_equal(count, 4);
}

/* Globs match over the whole text, go back to the last star, and stay quick on bad patterns. */
static void test_glob(void **state)
{
	(void)state;
	assert_true(str_glob(STR_LIT("GET /orders/{id}"), STR_LIT("GET /orders/*")));
	assert_false(str_glob(STR_LIT("GET /orders"), STR_LIT("GET /orders/*")));
	assert_true(str_glob(STR_LIT("aXbXc"), STR_LIT("a*b*c")));
	assert_true(str_glob(STR_LIT("abc"), STR_LIT("a?c")));
	assert_false(str_glob(STR_LIT("abc"), STR_LIT("ABC")));
	assert_true(str_glob_fold(STR_LIT("abc"), STR_LIT("A*C")));
	assert_true(str_glob(STR_LIT(""), STR_LIT("**")));
	assert_false(str_glob(STR_LIT(""), STR_LIT("?")));
	char text[4001], pattern[201];
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(pattern); i++) {
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	}
	pattern[200] = 'b';
	assert_false(str_glob(str_make(text, sizeof(text)), str_make(pattern, sizeof(pattern))));
}

/* The nearest word is found over one slip or a swap, and nothing is offered when all are far. */
static void test_nearest(void **state)
{
	(void)state;
	static const char *const names[] = {"route", "user", "rows", "table"};
	assert_string_equal(str_nearest(STR_LIT("rout"), names, 4), "route");
	assert_string_equal(str_nearest(STR_LIT("uesr"), names, 4), "user");
	assert_string_equal(str_nearest(STR_LIT("TABEL"), names, 4), "table");
	assert_null(str_nearest(STR_LIT("zzzzzz"), names, 4));
	assert_null(str_nearest(STR_LIT("x"), names, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare), cmocka_unit_test(test_find),
		cmocka_unit_test(test_slice),   cmocka_unit_test(test_split),
		cmocka_unit_test(test_glob),    cmocka_unit_test(test_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
