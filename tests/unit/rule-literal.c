#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/literal.h"

static void numbers_of_the_core_schema(void **state)
{
	/* what YAML's core schema calls a number is one, and nothing else is */
	static const struct {
		const char *text;
		bool is_number;
		double number;
	} rows[] = {
		{"0", true, 0},      {"-17", true, -17},     {"+5", true, 5},
		{"1.5", true, 1.5},  {"1e3", true, 1000},    {".5", true, 0.5},
		{"0x1f", true, 31},  {"010", true, 10},      {"", false, 0},
		{"-", false, 0},     {"e5", false, 0},       {".", false, 0},
		{"1e", false, 0},    {"1.2.3", false, 0},    {"nan", false, 0},
		{".inf", false, 0},  {"infinity", false, 0}, {"1e999", false, 0},
		{"0x", false, 0},    {"1 ", false, 0},       {" 1", false, 0},
		{"0x1p3", false, 0}, {"1_000", false, 0},    {"12ab", false, 0},
		{"-0x10", false, 0}, {"0x1.8", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double number = 0;
		assert_int_equal(literal_number(str_of(rows[i].text), &number), rows[i].is_number);
		assert_true(number >= rows[i].number && number <= rows[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_the_core_schema),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
