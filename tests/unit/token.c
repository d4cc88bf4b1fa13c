#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/tsql/token.h"

static void check_next(struct tsql_reader *reader, enum tsql_kind kind, const char *text)
{
	struct tsql_token token;

	assert_true(tsql_next_code(reader, &token));
	assert_int_equal(token.kind, kind);
	assert_true(str_is(token.text, text));
}

static void kinds_of_tokens(void **state)
{
	/* each kind of token is told apart and gives its inner text */
	struct tsql_reader reader = tsql_reader(
		STR_LIT("SELECT [a]]b], \"c\"\"d\", N'e''f', @v, 0xAF, 12.5, #t -- x\n;"));

	(void)state;
	check_next(&reader, TSQL_WORD, "SELECT");
	check_next(&reader, TSQL_QUOTED, "a]]b");
	check_next(&reader, TSQL_MARK, ",");
	check_next(&reader, TSQL_QUOTED, "c\"\"d");
	check_next(&reader, TSQL_MARK, ",");
	check_next(&reader, TSQL_STRING, "e''f");
	check_next(&reader, TSQL_MARK, ",");
	check_next(&reader, TSQL_VARIABLE, "@v");
	check_next(&reader, TSQL_MARK, ",");
	check_next(&reader, TSQL_HEX, "AF");
	check_next(&reader, TSQL_MARK, ",");
	check_next(&reader, TSQL_NUMBER, "12.5");
	check_next(&reader, TSQL_MARK, ",");
	check_next(&reader, TSQL_WORD, "#t");
	check_next(&reader, TSQL_MARK, ";");
	assert_false(tsql_next_code(&reader, &(struct tsql_token){.kind = TSQL_MARK}));
}

static void comments_nest(void **state)
{
	/* a block comment ends with its outermost end, as on the server */
	struct tsql_reader reader = tsql_reader(STR_LIT("/* a /* b */ c */ x"));
	struct tsql_token token;

	(void)state;
	assert_true(tsql_next(&reader, &token));
	assert_int_equal(token.kind, TSQL_COMMENT);
	assert_true(token.closed);
	assert_true(str_is(token.text, " a /* b */ c "));
	check_next(&reader, TSQL_WORD, "x");
}

static void unclosed_runs_to_the_end(void **state)
{
	/* what is not closed takes all that is left and says so */
	static const char *const texts[] = {"'a'' --", "N'a", "[a]]", "\"a", "/* a /* b */", "/*/"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct tsql_reader reader = tsql_reader(str_of(texts[i]));
		struct tsql_token token;

		assert_true(tsql_next(&reader, &token));
		assert_false(token.closed);
		assert_true(str_is(token.whole, texts[i]));
		assert_false(tsql_next(&reader, &token));
	}
}

static void every_byte_belongs_to_a_token(void **state)
{
	/* tokens of any text stand one behind the other without a gap */
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		static const char alphabet[] = "'\"[]/*-- \n@#aN0x.;\xC2\xA0\xE2\x80\x83\xEF";
		char text[40];
		struct tsql_reader reader;
		struct tsql_token token;
		size_t pos = 0;

		for (size_t i = 0; i < sizeof(text); i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		reader = tsql_reader(str_make(text, sizeof(text)));
		while (tsql_next(&reader, &token)) {
			assert_ptr_equal(token.whole.ptr, text + pos);
			assert_true(token.whole.len > 0);
			pos += token.whole.len;
		}
		assert_int_equal(pos, sizeof(text));
	}
}

static void unicode_spaces_are_spaces(void **state)
{
	/* a no-break or ideographic space parts words like a plain one */
	struct tsql_reader reader = tsql_reader(STR_LIT("DROP\xC2\xA0TABLE\xE3\x80\x80x"));

	(void)state;
	check_next(&reader, TSQL_WORD, "DROP");
	check_next(&reader, TSQL_WORD, "TABLE");
	check_next(&reader, TSQL_WORD, "x");
}

static void parameters_are_skipped(void **state)
{
	/* the server's list of parameters is passed over, other parentheses are not */
	struct tsql_reader with = tsql_reader(STR_LIT("(@a int, @b nvarchar(40))SELECT 1"));
	struct tsql_reader without = tsql_reader(STR_LIT("(SELECT 1)"));
	struct tsql_reader open = tsql_reader(STR_LIT("(@a int"));

	(void)state;
	tsql_skip_parameters(&with);
	check_next(&with, TSQL_WORD, "SELECT");
	tsql_skip_parameters(&without);
	check_next(&without, TSQL_MARK, "(");
	tsql_skip_parameters(&open);
	check_next(&open, TSQL_MARK, "(");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_tokens),
		cmocka_unit_test(comments_nest),
		cmocka_unit_test(unclosed_runs_to_the_end),
		cmocka_unit_test(every_byte_belongs_to_a_token),
		cmocka_unit_test(unicode_spaces_are_spaces),
		cmocka_unit_test(parameters_are_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
