#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/tsql/template.h"

#include <stdlib.h>

/* Splits a text, and asserts that it comes back. */
static void split(struct tsql_template *template, struct str text)
{
	struct buf out;
	struct error err;

	buf_init(&out, 0);
	assert_int_equal(tsql_template_split(template, text, NULL), 0);
	assert_int_equal(tsql_template_join(buf_str(&template->text), template->literals,
					    template->literal_count, &out, &err),
			 0);
	assert_true(str_equal(buf_str(&out), text));
	buf_done(&out);
}

static void check_template(const char *text, const char *wanted)
{
	struct tsql_template template;

	tsql_template_init(&template);
	split(&template, str_of(text));
	assert_string_equal(template.text.ptr, wanted);
	tsql_template_done(&template);
}

static void literals_leave_the_template(void **state)
{
	/* strings, numbers and comments are places; names, NULL, parameters and white space stay */
	(void)state;
	check_template("SELECT a1, [b 2] FROM t3 WHERE x = 5 AND y IS NULL AND z = @P1",
		       "SELECT a1, [b 2] FROM t3 WHERE x = ? AND y IS NULL AND z = @P1");
	check_template("INSERT t VALUES ('a''b', N'c', 0xFF, $1.5, 1e5, 1.50)  /* x */ -- y",
		       "INSERT t VALUES (?, ?, ?, ?, ?, ?)  /*?*/ --?");
	check_template("a-5 (-5) = -5 AND -5", "a-? (?) = ? AND ?");
	check_template("a - -5", "a - ?");
}

static void own_places_are_escaped(void **state)
{
	/* a question mark or backslash of the text is not taken for a place, wherever it stands */
	(void)state;
	check_template("{? = call p(?)}", "{\\? = call p(\\?)}");
	check_template("[a?b\\] ? 'x?' \\ 1'a'?", "[a\\?b\\\\] \\? ? \\\\ ??\\?");
}

static void doubt_takes_the_rest(void **state)
{
	/* from what does not end, or is no T-SQL, to the end all is one literal */
	(void)state;
	check_template("SELECT 'abc", "SELECT ?");
	check_template("SELECT [abc", "SELECT ?");
	check_template("SELECT a /* b /* c */ d", "SELECT a ?");
	check_template("SELECT a \xFF b", "SELECT a ?");
	check_template("SELECT a \xE2\x80\x98secret\xE2\x80\x99", "SELECT a ?");
	check_template("SELECT `a`", "SELECT ?");
}

struct kind_example {
	const char *text;
	enum tsql_literal_kind kind;
	int64_t number;
	unsigned scale;
	const char *inside;
};

static void kinds_regenerate_exactly(void **state)
{
	/* a literal has a value only when that value is written in one way */
	static const struct kind_example examples[] = {
		{"7", TSQL_LITERAL_INT, 7, 0, "7"},
		{"0", TSQL_LITERAL_INT, 0, 0, "0"},
		{"-42", TSQL_LITERAL_INT, -42, 0, "-42"},
		{"999999999999999999", TSQL_LITERAL_INT, 999999999999999999, 0,
		 "999999999999999999"},
		{"9999999999999999999", TSQL_LITERAL_TEXT, 0, 0, "9999999999999999999"},
		{"007", TSQL_LITERAL_TEXT, 0, 0, "007"},
		{"12.50", TSQL_LITERAL_DECIMAL, 1250, 2, "12.50"},
		{"-0.05", TSQL_LITERAL_DECIMAL, -5, 2, "-0.05"},
		{"0.00", TSQL_LITERAL_DECIMAL, 0, 2, "0.00"},
		{"0.00000000000000001", TSQL_LITERAL_DECIMAL, 1, 17, "0.00000000000000001"},
		{"00.5", TSQL_LITERAL_TEXT, 0, 0, "00.5"},
		{".5", TSQL_LITERAL_TEXT, 0, 0, ".5"},
		{"1.", TSQL_LITERAL_TEXT, 0, 0, "1."},
		{"1E+05", TSQL_LITERAL_FLOAT, 0, 0, "1E+05"},
		{"0xAbC", TSQL_LITERAL_HEX, 0, 0, "AbC"},
		{"0x", TSQL_LITERAL_HEX, 0, 0, ""},
		{"0XaB", TSQL_LITERAL_TEXT, 0, 0, "0XaB"},
		{"0x12\\\n34", TSQL_LITERAL_HEX, 0, 0, "12\\\n34"},
		{"'a''b'", TSQL_LITERAL_STRING, 0, 0, "a''b"},
		{"''", TSQL_LITERAL_STRING, 0, 0, ""},
		{"N'\xD0\x97'", TSQL_LITERAL_NSTRING, 0, 0, "\xD0\x97"},
		{"n'x'", TSQL_LITERAL_TEXT, 0, 0, "n'x'"},
		{"$1.50", TSQL_LITERAL_MONEY, 0, 0, "$1.50"},
		{"\xC2\xA3"
		 "3",
		 TSQL_LITERAL_MONEY, 0, 0,
		 "\xC2\xA3"
		 "3"},
		{"'open", TSQL_LITERAL_REST, 0, 0, "'open"},
	};
	struct tsql_template template;

	(void)state;
	tsql_template_init(&template);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct kind_example *example = &examples[i];

		split(&template, str_of(example->text));
		assert_string_equal(template.text.ptr, "?");
		assert_int_equal(template.literals[0].kind, example->kind);
		assert_int_equal(template.literals[0].number, example->number);
		assert_int_equal(template.literals[0].scale, example->scale);
		assert_true(str_is(template.literals[0].text, example->inside));
	}
	split(&template, STR_LIT("- 0 -0"));
	assert_string_equal(template.text.ptr, "- ? -?"); /* -0 would come back as 0 */
	tsql_template_done(&template);
}

