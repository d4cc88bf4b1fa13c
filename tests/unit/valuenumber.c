/* Values as numbers: decimals, digits, parts of times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/values.h"

static double number(const char *text)
{
	struct value value = {.text = str_of(text), .type = VALUE_TEXT};
	double result;

	return value_number(&value, &result) ? result : -12345;
}

static void texts_are_numbers_when_they_are_decimals(void **state)
{ /* proves which texts count as numbers */
	struct value time = {.type = VALUE_TIME, .number = INT64_C(1500000000)};
	double seconds;

	(void)state;
	assert_true(number("42") == 42 && number("-1.5") == -1.5 && number("007") == 7);
	assert_true(number("") == -12345 && number("-") == -12345 && number("1.") == -12345);
	assert_true(number(".5") == -12345 && number("1e3") == -12345 && number("1.2.3") == -12345);
	assert_true(number("0x10") == -12345 && number(" 1") == -12345);
	assert_true(number("+3") == 3 && number("-0") == 0 && number("+") == -12345);
	assert_true(number("1234567890123456789012345678901234567890") > 1e39);
	assert_true(number("12345678901234567890123456789012345678901") == -12345);
	assert_true(value_number(&time, &seconds) && seconds == 1.5);
	time = (struct value){.type = VALUE_BOOL, .number = 1};
	assert_true(value_number(&time, &seconds) && seconds == 1);
	time = (struct value){.type = VALUE_INT, .number = INT64_MIN};
	assert_true(value_number(&time, &seconds) && seconds == -9223372036854775808.0);
}

static void expect_digits(int64_t value, const char *wanted)
{
	char digits[20];

	assert_true(str_is(str_make(digits, value_put_number(value, digits)), wanted));
}

static void numbers_are_written(void **state)
{ /* proves the digits of all kinds of numbers */
	(void)state;
	expect_digits(0, "0");
	expect_digits(-7, "-7");
	expect_digits(INT64_MAX, "9223372036854775807");
	expect_digits(INT64_MIN, "-9223372036854775808");
}

static void expect_week(const char *time, int week)
{
	struct value value = {.text = str_of(time), .type = VALUE_TEXT};
	int part;

	assert_true(value_part(&value, RULE_PART_WEEK, &part));
	assert_int_equal(part, week);
}

static void times_have_parts(void **state)
{ /* proves the parts of a time in UTC, weeks at the turn of years above all */
	struct value value = {.text = STR_LIT("2026-11-22T23:18:59+02:00"), .type = VALUE_TEXT};
	static const int wanted[] = {0, 18, 21, 22, 47, 11, 2026};
	int part;

	(void)state;
	for (int which = RULE_PART_MINUTE; which <= RULE_PART_YEAR; which++) {
		assert_true(value_part(&value, (enum rule_part)which, &part));
		assert_int_equal(part, wanted[which]);
	}
	expect_week("2021-01-03", 53);
	expect_week("2021-01-04", 1);
	expect_week("2018-12-31", 1);
	expect_week("1969-12-29", 1);
	expect_week("1969-12-28", 52);
	expect_week("1969-12-28T23:59:59Z", 52);
	expect_week("1969-12-29T00:00:01Z", 1);
	expect_week("1970-01-04T23:59:59Z", 1);
	expect_week("1970-01-05", 2);
	expect_week("2020-12-31", 53);
	expect_week("2019-12-30", 1);
	assert_false(value_part(&value, RULE_PART_NONE, &part));
	value.text = STR_LIT("yesterday");
	assert_false(value_part(&value, RULE_PART_HOUR, &part));
	assert_false(
		value_part(&(struct value){.type = VALUE_INT, .number = 5}, RULE_PART_HOUR, &part));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_numbers_when_they_are_decimals),
		cmocka_unit_test(numbers_are_written),
		cmocka_unit_test(times_have_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
