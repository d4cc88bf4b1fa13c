/* The sentences of verdicts. */
#include "correlator/join/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Every reason has a sentence without a placeholder left in it. */
static void test_all(void **state)
{
	(void)state;
	char text[REASON_TEXT_MAX];
	assert_string_equal(reason_text(REASON_NONE, 0, text), "");
	for (int reason = 1; reason < REASON_COUNT; reason++) {
		const char *said = reason_text((enum reason)reason, 404, text);
		assert_true(strlen(said) > 15);
		assert_null(strchr(said, '%'));
	}
}

/* Spans of time are written as a person would. */
static void test_spans(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *want;
	} cases[] = {
		{0, "ran 0 ms before"},           {140, "ran 140 ms before"},
		{3299, "ran 3.2 s before"},       {59999, "ran 59.9 s before"},
		{61000, "ran 1 min 1 s before"},  {3660000, "ran 1 h 1 min before"},
		{172800000, "ran 2 days before"}, {INT64_MAX / 1000000, "ran 106751 days before"},
	};
	char text[REASON_TEXT_MAX];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *said = reason_text(REASON_LONG_BEFORE, cases[i].ms * 1000000, text);
		assert_non_null(strstr(said, cases[i].want));
	}
	assert_non_null(strstr(reason_text(REASON_REFUSED, 403, text), "status 403;"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_spans),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
