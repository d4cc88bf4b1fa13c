#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/dict.h"

#include <stdio.h>

static void codes_in_order_of_first_use(void **state)
{
	/* equal texts share a code, new ones get the next, empty and NUL-holding texts are texts */
	struct dict dict;
	uint32_t code = 99;
	(void)state;
	dict_init(&dict);
	assert_int_equal(dict_code(&dict, STR_LIT("a"), &code), 0);
	assert_int_equal(code, 0);
	assert_int_equal(dict_code(&dict, STR_LIT(""), &code), 0);
	assert_int_equal(code, 1);
	assert_int_equal(dict_code(&dict, STR_LIT("a\0b"), &code), 0);
	assert_int_equal(code, 2);
	assert_int_equal(dict_code(&dict, str_make(NULL, 0), &code), 0);
	assert_int_equal(code, 1);
	assert_int_equal(dict_code(&dict, STR_LIT("a"), &code), 0);
	assert_int_equal(code, 0);
	assert_true(str_equal(dict_text(&dict, 2), STR_LIT("a\0b")));
	assert_int_equal(dict_text(&dict, 1).len, 0);
	dict_done(&dict);
}

static uint32_t code_of(struct dict *dict, size_t n)
{
	char text[32];
	uint32_t code = 0;
	int len = snprintf(text, sizeof text, "%08zu-value", n);
	assert_int_equal(dict_code(dict, str_make(text, (size_t)len), &code), 0);
	return code;
}

static void holds_as_many_as_it_says(void **state)
{
	/* DICT_MAX texts keep their codes; one more is refused and changes nothing; clearing makes room */
	struct dict dict;
	uint32_t code = 7;
	(void)state;
	dict_init(&dict);
	for (size_t i = 0; i < DICT_MAX; i++) {
		assert_int_equal(code_of(&dict, i), i);
	}
	for (size_t i = 0; i < DICT_MAX; i += 1001) {
		assert_int_equal(code_of(&dict, i), i);
	}
	assert_int_equal(dict_code(&dict, STR_LIT("one more"), &code), -ERR_LIMIT);
	assert_int_equal(code, 7);
	assert_int_equal(dict.count, DICT_MAX);
	dict_clear(&dict);
	assert_int_equal(dict_code(&dict, STR_LIT("one more"), &code), 0);
	assert_int_equal(code, 0);
	assert_int_equal(code_of(&dict, 5), 1);
	dict_done(&dict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_in_order_of_first_use),
		cmocka_unit_test(holds_as_many_as_it_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
