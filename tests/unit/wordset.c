#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/wordset.h"

#include <stdio.h>
#include <stdlib.h>

#define MANY 50000

static void codes_in_order_of_first_use(void **state)
{
	/* proves: equal texts share a code, new ones get the next, empty and NUL-holding texts are texts */
	struct wordset set;
	uint32_t code = 99;
	(void)state;
	wordset_init(&set);
	assert_int_equal(wordset_code(&set, STR_LIT("a"), &code), 0);
	assert_int_equal(code, 0);
	assert_int_equal(wordset_code(&set, str_make(NULL, 0), &code), 0);
	assert_int_equal(code, 1);
	assert_int_equal(wordset_code(&set, STR_LIT("a\0b"), &code), 0);
	assert_int_equal(code, 2);
	assert_int_equal(wordset_code(&set, STR_LIT(""), &code), 0);
	assert_int_equal(code, 1);
	assert_int_equal(wordset_code(&set, STR_LIT("a"), &code), 0);
	assert_int_equal(code, 0);
	assert_true(str_equal(wordset_text(&set, 2), STR_LIT("a\0b")));
	assert_int_equal(wordset_text(&set, 1).len, 0);
	wordset_done(&set);
}

static void keeps_many_apart(void **state)
{
	/* proves: texts of all lengths that differ in one byte keep codes of their own while the table grows */
	struct wordset set;
	char text[40];
	uint32_t code;
	(void)state;
	wordset_init(&set);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			int len = snprintf(text, sizeof(text), "%0*u", 5 + (int)(i % 30), i);
			assert_int_equal(wordset_code(&set, str_make(text, (size_t)len), &code), 0);
			assert_int_equal(code, i);
		}
	}
	assert_int_equal(set.count, MANY);
	wordset_done(&set);
}

static void full_set_stays_as_it_is(void **state)
{
	/* proves: a text that the buffer has no room for is ERR_LIMIT, and the set goes on with others */
	struct wordset set;
	size_t len = (size_t)200 << 20;
	char *text = calloc(1, len);
	uint32_t code = 99;
	(void)state;
	assert_non_null(text);
	wordset_init(&set);
	assert_int_equal(wordset_code(&set, str_make(text, len), &code), 0);
	text[0] = 'x';
	code = 99;
	assert_int_equal(wordset_code(&set, str_make(text, len), &code), -ERR_LIMIT);
	assert_int_equal(code, 99);
	assert_int_equal(set.count, 1);
	assert_int_equal(wordset_code(&set, STR_LIT("y"), &code), 0);
	assert_int_equal(code, 1);
	wordset_done(&set);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_in_order_of_first_use),
		cmocka_unit_test(keeps_many_apart),
		cmocka_unit_test(full_set_stays_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
