#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "correlator/rules/regex.h"
#include "correlator/rules/rule.h"
#include "query/expression-automaton.h"

#define ROUNDS     3000
#define TEXTS      40
#define TEXT_BYTES 24

struct tried {
	struct regex *regex;
	struct regex_scratch *scratch;
	struct dfa *automaton;
};

static uint64_t draw(uint64_t *seed, uint64_t below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*seed >> 33) % below;
}

/* False: PCRE2 does not take it. */
static bool try(struct tried *tried, const char *text)
{
	struct error err;
	*tried = (struct tried){.regex = NULL};
	if (regex_new(str_of(text), RULE_REGEX_FOLD, &tried->regex, &err) != 0) {
		return false;
	}
	assert_int_equal(regex_scratch_new(&tried->scratch, &err), 0);
	tried->automaton = expression_automaton(str_of(text));
	return true;
}

static void done(struct tried *tried)
{
	regex_free(tried->regex);
	regex_scratch_free(tried->scratch);
	dfa_free(tried->automaton);
}

static uint16_t ask(struct tried *tried, struct str text)
{
	struct dfa *automaton = tried->automaton;
	return dfa_end(automaton, dfa_run(automaton, automaton->start, text));
}

/* PCRE2 and the automaton say the same, where that is not in doubt. */
static void compare(struct tried *tried, const char *expression, struct str text)
{
	uint16_t state = ask(tried, text);
	enum regex_result result = regex_search(tried->regex, tried->scratch, text, NULL);
	if (state == DFA_DOUBT || result == REGEX_LIMIT) {
		return;
	}
	if ((state == DFA_FOUND) != (result == REGEX_YES)) {
		print_error("%s on \"%.*s\": %s\n", expression, STR_ARG(text),
			    result == REGEX_YES ? "it matches" : "it does not match");
		fail();
	}
}

static void put_piece(uint64_t *seed, struct buf *out, unsigned depth)
{
	static const char *const pieces[] = {
		"a",     "B",      "k",      "7",   "_",   " ",   ".",   "\\d", "\\w",   "\\s",
		"\\W",   "\\D",    "\\b",    "\\B", "^",   "$",   "\\A", "\\z", "[a-c]", "[^b7]",
		"[]x-]", "[\\d_]", "[^\\s]", "\\n", "\\.", "\\Z", "a",   "b",   "7",     "\\S"};
	static const char *const times[] = {"",    "",     "",      "",    "?",  "*",   "+",
					    "{2}", "{1,}", "{0,2}", "{0}", "*?", "{3}", "??"};
	uint64_t kind = draw(seed, 8);
	if (kind < 6 || depth == 0) {
		buf_put_text(out, pieces[draw(seed, sizeof pieces / sizeof pieces[0])]);
	} else {
		uint64_t count = 1 + draw(seed, 3);
		buf_put_text(out, kind == 6 ? "(" : "(?:");
		for (uint64_t i = 0; i < count; i++) {
			buf_put_text(out, i > 0 && draw(seed, 2) == 0 ? "|" : "");
			put_piece(seed, out, depth - 1);
		}
		buf_put_text(out, ")");
	}
	buf_put_text(out, times[draw(seed, sizeof times / sizeof times[0])]);
}

