/* Patterns: their kinds, wildcards, characters of several bytes, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "correlator/rules/glob.h"
#include "correlator/rules/rule.h"

static struct arena arena;

/* '*' and '?' are wildcards here, all else itself. */
static bool match(const char *pattern, const char *text, bool folded)
{
	uint16_t codes[4096];
	struct glob glob;
	size_t count = strlen(pattern);
	struct error err;
	bool result;

	for (size_t i = 0; i < count; i++) {
		codes[i] = pattern[i] == '*'   ? RULE_ANY_TEXT
			   : pattern[i] == '?' ? RULE_ANY_BYTE
					       : (uint8_t)pattern[i];
	}
	arena_init(&arena, 1 << 20);
	assert_int_equal(
		glob_make(&(struct glob_source){codes, count, folded}, &arena, &glob, &err), 0);
	result = glob_match(&glob, str_of(text));
	arena_done(&arena);
	return result;
}

static void plain_patterns(void **state)
{ /* proves whole, start, end, anywhere and everything */
	(void)state;
	assert_true(match("abc", "abc", false));
	assert_false(match("abc", "abcd", false));
	assert_true(match("ab*", "abcd", false));
	assert_false(match("ab*", "xab", false));
	assert_true(match("*cd", "abcd", false));
	assert_true(match("*bc*", "abcd", false));
	assert_false(match("*bd*", "abcd", false));
	assert_true(match("*", "", false));
	assert_true(match("**", "x", false));
	assert_true(match("", "", false));
	assert_false(match("", "x", false));
	assert_true(match("ÉA", "éa", true)); /* the text comes folded */
}

static void pieces_are_found_in_order(void **state)
{ /* proves that pieces between stars stand one behind the other, and the last at the end */
	(void)state;
	assert_true(match("a*b*c", "a--b--c", false));
	assert_false(match("a*b*c", "a--c--b", false));
	assert_false(match("ab*ba", "aba", false));
	assert_true(match("*ab*ab*", "abab", false));
	assert_false(match("*ab*ab*", "aba", false));
	assert_true(match("a*a", "aXaXa", false));
}

static void one_character_may_have_several_bytes(void **state)
{ /* proves that "?" is one character of UTF-8, or one byte that is none */
	(void)state;
	assert_true(match("a?c",
			  "a\xE2\x82\xAC"
			  "c",
			  false));
	assert_false(match("a??c",
			   "a\xE2\x82\xAC"
			   "c",
			   false));
	assert_true(match("?", "\x80", false));
	assert_true(match("*?", "a\x80", false));
	assert_false(match("*??", "\xE2\x82\xAC", false));
	assert_true(match("??", "\xE2\x82", false));
	assert_false(match("?", "", false));
	assert_true(match("*?b*c?", "xb--cé", false));
}

static void hostile_patterns_take_little_time(void **state)
{ /* proves that many stars on a long text do not go back and forth */
	char pattern[2048];
	char *text = test_malloc(1 << 20);
	int64_t start = clock_monotonic_ns();

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2) {
		memcpy(pattern + i, "*a", 2);
	}
	memcpy(pattern + sizeof(pattern) - 2, "b", 2);
	memset(text, 'a', (1 << 20) - 1);
	text[(1 << 20) - 1] = '\0';
	assert_false(match(pattern, text, false));
	assert_false(match("*a?a?a?a?a?a?a?ab", text, false));
	assert_true(clock_monotonic_ns() - start < 5 * NS_PER_SEC);
	test_free(text);
}

static void a_full_arena_is_told(void **state)
{ /* proves that no memory is an error */
	uint16_t codes[] = {'a', RULE_ANY_BYTE};
	struct glob glob;
	struct error err;

	(void)state;
	arena_init(&arena, 16);
	assert_int_equal(glob_make(&(struct glob_source){codes, 2, false}, &arena, &glob, &err),
			 -ERR_NOMEM);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_patterns),
		cmocka_unit_test(pieces_are_found_in_order),
		cmocka_unit_test(one_character_may_have_several_bytes),
		cmocka_unit_test(hostile_patterns_take_little_time),
		cmocka_unit_test(a_full_arena_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
