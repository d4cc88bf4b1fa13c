#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/skeleton.h"

static void test_cuts(void **state)
{
	/* Proves: each way of cutting gives the skeleton and numbers it should, and the text comes back from them. */
	(void)state;
	static const struct {
		const char *text;
		enum skeleton_cut cut;
		const char *skeleton;
		int64_t numbers[3];
		size_t count;
	} cases[] = {
		{"a12b", SKELETON_WHOLE, "a12b", {0}, 0},
		{"a12b", SKELETON_PLAIN, "a\001b", {12}, 1},
		{"a12b", SKELETON_WIDE, "a\002\042b", {12}, 1},
		{"a012b0", SKELETON_PLAIN, "a012b\001", {0}, 1},
		{"a012b0", SKELETON_WIDE, "a\002\043b\002\041", {12, 0}, 2},
		{"1.2.3", SKELETON_PLAIN, "\001.\001.\001", {1, 2, 3}, 3},
		{"x\001\003y", SKELETON_PLAIN, "x\003A\003Cy", {0}, 0},
		{"1234567890123456789", SKELETON_WIDE, "1234567890123456789", {0}, 0},
		{"999999999999999999", SKELETON_PLAIN, "\001", {999999999999999999}, 1},
		{"", SKELETON_PLAIN, "", {0}, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf skeleton, numbers;
		struct str text = str_of(cases[i].text);
		size_t places = 99;
		char back[64];
		buf_init(&skeleton, 0);
		buf_init(&numbers, 0);
		skeleton_split(text, cases[i].cut, &skeleton, &numbers);
		assert_true(str_is(buf_str(&skeleton), cases[i].skeleton));
		assert_int_equal(numbers.len, cases[i].count * sizeof(int64_t));
		if (cases[i].count != 0) {
			assert_memory_equal(numbers.ptr, cases[i].numbers, numbers.len);
		}
		assert_true(skeleton_check(buf_str(&skeleton), &places));
		assert_int_equal(places, cases[i].count);
		assert_int_equal(skeleton_length(buf_str(&skeleton), cases[i].numbers), text.len);
		skeleton_fill(buf_str(&skeleton), cases[i].numbers, back);
		assert_memory_equal(back, cases[i].text, text.len);
		buf_done(&skeleton);
		buf_done(&numbers);
	}
}

static void test_wide(void **state)
{
	/* Proves: only a run that begins with a zero and goes on asks for widths. */
	(void)state;
	assert_true(skeleton_has_wide(STR_LIT("a01")));
	assert_true(skeleton_has_wide(STR_LIT("1.00")));
	assert_false(skeleton_has_wide(STR_LIT("a0b10")));
	assert_false(skeleton_has_wide(STR_LIT("")));
	assert_false(skeleton_has_wide(STR_LIT("0000000000000000000")));
}

static void test_refused(void **state)
{
	/* Proves: skeletons that end in a mark or hold an unknown one are none; numbers that do not fit their place have no length. */
	(void)state;
	static const char *const none[] = {"\002", "a\002\040", "\002\063",
					   "\003", "\003?",     "\003D"};
	size_t places = 0;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_false(skeleton_check(str_of(none[i]), &places));
	}
	assert_false(skeleton_check(str_make("\0", 1), &places));
	int64_t number = 100;
	assert_true(skeleton_length(STR_LIT("\002\042"), &number) == SIZE_MAX);
	assert_int_equal(skeleton_length(STR_LIT("\002\043"), &number), 3);
	number = -1;
	assert_true(skeleton_length(STR_LIT("\001"), &number) == SIZE_MAX);
	number = 1000000000000000000;
	assert_true(skeleton_length(STR_LIT("\001"), &number) == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
