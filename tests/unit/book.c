/* What the join remembers: names, ids, marks, limits. */
#include "correlator/join/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void init(struct book *book)
{
	struct join_options options = {.max_records = 10};
	struct error err;
	assert_int_equal(book_init(book, &options, &err), 0);
}

/* Settings that contradict themselves are refused with a sentence. */
static void test_bad_options(void **state)
{
	(void)state;
	static const struct join_options bad[] = {
		{.tolerance_ns = -1},
		{.tolerance_ns = 5, .slack_ns = 4},
		{.max_records = BOOK_REQUEST_BIT},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct book book;
		struct error err;
		assert_int_equal(book_init(&book, &bad[i], &err), -ERR_CONFIG);
		assert_true(strlen(err.text) > 10);
		book_done(&book);
	}
}

/* A name has one index however often it is asked, another name another. */
static void test_names(void **state)
{
	(void)state;
	struct book book;
	uint32_t a, b, c;
	init(&book);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(book_source(&book, STR_LIT("db1"), &a), 0);
		assert_int_equal(book_source(&book, STR_LIT("db2"), &b), 0);
		assert_int_equal(a, 0);
		assert_int_equal(b, 1);
		assert_int_equal(book_file(&book, STR_LIT("f1"), &a), 0);
		assert_int_equal(book_file(&book, STR_LIT("f2"), &b), 0);
		assert_int_equal(book_file(&book, STR_LIT("f1"), &c), 0);
		assert_int_equal(a, c);
		assert_int_not_equal(a, b);
		const struct str x[3] = {STR_LIT("ab"), STR_LIT(""), STR_LIT("c")};
		const struct str y[3] = {STR_LIT("a"), STR_LIT("b"), STR_LIT("c")};
		assert_int_equal(book_login(&book, x, &a), 0);
		assert_int_equal(book_login(&book, y, &b), 0);
		assert_int_not_equal(a, b);
		assert_true(str_is(book.logins[a].name[2], "c"));
	}
	assert_int_equal(book.login_count, 2);
	book_done(&book);
}

/* More sources than fit in a statement's field are refused, not confused. */
static void test_too_many_sources(void **state)
{
	(void)state;
	struct book book;
	uint32_t index;
	init(&book);
	book.source_count = UINT16_MAX;
	book.sources = calloc(UINT16_MAX, sizeof *book.sources);
	assert_non_null(book.sources);
	assert_int_equal(book_source(&book, STR_LIT("one more"), &index), -ERR_LIMIT);
	book.source_count = 0;
	book_done(&book);
}

/* The same text is one id within its kind and another in each other kind. */
static void test_ids(void **state)
{
	(void)state;
	struct book book;
	uint32_t id[ID_KINDS], again;
	init(&book);
	for (int kind = 0; kind < ID_KINDS; kind++) {
		assert_int_equal(
			book_id(&book, (enum id_kind)kind, STR_LIT("GQIVriFLIAMEMsA="), &id[kind]),
			0);
		assert_int_equal(
			book_id(&book, (enum id_kind)kind, STR_LIT("GQIVriFLIAMEMsA="), &again), 0);
		assert_int_equal(id[kind], again);
	}
	assert_int_equal(book.id_count, ID_KINDS);
	book_done(&book);
}

/* A verdict kept for a leaf that is not here yet is given out once; a later one replaces it. */
static void test_restored(void **state)
{
	(void)state;
	struct book book;
	struct said said = {.reason = 1, .count = 1}, out;
	init(&book);
	assert_false(book_take_restored(&book, 7, &out));
	assert_int_equal(book_keep_restored(&book, 7, &said), 0);
	said.reason = 2;
	assert_int_equal(book_keep_restored(&book, 7, &said), 0);
	assert_false(book_take_restored(&book, 8, &out));
	assert_true(book_take_restored(&book, 7, &out));
	assert_int_equal(out.reason, 2);
	assert_false(book_take_restored(&book, 7, &out));
	book_done(&book);
}

/* Sums of times stop at the ends instead of wrapping. */
static void test_add_ns(void **state)
{
	(void)state;
	assert_int_equal(book_add_ns(2, -3), -1);
	assert_int_equal(book_add_ns(INT64_MAX, 1), INT64_MAX);
	assert_int_equal(book_add_ns(INT64_MIN, -1), INT64_MIN);
	assert_int_equal(book_subtract_ns(2, 3), -1);
	assert_int_equal(book_subtract_ns(0, INT64_MIN), INT64_MAX);
	assert_int_equal(book_subtract_ns(INT64_MIN, 1), INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_options),      cmocka_unit_test(test_names),
		cmocka_unit_test(test_too_many_sources), cmocka_unit_test(test_ids),
		cmocka_unit_test(test_restored),         cmocka_unit_test(test_add_ns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
