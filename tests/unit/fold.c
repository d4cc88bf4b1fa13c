/* Letters made alike, in ASCII and beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "correlator/rules/fold.h"

static void expect(const char *text, const char *folded)
{
	char out[64];
	size_t len = fold_text(str_of(text), out);

	assert_true(str_equal(str_make(out, len), str_of(folded)));
}

static void letters_are_folded(void **state)
{ /* proves that capitals of the scripts named in the header become small, and nothing else changes */
	(void)state;
	expect("Select [1] @X", "select [1] @x");
	expect("ÀÉÞß×÷", "àéþß×÷");
	expect("ĀāĞŸžſ", "āāğÿžs");
	expect("ΑΣςΆΏ", "ασσάώ");
	expect("ДЯЁѠԱ", "дяёѡա");
	expect("ＡｚÅK", "ａｚåk");
	expect("", "");
}

static void bad_bytes_stay(void **state)
{ /* proves that bytes that are no UTF-8 stay, and what stands around them is folded */
	(void)state;
	expect("A\xC3", "a\xC3");
	expect("\x80\xFF"
	       "B\xE2\x82"
	       "C",
	       "\x80\xFF"
	       "b\xE2\x82"
	       "c");
	expect("\xC1\x81\xE0\x80\x80", "\xC1\x81\xE0\x80\x80");
}

static void folding_twice_is_folding_once(void **state)
{ /* proves for every code point below U+20000 that a folded one stays, and that none grows */
	struct buf text;
	char once[8], twice[8];

	(void)state;
	buf_init(&text, 0);
	for (uint32_t point = 1; point < 0x20000; point++) {
		size_t len;

		buf_clear(&text);
		utf8_put(&text, point);
		len = fold_text(buf_str(&text), once);
		assert_true(len <= text.len);
		assert_int_equal(fold_text(str_make(once, len), twice), len);
		assert_memory_equal(once, twice, len);
	}
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_are_folded),
		cmocka_unit_test(bad_bytes_stay),
		cmocka_unit_test(folding_twice_is_folding_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
