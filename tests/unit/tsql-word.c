#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/tsql/word.h"

static const char *const names[] = {
#define WORD(name, properties) #name,
#include "model/tsql/words.def"
#undef WORD
};

static void every_word_is_found(void **state)
{
	/* the table is sorted: each of its words is found as itself, in any case */
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(tsql_word_of(str_of(names[i])), i + 1);
	}
	assert_int_equal(tsql_word_of(STR_LIT("sElEcT")), TSQL_W_SELECT);
}

static void other_words_are_none(void **state)
{
	/* what is in the table only in part, is longer than its words, or holds other bytes is no word */
	(void)state;
	assert_int_equal(tsql_word_of(STR_LIT("")), TSQL_W_NONE);
	assert_int_equal(tsql_word_of(STR_LIT("SELEC")), TSQL_W_NONE);
	assert_int_equal(tsql_word_of(STR_LIT("SELECTS")), TSQL_W_NONE);
	assert_int_equal(tsql_word_of(STR_LIT("\xC5\x9F"
					      "ELECT")),
			 TSQL_W_NONE);
	assert_int_equal(tsql_word_of(STR_LIT("SEMANTICSIMILARITYTABLEXXXXXXXXXXXXX")),
			 TSQL_W_NONE);
}

static void properties_are_those_of_the_word(void **state)
{
	/* SELECT begins a statement, FROM is reserved, DELAY may be a name */
	(void)state;
	assert_int_equal(tsql_word_properties(TSQL_W_SELECT),
			 TSQL_WORD_RESERVED | TSQL_WORD_STARTS);
	assert_int_equal(tsql_word_properties(TSQL_W_FROM), TSQL_WORD_RESERVED);
	assert_int_equal(tsql_word_properties(TSQL_W_DELAY), 0);
	assert_int_equal(tsql_word_properties(TSQL_W_NONE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_found),
		cmocka_unit_test(other_words_are_none),
		cmocka_unit_test(properties_are_those_of_the_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
