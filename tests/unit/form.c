#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/form.h"

static void test_names(void **state)
{
	/* Proves: each form has a name that finds it again, and nothing else does. */
	(void)state;
	for (int i = REPORT_TEXT; i <= REPORT_BOOL; i++) {
		enum report_form form = REPORT_TEXT;
		const char *name = report_form_name((enum report_form)i);
		assert_true(report_form_find(str_of(name), &form));
		assert_int_equal(form, i);
	}
	enum report_form untouched = REPORT_TIME;
	assert_false(report_form_find(STR_LIT("tex"), &untouched));
	assert_int_equal(untouched, REPORT_TIME);
	assert_true(report_form_is_text(REPORT_SEVERITY));
	assert_false(report_form_is_text(REPORT_BOOL));
}

static void test_share(void **state)
{
	/* Proves: shares are rounded half up, whatever the size of the numbers, and those of nothing are 0. */
	(void)state;
	assert_int_equal(report_share(0, 0), 0);
	assert_int_equal(report_share(1, 3), 333);
	assert_int_equal(report_share(2, 3), 667);
	assert_int_equal(report_share(1, 2000), 1);
	assert_int_equal(report_share(1, 2001), 0);
	assert_int_equal(report_share(UINT64_MAX, UINT64_MAX), 1000);
	assert_int_equal(report_share(UINT64_MAX / 2, UINT64_MAX), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
					   cmocka_unit_test(test_share)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
