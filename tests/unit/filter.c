#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/filter.h"

#include <stdlib.h>

/* The normal form of text, or its error. */
static const char *normal(const char *text, char *out, size_t size)
{
	struct arena arena;
	struct query query;
	struct error err;
	struct buf buf;
	arena_init(&arena, 1 << 20);
	buf_init(&buf, 0);
	if (query_parse(str_of(text), &arena, &query, &err) == 0) {
		query_put(&query, &buf);
	} else {
		buf_put_text(&buf, err.text);
	}
	assert_true(buf.len < size);
	memcpy(out, buf.len > 0 ? buf.ptr : "", buf.len);
	out[buf.len] = '\0';
	buf_done(&buf);
	arena_done(&arena);
	return out;
}

static void test_trees(void **state)
{
	/* Proves: AND binds tighter than OR, NOT tighter than both; aliases become words; the normal form reads back the same. */
	(void)state;
	static const char *const cases[][2] = {
		{"", ""},
		{"user:alice", "user:\"alice\""},
		{"a b", "(\"a\" AND \"b\")"},
		{"a OR b c", "(\"a\" OR (\"b\" AND \"c\"))"},
		{"(a OR b) c", "((\"a\" OR \"b\") AND \"c\")"},
		{"-app:etl", "NOT application:\"etl\""},
		{"NOT NOT a", "NOT NOT \"a\""},
		{"a AND -b", "(\"a\" AND NOT \"b\")"},
		{"rows>1000", "rows>\"1000\""},
		{"rows != 3", "NOT rows=\"3\""},
		{"USER:Alice", "user:\"Alice\""},
		{"db:\"x y\" login:sa", "(database:\"x y\" AND login:\"sa\")"},
		{"path:/a:b", "path:\"/a:b\""},
		{"user:-x", "user:\"-x\""},
		{"a-b", "\"a-b\""},
		{"\"a \\\" b\"", "\"a \\\" b\""},
	};
	char once[4096];
	char twice[4096];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(normal(cases[i][0], once, sizeof(once)), cases[i][1]);
		assert_string_equal(normal(once, twice, sizeof(twice)), once);
	}
}

static void test_errors(void **state)
{
	/* Proves: each mistake is told with its place and, for a field, with what was meant. */
	(void)state;
	static const char *const cases[][2] = {
		{"user:alice rout:x",
		 "query:1:12: unknown field \"rout\"; did you mean \"route\"?"},
		{"gap_kind:x", "query:1:1: field \"gap_kind\" is not a field of requests, "
			       "statements or verdicts"},
		{"(a", "query:1:1: the parenthesis that opens here is never closed"},
		{"a)", "query:1:2: this parenthesis closes nothing"},
		{"()", "query:1:1: there is nothing between these parentheses"},
		{"a OR", "query:1:5: the query ends where a term should come"},
		{"OR a", "query:1:1: \"OR\" needs a term on either side; put it in quotes to look "
			 "for it as text"},
		{"NOT", "query:1:4: the query ends where a term should come"},
		{"a \"b", "query:1:3: the quote that opens here is never closed"},
	};
	char text[4096];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(normal(cases[i][0], text, sizeof(text)), cases[i][1]);
	}
	assert_non_null(strstr(normal("http://x", text, sizeof(text)), "unknown field \"http\""));
}

static void test_limits(void **state)
{
	/* Proves: too deep, too many terms and too little memory are ERR_LIMIT, not a crash. */
	(void)state;
	struct arena arena;
	struct query query;
	struct error err;
	arena_init(&arena, 1 << 20);
	char deep[2048];
	memset(deep, '(', sizeof(deep));
	assert_int_equal(query_parse(str_make(deep, sizeof(deep)), &arena, &query, &err),
			 -ERR_LIMIT);
	memset(deep, '-', sizeof(deep));
	assert_int_equal(query_parse(str_make(deep, sizeof(deep)), &arena, &query, &err),
			 -ERR_LIMIT);
	char many[2 * (QUERY_TERMS_MAX + 1)];
	for (size_t i = 0; i < sizeof(many); i++) {
		many[i] = i % 2 == 0 ? 'a' : ' ';
	}
	assert_int_equal(query_parse(str_make(many, sizeof(many) - 2), &arena, &query, &err), 0);
	assert_int_equal(query.term_count, QUERY_TERMS_MAX);
	assert_int_equal(query_parse(str_make(many, sizeof(many)), &arena, &query, &err),
			 -ERR_LIMIT);
	arena_done(&arena);
	arena_init(&arena, 0);
	assert_int_equal(query_parse(STR_LIT("a"), &arena, &query, &err), -ERR_LIMIT);
	assert_int_equal(query_parse(STR_LIT(""), &arena, &query, &err), -ERR_LIMIT);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