static void test_as_pcre(void **state)
{
	/* Proves: random expressions match the same texts as with PCRE2: classes, groups, repetitions, ends and word boundaries, a line feed at the end. */
	(void)state;
	static const char bytes[] = "aabBkKsS77_ .x-]\n\n\tc";
	uint64_t seed = 7;
	size_t compared = 0;
	struct buf text;
	buf_init(&text, 10000);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct tried tried;
		uint64_t count = 1 + draw(&seed, 4);
		buf_clear(&text);
		buf_put_text(&text, draw(&seed, 4) == 0 ? "(?-i)" : "");
		buf_put_text(&text, draw(&seed, 8) == 0 ? "(?s)" : "");
		for (uint64_t i = 0; i < count; i++) {
			buf_put_text(&text, i > 0 && draw(&seed, 6) == 0 ? "|" : "");
			put_piece(&seed, &text, 2);
		}
		buf_put_byte(&text, '\0');
		bool is_one = try(&tried, text.ptr);
		for (size_t i = 0; is_one && tried.automaton != NULL && i < TEXTS; i++) {
			char value[TEXT_BYTES];
			size_t len = draw(&seed, TEXT_BYTES);
			for (size_t k = 0; k < len; k++) {
				value[k] = bytes[draw(&seed, sizeof bytes - 1)];
			}
			compare(&tried, text.ptr, str_make(value, len));
			compared++;
		}
		done(&tried);
	}
	assert_true(compared > (size_t)ROUNDS * TEXTS / 2);
	buf_done(&text);
}

static void test_takes(void **state)
{
	/* Proves: which expressions have an automaton, and which need PCRE2. */
	(void)state;
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{"\\d{6}", true},
		{"drop|truncate|grant", true},
		{"^\\s*(insert|update)\\s", true},
		{"(?-i)WHERE [a-z]\\.Quantity = 10\\d", true},
		{"(?is)a.b", true},
		{"", true},
		{"(\\w)\\1", false},
		{"(?=a)b", false},
		{"a++b", false},
		{"(?m)^a", false},
		{"(?x)a b", false},
		{"a(?i)b", false},
		{"[[:alpha:]]", false},
		{"\\x41", false},
		{"\\Qa\\E", false},
		{"\xc3\xa9", false},
		{"[\xc5\xbf]", false},
		{"\\p{L}", false},
		{"\\d{65}", false},
		{"((((){900}){900}){900}){900}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dfa *automaton = expression_automaton(str_of(cases[i].text));
		if ((automaton != NULL) != cases[i].want) {
			print_error("%s\n", cases[i].text);
			fail();
		}
		dfa_free(automaton);
	}
}

static void test_doubt(void **state)
{
	/* Proves: bytes beyond ASCII before a match are in doubt, and so is a line feed at the end where an end is asked for; what is found before stands. */
	(void)state;
	static const struct {
		const char *text, *value;
		uint16_t want;
	} cases[] = {
		{"kim", "\xe2\x84\xaaim", DFA_DOUBT},
		{"kim", "kim \xe2\x84\xaa", DFA_FOUND},
		{"^b", "a\xe2\x84\xaa", DFA_NEVER},
		{"a$", "a\n", DFA_DOUBT},
		{"^a$", "a\n", DFA_DOUBT},
		{"a$", "ba", DFA_FOUND},
		{"a$", "ab", DFA_NEVER},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tried tried;
		assert_true(try(&tried, cases[i].text));
		assert_non_null(tried.automaton);
		if (ask(&tried, str_of(cases[i].value)) != cases[i].want) {
			print_error("%s on %s\n", cases[i].text, cases[i].value);
			fail();
		}
		done(&tried);
	}
}

static void test_many_states(void **state)
{
	/* Proves: an expression with more states than are kept is in doubt, never wrong. */
	(void)state;
	struct tried tried;
	uint64_t seed = 3;
	size_t doubts = 0;
	assert_true(try(&tried, "a[ab]{18}b$"));
	assert_non_null(tried.automaton);
	for (size_t i = 0; i < 400; i++) {
		char value[60];
		for (size_t k = 0; k < sizeof value; k++) {
			value[k] = draw(&seed, 2) == 0 ? 'a' : 'b';
		}
		doubts += ask(&tried, str_make(value, sizeof value)) == DFA_DOUBT;
		compare(&tried, "a[ab]{18}b$", str_make(value, sizeof value));
	}
	assert_true(doubts > 0);
	done(&tried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_pcre),
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_doubt),
		cmocka_unit_test(test_many_states),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
