#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "query/expression.h"

#include <stdlib.h>

static struct arena arena;

static struct expression *make(const char *text)
{
	struct expression *expression = NULL;
	size_t at = 0;
	struct error err;
	assert_int_equal(expression_new(str_of(text), &arena, &expression, &at, &err), 0);
	return expression;
}

static void test_must(void **state)
{
	/* Proves: what every match holds is found out, alternatives and the third forms of k and s too, and nothing is said in doubt. */
	(void)state;
	static const struct {
		const char *text, *must; /* with blanks between */
	} cases[] = {
		{"delete.from", "delete"},
		{"drop|truncate", "drop truncate"},
		{"(?-i)drop|(alter|create)x?y", "drop alter create"},
		{"a(bcd|efg)+z", "bcd efg"},
		{"a(bcd|efg)?zz", "zz"},
		{"a(bcd|efg){0}", "a"},
		{"(abc|d*)", ""},
		{"\\d{16}", ""},
		{"a|b*", ""},
		{"", ""},
		{"a||b", ""},
		{"(?x)a b c", ""},
		{"(?=abc)|def", ""},
		{"(*ACCEPT)abc|def", ""},
		{"[[:alpha:]]|abc", ""},
		{"\\Qa|b\\E|abc", ""},
		{"[^|]abc[^)]de", "abc"},
		{"kim", "kim \xe2\x84\xaa"},
		{"SET", "\xc5\xbf"}, /* or a run of classes */
		{"((((((((((abc|def))))))))))", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf all;
		buf_init(&all, 1000);
		arena_init(&arena, 1 << 20);
		const struct expression *expression = make(cases[i].text);
		for (size_t n = 0; n < expression->must_count; n++) {
			buf_put_text(&all, n > 0 ? " " : "");
			buf_put_str(&all, expression->must[n]);
		}
		buf_put_byte(&all, '\0');
		assert_string_equal(all.ptr, cases[i].must);
		buf_done(&all);
		arena_done(&arena);
	}
}

/* The classes of a run: a byte that is alone in its class, or fold and a letter; else how many there are. */
static void put_run(const struct expression *expression, struct buf *out)
{
	for (size_t i = 0; i < expression->class_count; i++) {
		const struct byteset *set = &expression->classes[i];
		size_t count = byteset_count(set);
		unsigned byte = 0;
		while (byte < 255 && !byteset_has(set, (uint8_t)byte)) {
			byte++;
		}
		if (count == 1 ||
		    (count == 2 && byte >= 'A' && byteset_has(set, (uint8_t)(byte ^ 0x20)))) {
			buf_put_byte(out, (uint8_t)byte);
		} else {
			buf_putf(out, "<%zu>", count);
		}
	}
	buf_put_byte(out, '\0');
}

static void test_classes(void **state)
{
	/* Proves: the run of classes that says most is found, repetitions counted, and none in doubt. */
	(void)state;
	static const struct {
		const char *text, *run;
	} cases[] = {
		{"\\d{9}", "<10><10><10><10><10><10><10><10><10>"},
		{"(?-i)id = \\d+;x", "id = <10>"},
		{"x\\d{2,}; nothing \\b$", "<10><10>; NOTHING "},
		{"abcd?[0-4]{3}e", "<5><5><5>E"},
		{"(?-i)[a-c][^x]'[]b-]'", "'<3>'"},
		{"(?-i)[a-c]''[]b-]'", "<3>''<3>'"},
		{"0x[0-9a-f]{4}", "0X<22><22><22><22>"},
		{"(?-i)aa(b|c)+d..e", "aa"},
		{"(?-i)\\.a\\\\b+", ".a\\b"},
		{"\\d{4}|x", ""},
		{"(\\d)\\d{4}\\1", ""},
		{"\\d{4}\\x30", ""},
		{"\\d{4}\\Qa\\E", ""},
		{"\\d{4}[[:alpha:]]", ""},
		{"(?x)\\d{4} a", ""},
		{"(?=b)\\d{4}", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf run;
		buf_init(&run, 1000);
		arena_init(&arena, 1 << 20);
		put_run(make(cases[i].text), &run);
		assert_string_equal(run.ptr, cases[i].run);
		buf_done(&run);
		arena_done(&arena);
	}
}

static void test_matches(void **state)
{
	/* Proves: an expression is found anywhere, letters folded unless it says otherwise, beside bytes that are no UTF-8. */
	(void)state;
	static const struct {
		const char *text, *value;
		bool want;
	} cases[] = {
		{"from\\s+\\w+", "SELECT 1 FROM  t", true},
		{"(?-i)from", "SELECT 1 FROM t", false},
		{"^select", "x select", false},
		{"select$", "x select", true},
		{"kim",
		 "\xe2\x84\xaa"
		 "im",
		 true},
		{"o.der", "\xff\xfeOrder\xed\xa0\x80", true},
		{"\xc3\x89t\xc3\xa9", "\xc3\xa9T\xc3\x89", true},
		{"", "", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		arena_init(&arena, 1 << 20);
		assert_int_equal(expression_matches(make(cases[i].text), str_of(cases[i].value)),
				 cases[i].want);
		arena_done(&arena);
	}
}

static void test_wrong(void **state)
{
	/* Proves: a wrong expression is told with the byte where it is wrong; one that does not fit its arena is ERR_LIMIT. */
	(void)state;
	struct expression *expression = NULL;
	size_t at = 0;
	struct error err;
	arena_init(&arena, 1 << 20);
	assert_int_equal(expression_new(STR_LIT("ab(c"), &arena, &expression, &at, &err),
			 -ERR_CONFIG);
	assert_int_equal(at, 4);
	assert_string_equal(err.text, "missing closing parenthesis");
	arena_done(&arena);
	arena_init(&arena, 10);
	assert_int_equal(expression_new(STR_LIT("ab"), &arena, &expression, &at, &err), -ERR_LIMIT);
	arena_done(&arena);
}

static void test_gives_up(void **state)
{
	/* Proves: an expression that backtracks without end gives up on a text, counts it, and after so many no longer tries. */
	(void)state;
	char text[200];
	memset(text, 'a', sizeof(text));
	arena_init(&arena, 1 << 20);
	struct expression *expression = make("(a|aa)+[bc]\\1");
	for (uint64_t i = 1; i <= EXPRESSION_GIVEN_UP_MAX + 5; i++) {
		assert_false(expression_matches(expression, str_make(text, sizeof(text))));
		assert_int_equal(expression->given_up,
				 i < EXPRESSION_GIVEN_UP_MAX ? i : EXPRESSION_GIVEN_UP_MAX);
	}
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_must),     cmocka_unit_test(test_classes),
		cmocka_unit_test(test_matches),  cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_gives_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