static void quoted_identifier_off_makes_strings(void **state)
{
	/* with the option, what stands in double quotes is a literal */
	struct tsql_options options = {.quotes_are_strings = true};
	struct tsql_template template;

	(void)state;
	tsql_template_init(&template);
	assert_int_equal(tsql_template_split(&template, STR_LIT("SELECT \"a\"\"b\""), &options), 0);
	assert_string_equal(template.text.ptr, "SELECT ?");
	assert_int_equal(tsql_template_split(&template, STR_LIT("SELECT \"a\"\"b\""), NULL), 0);
	assert_string_equal(template.text.ptr, "SELECT \"a\"\"b\"");
	tsql_template_done(&template);
}

static void truncation_never_shows_a_literal(void **state)
{
	/* cut anywhere, no byte of a string, comment, number or hex value stands in the template */
	static const char *const texts[] = {
		"SELECT a FROM t WHERE b = 'CANARY''CANARY' AND c = N'CANARY' AND d = 98989",
		"UPDATE [t]]x] SET a = 'it''s CANARY' /* CANARY /* CANARY */ CANARY */ WHERE b = "
		"0x9898 -- CANARY 98",
		"EXEC p @a = N'CANARY', @b = $98.98, @c = 98e98 /*CANARY*/ -- CANARY\nSELECT "
		"'CANARY'",
		"CREATE LOGIN x WITH PASSWORD = 'CANARY'; EXEC ('SELECT ''CANARY'' AS b')",
		"EXEC sp_executesql N'SELECT ''CANARY''', N'@p nvarchar(9)', @p = N'CANARY'",
	};
	struct tsql_template template;

	(void)state;
	tsql_template_init(&template);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct str text = str_of(texts[i]);

		for (size_t len = 0; len <= text.len; len++) {
			split(&template, str_slice(text, 0, len));
			assert_true(str_find(buf_str(&template.text), STR_LIT("CA"), 0) < 0);
			assert_true(str_find(buf_str(&template.text), STR_LIT("98"), 0) < 0);
		}
	}
	tsql_template_done(&template);
}

static void any_bytes_come_back(void **state)
{
	/* random texts of awkward bytes, and of all bytes, are joined bit for bit */
	static const char alphabet[] =
		"'\"[]/*-\n ?\\N0x1.$eE@#a;(\xC2\xA0\xE2\x80\x98\xED\xA0\x80\xFF";
	struct tsql_template template;
	uint32_t seed = 11;

	(void)state;
	tsql_template_init(&template);
	for (int round = 0; round < 20000; round++) {
		char text[48];
		size_t len;

		for (size_t i = 0; i < sizeof(text); i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = round % 4 == 0 ? (char)(seed >> 24)
						 : alphabet[(seed >> 16) % sizeof(alphabet)];
		}
		len = (seed >> 8) % (sizeof(text) + 1);
		split(&template, str_make(text, len));
	}
	tsql_template_done(&template);
}

static void join_refuses_what_does_not_fit(void **state)
{
	/* too many or few literals, a loose backslash, an unknown kind, a scale out of range and a full buffer are errors that leave
	 * out as it was */
	struct tsql_literal one = {.kind = TSQL_LITERAL_INT, .number = 5};
	struct tsql_literal odd = {.kind = (enum tsql_literal_kind)99};
	struct tsql_literal scaled = {.kind = TSQL_LITERAL_DECIMAL, .scale = 18};
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, 8);
	buf_put_text(&out, "ab");
	assert_int_equal(tsql_template_join(STR_LIT("x ?"), NULL, 0, &out, &err), -ERR_CORRUPT);
	assert_int_equal(tsql_template_join(STR_LIT("x"), &one, 1, &out, &err), -ERR_CORRUPT);
	assert_int_equal(tsql_template_join(STR_LIT("x\\"), NULL, 0, &out, &err), -ERR_CORRUPT);
	assert_int_equal(tsql_template_join(STR_LIT("?"), &odd, 1, &out, &err), -ERR_CORRUPT);
	assert_int_equal(tsql_template_join(STR_LIT("?"), &scaled, 1, &out, &err), -ERR_CORRUPT);
	assert_string_equal(out.ptr, "ab");
	assert_int_equal(tsql_template_join(STR_LIT("0123456789"), NULL, 0, &out, &err),
			 -ERR_LIMIT);
	assert_true(str_is(buf_str(&out), "ab"));
	buf_done(&out);
}

static void hash_is_stable(void **state)
{
	/* the hash of a template is stored: it is the head of its SHA-256 and never changes */
	(void)state;
	assert_true(tsql_template_hash(STR_LIT("")) == UINT64_C(0xe3b0c44298fc1c14));
	assert_true(tsql_template_hash(STR_LIT("SELECT ?")) !=
		    tsql_template_hash(STR_LIT("SELECT ??")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_leave_the_template),
		cmocka_unit_test(own_places_are_escaped),
		cmocka_unit_test(doubt_takes_the_rest),
		cmocka_unit_test(kinds_regenerate_exactly),
		cmocka_unit_test(quoted_identifier_off_makes_strings),
		cmocka_unit_test(truncation_never_shows_a_literal),
		cmocka_unit_test(any_bytes_come_back),
		cmocka_unit_test(join_refuses_what_does_not_fit),
		cmocka_unit_test(hash_is_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
