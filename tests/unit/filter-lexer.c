#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/filter-lexer.h"

#include <stdlib.h>

static struct token next(struct lexer *lexer)
{
	struct error err;
	struct token token;
	assert_int_equal(lexer_next(lexer, &token, &err), 0);
	return token;
}

static void test_tokens(void **state)
{
	/* Proves: every kind of token comes out with its text, operator and place. */
	(void)state;
	struct arena arena;
	arena_init(&arena, 4096);
	struct lexer lexer = lexer_over(
		STR_LIT("a -b (user:x) NOT OR AND rows >= \"q \\\" \\\\ \\n\" -"), &arena);
	struct token token = next(&lexer);
	assert_int_equal(token.type, TOKEN_WORD);
	assert_true(str_is(token.text, "a"));
	assert_int_equal(next(&lexer).type, TOKEN_NOT);
	assert_int_equal(next(&lexer).type, TOKEN_WORD);
	assert_int_equal(next(&lexer).type, TOKEN_OPEN);
	token = next(&lexer);
	assert_int_equal(token.type, TOKEN_FIELD);
	assert_true(str_is(token.text, "user"));
	assert_int_equal(token.op, COMPARE_HAS);
	assert_int_equal(token.offset, 6);
	struct error err;
	struct token value;
	assert_int_equal(lexer_value(&lexer, &token, &value, &err), 0);
	assert_true(str_is(value.text, "x"));
	assert_int_equal(next(&lexer).type, TOKEN_CLOSE);
	assert_int_equal(next(&lexer).type, TOKEN_NOT);
	assert_int_equal(next(&lexer).type, TOKEN_OR);
	assert_int_equal(next(&lexer).type, TOKEN_AND);
	token = next(&lexer);
	assert_int_equal(token.op, COMPARE_AT_LEAST);
	assert_int_equal(lexer_value(&lexer, &token, &value, &err), 0);
	assert_int_equal(value.type, TOKEN_PHRASE);
	assert_true(str_is(value.text, "q \" \\ \\n"));
	token = next(&lexer);
	assert_int_equal(token.type, TOKEN_WORD); /* a lone - is a word */
	assert_int_equal(next(&lexer).type, TOKEN_END);
	arena_done(&arena);
}

static void test_operators(void **state)
{
	/* Proves: each operator is read as itself, the longest first. */
	(void)state;
	static const struct {
		const char *text;
		enum compare_op op;
	} cases[] = {{"a:1", COMPARE_HAS},        {"a=1", COMPARE_EQUAL},
		     {"a!=1", COMPARE_NOT_EQUAL}, {"a<1", COMPARE_LESS},
		     {"a<=1", COMPARE_AT_MOST},   {"a>1", COMPARE_MORE},
		     {"a>=1", COMPARE_AT_LEAST},  {"a > 1", COMPARE_MORE}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lexer lexer = lexer_over(str_of(cases[i].text), NULL);
		struct token field = next(&lexer);
		struct token value;
		assert_int_equal(field.type, TOKEN_FIELD);
		assert_int_equal(field.op, cases[i].op);
		assert_int_equal(lexer_value(&lexer, &field, &value, NULL), 0);
		assert_true(str_is(value.text, "1"));
	}
}

static void test_errors(void **state)
{
	/* Proves: ERR_USAGE names line and column for an open quote and a missing value; ERR_LIMIT for a long filter and a
	 * full arena. */
	(void)state;
	struct error err;
	struct token token;
	struct lexer lexer = lexer_over(STR_LIT("a\nb\xc3\xa4 \"open"), NULL);
	(void)next(&lexer);
	(void)next(&lexer);
	assert_int_equal(lexer_next(&lexer, &token, &err), -ERR_USAGE);
	assert_string_equal(err.text, "query:2:4: the quote that opens here is never closed");

	lexer = lexer_over(STR_LIT("user: x"), NULL);
	struct token field = next(&lexer);
	assert_int_equal(lexer_value(&lexer, &field, &token, &err), -ERR_USAGE);
	assert_non_null(strstr(err.text, "query:1:1: \"user:\" needs a value"));

	char *text = malloc(LEXER_TEXT_MAX + 1);
	assert_non_null(text);
	memset(text, 'a', LEXER_TEXT_MAX + 1);
	lexer = lexer_over(str_make(text, LEXER_TEXT_MAX + 1), NULL);
	assert_int_equal(lexer_next(&lexer, &token, &err), -ERR_LIMIT);
	free(text);

	struct arena arena;
	arena_init(&arena, 0);
	lexer = lexer_over(STR_LIT("\"a\\\"b\""), &arena);
	assert_int_equal(lexer_next(&lexer, &token, &err), -ERR_LIMIT);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
