/* Texts that every match of a regular expression holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "correlator/rules/regex.h"
#include "correlator/rules/regexliteral.h"

static void expect(const char *pattern, const char *wanted)
{
	char out[128];
	size_t len = regexliteral_find(str_of(pattern), out);

	assert_true(str_is(str_make(out, len), wanted));
}

static void literals_are_found(void **state)
{ /* proves that the longest certain run is found, and that quantifiers, groups and classes end it */
	(void)state;
	expect("union\\s+select", "select");
	expect("(?i)drop\\s+table", "table");
	expect("xp_(cmd|reg)shell", "shell");
	expect("abcd?ef", "abc");
	expect("abcd*", "abc");
	expect("abcd+ef", "abcd");
	expect("abc{0,2}de", "ab");
	expect("[a-z]xyz[^]]", "xyz");
	expect("^a\\.b\\/c$", "a.b/c");
	expect("a.bc", "bc");
	expect("(?:a|b)+cd", "cd");
	expect("(a(b|c)d)ef", "ef");
	expect("éabé?", "ab");
}

static void doubt_gives_nothing(void **state)
{ /* proves that alternatives, options, lookarounds and escapes that are not understood give no text */
	static const char *const patterns[] = {
		"abc|def",   "(?x)a b c",      "abc(?i)def", "a(?=b)c",
		"\\Qabc\\E", "\\x41bc",        "(?#abc)def", "abc(",
		"abc[",      "abc)",           "",           "abc\\Kdef",
		"(*UTF)abc", "[[:alpha:]]abc", "abc\\1",     "a(\\Q)\\E)bc"};

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		expect(patterns[i], "");
	}
}

static uint64_t draw(uint64_t *random, uint64_t below)
{
	*random = hash_u64(*random + 1);
	return (*random >> 9) % below;
}

static void a_match_holds_its_literal(void **state)
{ /* proves on random expressions and texts that whatever matches holds the text that was found */
	static const char *const parts[] = {"a",    "b", "c", "(",    ")",   "(?:",   "[ab]",
					    "[^c]", "?", "*", "+",    "{2}", "{0,1}", "|",
					    "^",    "$", ".", "\\.",  "\\w", "\\b",   "(a|b)",
					    "+?",   "]", "é", "[]a]", "{",   "}"};
	uint64_t random = 3;
	size_t held = 0;
	struct regex_scratch *scratch;
	struct error err;

	(void)state;
	assert_int_equal(regex_scratch_new(&scratch, &err), 0);
	for (int i = 0; i < 40000; i++) {
		char pattern[128], text[16], out[128];
		size_t len = 0;
		struct regex *regex;

		for (size_t count = 1 + draw(&random, 7); count > 0; count--) {
			const char *part = parts[draw(&random, sizeof(parts) / sizeof(parts[0]))];

			memcpy(pattern + len, part, strlen(part));
			len += strlen(part);
		}
		if (regex_new(str_make(pattern, len), 0, &regex, &err) != 0) {
			continue;
		}
		struct str literal = str_make(out, regexliteral_find(str_make(pattern, len), out));

		for (int round = 0; round < 8; round++) {
			struct str subject = str_make(text, draw(&random, sizeof(text)));

			for (size_t at = 0; at < subject.len; at++) {
				text[at] = "abc.]{}"[draw(&random, 7)];
			}
			if (regex_search(regex, scratch, subject, NULL) == REGEX_YES) {
				if (str_find(subject, literal, 0) < 0) {
					print_error("%.*s: %.*s\n", STR_ARG(str_make(pattern, len)),
						    STR_ARG(literal));
				}
				assert_true(str_find(subject, literal, 0) >= 0);
				held += literal.len != 0 ? 1 : 0;
			}
		}
		regex_free(regex);
	}
	assert_true(held > 1000); /* else the test would show little */
	regex_scratch_free(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_are_found),
		cmocka_unit_test(doubt_gives_nothing),
		cmocka_unit_test(a_match_holds_its_literal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
