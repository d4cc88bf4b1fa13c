#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
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

static void numbers_are_cut_as_on_the_server(void **state)
{
	/* floats, points at either end, money, hex with joined lines; what follows a number is a word of its own */
	struct tsql_reader reader =
		tsql_reader(STR_LIT("1e5 1E+05 .5 1. 1.5.6 1e 1else 0x 0Xa\\\n\xC2\xA0"
				    "0xAB\\\nCD $1.50 $ \xE2\x82\xAC"
				    "3 12ab"));

	(void)state;
	check_next(&reader, TSQL_NUMBER, "1e5");
	check_next(&reader, TSQL_NUMBER, "1E+05");
	check_next(&reader, TSQL_NUMBER, ".5");
	check_next(&reader, TSQL_NUMBER, "1.");
	check_next(&reader, TSQL_NUMBER, "1.5");
	check_next(&reader, TSQL_NUMBER, ".6");
	check_next(&reader, TSQL_NUMBER, "1e");
	check_next(&reader, TSQL_NUMBER, "1");
	check_next(&reader, TSQL_WORD, "else");
	check_next(&reader, TSQL_HEX, "");
	check_next(&reader, TSQL_HEX, "a\\\n");
	check_next(&reader, TSQL_HEX, "AB\\\nCD");
	check_next(&reader, TSQL_MONEY, "$1.50");
	check_next(&reader, TSQL_MONEY, "$");
	check_next(&reader, TSQL_MONEY,
		   "\xE2\x82\xAC"
		   "3");
	check_next(&reader, TSQL_NUMBER, "12");
	check_next(&reader, TSQL_WORD, "ab");
}

static void marks_are_as_long_as_they_can_be(void **state)
{
	/* operators of two and three bytes are one mark */
	static const char *const marks[] = {"<>",  "!=", "!<", "!>", "<=", ">=", "+=", "-=",
					    "*=",  "/=", "%=", "&=", "^=", "|=", "::", "||",
					    "||=", "<<", ">>", "=",  "~",  ":"};

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct buf text;
		struct tsql_reader reader;

		buf_init(&text, 0);
		buf_putf(&text, "a%s 1", marks[i]);
		reader = tsql_reader(buf_str(&text));
		check_next(&reader, TSQL_WORD, "a");
		check_next(&reader, TSQL_MARK, marks[i]);
		check_next(&reader, TSQL_NUMBER, "1");
		buf_done(&text);
	}
}

static void go_stands_alone_on_its_line(void **state)
{
	/* GO is a separator only alone, a count behind it or not; else it is a word */
	struct tsql_reader reader = tsql_reader(STR_LIT("a\n go \nGO 5\r\nGO x\ng go\nGO"));

	(void)state;
	check_next(&reader, TSQL_WORD, "a");
	check_next(&reader, TSQL_GO, "go");
	check_next(&reader, TSQL_GO, "GO");
	check_next(&reader, TSQL_NUMBER, "5");
	check_next(&reader, TSQL_WORD, "GO");
	check_next(&reader, TSQL_WORD, "x");
	check_next(&reader, TSQL_WORD, "g");
	check_next(&reader, TSQL_WORD, "go");
	check_next(&reader, TSQL_GO, "GO");
}

static void names_are_of_any_script(void **state)
{
	/* UTF-8 and lone surrogates make names; bytes that are no UTF-8, NUL and typographic quotes are unknown; control bytes part */
	struct tsql_reader reader =
		tsql_reader(str_make("\xEF\xBB\xBF\xD0\x97\xD1\x8B ##t $action @@v \xED\xA0\x80\x01"
				     "b\xFF\x00\xE2\x80\x98",
				     34));

	(void)state;
	check_next(&reader, TSQL_WORD, "\xD0\x97\xD1\x8B");
	check_next(&reader, TSQL_WORD, "##t");
	check_next(&reader, TSQL_WORD, "$action");
	check_next(&reader, TSQL_VARIABLE, "@@v");
	check_next(&reader, TSQL_WORD, "\xED\xA0\x80");
	check_next(&reader, TSQL_WORD, "b");
	check_next(&reader, TSQL_UNKNOWN, "\xFF");
	assert_true(tsql_next_code(&reader, &(struct tsql_token){.kind = TSQL_MARK}));
	check_next(&reader, TSQL_UNKNOWN, "\xE2\x80\x98");
}

static void a_backslash_escapes_nothing(void **state)
{
	/* a string ends with its quote, whatever stands before it */
	struct tsql_reader reader = tsql_reader(STR_LIT("LIKE '!%' ESCAPE '\\' AND 'c:\\'+N'\\'"));

	(void)state;
	check_next(&reader, TSQL_WORD, "LIKE");
	check_next(&reader, TSQL_STRING, "!%");
	check_next(&reader, TSQL_WORD, "ESCAPE");
	check_next(&reader, TSQL_STRING, "\\");
	check_next(&reader, TSQL_WORD, "AND");
	check_next(&reader, TSQL_STRING, "c:\\");
	check_next(&reader, TSQL_MARK, "+");
	check_next(&reader, TSQL_STRING, "\\");
}

static void quotes_are_strings_when_told(void **state)
{
	/* with QUOTED_IDENTIFIER off, double quotes make a string */
	struct tsql_reader reader = tsql_reader(STR_LIT("\"a\"\"b\" [c]"));

	(void)state;
	reader.quotes_are_strings = true;
	check_next(&reader, TSQL_STRING, "a\"\"b");
	check_next(&reader, TSQL_QUOTED, "c");
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
		cmocka_unit_test(numbers_are_cut_as_on_the_server),
		cmocka_unit_test(marks_are_as_long_as_they_can_be),
		cmocka_unit_test(go_stands_alone_on_its_line),
		cmocka_unit_test(names_are_of_any_script),
		cmocka_unit_test(a_backslash_escapes_nothing),
		cmocka_unit_test(quotes_are_strings_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
