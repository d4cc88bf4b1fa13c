#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/cell.h"

static void expect(enum report_form form, const struct report_cell *cell, const char *want)
{
	const struct report_column column = {.name = "x", .title = "X", .form = form};
	struct zone zone = zone_utc();
	struct buf out;
	buf_init(&out, 0);
	cell_put(&out, &column, cell, &zone);
	assert_string_equal(out.ptr, want);
	buf_done(&out);
}

/* Numbers have commas between thousands, shares one digit, also below zero and at the border. */
static void test_numbers(void **state)
{
	(void)state;
	expect(REPORT_NUMBER, &(struct report_cell){.number = 0}, "0");
	expect(REPORT_NUMBER, &(struct report_cell){.number = 999}, "999");
	expect(REPORT_NUMBER, &(struct report_cell){.number = 1000}, "1,000");
	expect(REPORT_NUMBER, &(struct report_cell){.number = -1234567}, "-1,234,567");
	expect(REPORT_NUMBER, &(struct report_cell){.number = INT64_MIN},
	       "-9,223,372,036,854,775,808");
	expect(REPORT_SHARE, &(struct report_cell){.number = 1000}, "100.0 %");
	expect(REPORT_SHARE, &(struct report_cell){.number = 3}, "0.3 %");
}

/* Each form is shown as people read it; what is absent is a dash, whatever the form. */
static void test_forms(void **state)
{
	(void)state;
	expect(REPORT_TIME, &(struct report_cell){.number = INT64_C(1795305600000000000)},
	       "2026-11-22 00:00:00");
	expect(REPORT_BOOL, &(struct report_cell){.number = 1}, "yes");
	expect(REPORT_BOOL, &(struct report_cell){.number = 0}, "no");
	expect(REPORT_TEXT, &(struct report_cell){.text = STR_LIT("a<b")}, "a<b");
	expect(REPORT_GRADE, &(struct report_cell){.text = STR_LIT("U1")}, "U1");
	expect(REPORT_NUMBER, &(struct report_cell){.absent = true, .number = 7}, "\xe2\x80\x93");
	assert_true(cell_is_number(REPORT_SHARE));
	assert_false(cell_is_number(REPORT_TIME));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers),
					   cmocka_unit_test(test_forms)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
