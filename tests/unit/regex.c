/* Regular expressions: what they find, bytes that are no UTF-8, and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "correlator/rules/regex.h"
#include "correlator/rules/rule.h"

static enum regex_result search(const char *pattern, unsigned flags, struct str text,
				struct str *found)
{
	struct regex_scratch *scratch;
	struct regex *regex;
	struct error err;
	enum regex_result result;

	assert_int_equal(regex_scratch_new(&scratch, &err), 0);
	assert_int_equal(regex_new(str_of(pattern), flags, &regex, &err), 0);
	result = regex_search(regex, scratch, text, found);
	regex_free(regex);
	regex_scratch_free(scratch);
	return result;
}

static void texts_are_searched(void **state)
{ /* proves that a match anywhere counts, case too, and where it stands is told */
	struct str text = STR_LIT("select Union  select");
	struct str found;

	(void)state;
	assert_int_equal(search("U\\w+\\s+s", 0, text, &found), REGEX_YES);
	assert_true(str_is(found, "Union  s"));
	assert_int_equal(search("union", 0, text, NULL), REGEX_NO);
	assert_int_equal(search("union", RULE_REGEX_FOLD, text, NULL), REGEX_YES);
	assert_int_equal(search("^b", RULE_REGEX_MULTILINE, STR_LIT("a\nb"), NULL), REGEX_YES);
	assert_int_equal(search("^b", 0, STR_LIT("a\nb"), NULL), REGEX_NO);
	assert_int_equal(search("a.b", RULE_REGEX_DOTALL, STR_LIT("a\nb"), NULL), REGEX_YES);
	assert_int_equal(search("a.b", 0, STR_LIT("a\nb"), NULL), REGEX_NO);
	assert_int_equal(search("^$", 0, STR_LIT(""), &found), REGEX_YES);
	assert_int_equal(search("a(?=b)\\Kb", 0, STR_LIT("ab"), &found), REGEX_YES);
}

static void bad_bytes_match_nothing(void **state)
{ /* proves that text around bytes that are no UTF-8 is still searched, as characters */
	(void)state;
	assert_int_equal(search("drop", 0,
				STR_LIT("\xFF\xC3"
					"drop\x80"),
				NULL),
			 REGEX_YES);
	assert_int_equal(search("a.b", 0,
				STR_LIT("a\xE2\x82\xAC"
					"b"),
				NULL),
			 REGEX_YES);
	assert_int_equal(search("a.b", 0,
				STR_LIT("a\xFF"
					"b"),
				NULL),
			 REGEX_NO);
	assert_int_equal(search("É", RULE_REGEX_FOLD, STR_LIT("é"), NULL), REGEX_YES);
}

static void wrong_ones_are_refused(void **state)
{ /* proves that a wrong or too long expression is an error with its place */
	static char huge[REGEX_PATTERN_MAX + 1];
	struct regex *regex;
	struct error err;

	(void)state;
	assert_int_equal(regex_new(STR_LIT("ab(c"), 0, &regex, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "byte 5"));
	assert_int_equal(regex_new(STR_LIT("a\\Cb"), 0, &regex, &err), -ERR_CONFIG);
	memset(huge, 'a', sizeof(huge));
	assert_int_equal(regex_new(str_make(huge, sizeof(huge)), 0, &regex, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "at most"));
	memset(huge, '(', sizeof(huge));
	assert_int_equal(regex_new(str_make(huge, 1000), 0, &regex, &err), -ERR_CONFIG);
}

static void catastrophes_are_bounded(void **state)
{ /* proves that expressions that explode end soon with REGEX_LIMIT, on short texts and on 1 MB */
	static char text[1 << 20];
	int64_t start = clock_monotonic_ns();

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = 'b';
	assert_int_equal(search("(a+)+$", 0, str_make(text + sizeof(text) - 64, 64), NULL),
			 REGEX_LIMIT);
	assert_int_equal(search("(a+)+$", 0, str_make(text, sizeof(text)), NULL), REGEX_LIMIT);
	assert_int_equal(search("(a|aa)+$", 0, str_make(text, sizeof(text)), NULL), REGEX_LIMIT);
	assert_int_equal(search("(a*)*c", 0, str_make(text, sizeof(text)), NULL), REGEX_NO);
	assert_true(clock_monotonic_ns() - start < 10 * NS_PER_SEC);
}

static void long_texts_are_searched_to_their_end(void **state)
{ /* proves that windows overlap, and that their borders are none of the text's */
	static char text[3 * REGEX_WINDOW];

	(void)state;
	memset(text, '-', sizeof(text));
	for (size_t at = 0; at + 8 <= sizeof(text); at += 4093) {
		memcpy(text + at, "drop all", 8);
		assert_int_equal(search("drop\\s+all", 0, str_make(text, sizeof(text)), NULL),
				 REGEX_YES);
		memset(text + at, '-', 8);
	}
	memset(text, 'a', sizeof(text));
	assert_int_equal(search("^ab|[^a]$", 0, str_make(text, sizeof(text)), NULL), REGEX_NO);
	text[sizeof(text) - 1] = 'z';
	assert_int_equal(search("z$", 0, str_make(text, sizeof(text)), NULL), REGEX_YES);
	text[REGEX_WINDOW - 1] = 'z';
	text[sizeof(text) - 1] = 'a';
	assert_int_equal(search("z$|^z", 0, str_make(text, sizeof(text)), NULL), REGEX_NO);
}

static void huge_alternations_compile_or_are_refused(void **state)
{ /* proves that an expression of the greatest length is run within the limits */
	static char pattern[REGEX_PATTERN_MAX];
	struct str text = STR_LIT("zzzzzzzzzzzzzzzzzzzzzz");

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 8; i += 4) {
		memcpy(pattern + i, "zzy|", 4);
	}
	memcpy(pattern + sizeof(pattern) - 8, "zzzzzzx", 8);
	assert_int_equal(search(pattern, 0, text, NULL), REGEX_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_searched),
		cmocka_unit_test(bad_bytes_match_nothing),
		cmocka_unit_test(wrong_ones_are_refused),
		cmocka_unit_test(catastrophes_are_bounded),
		cmocka_unit_test(long_texts_are_searched_to_their_end),
		cmocka_unit_test(huge_alternations_compile_or_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
