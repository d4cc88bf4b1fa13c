#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/jsontext.h"

static void plain_text_is_borrowed(void **state)
{
	/* without escapes it is the slice itself, and the arena is not used */
	const struct str raw = STR_LIT("plain");
	struct arena arena;
	struct str text;
	(void)state;
	arena_init(&arena, 1); /* no room for anything */
	assert_true(jsontext_get(raw, false, &arena, &text));
	assert_ptr_equal(text.ptr, raw.ptr);
	assert_int_equal(text.len, raw.len);
	arena_done(&arena);
}

static void escapes_are_resolved(void **state)
{
	/* every escape, pairs as one character, lone surrogates as WTF-8; a text of nothing but short escapes has room */
	static const struct {
		struct str raw, wanted;
	} cases[] = {
		{STR_LIT("a\\nb\\t\\\"\\\\\\/"), STR_LIT("a\nb\t\"\\/")},
		{STR_LIT("\\u00e9"), STR_LIT("\xc3\xa9")},
		{STR_LIT("\\ud83d\\ude00"), STR_LIT("\xf0\x9f\x98\x80")},
		{STR_LIT("\\ud83d"), STR_LIT("\xed\xa0\xbd")},
		{STR_LIT("x\\ude00y"), STR_LIT("x\xed\xb8\x80y")},
		{STR_LIT("\\u0000"), {"\0", 1}},
		{STR_LIT("\\uffff\\uffff\\uffff"), STR_LIT("\xef\xbf\xbf\xef\xbf\xbf\xef\xbf\xbf")},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena;
		struct str text;
		arena_init(&arena, 1 << 16);
		assert_true(jsontext_get(cases[i].raw, true, &arena, &text));
		assert_true(str_equal(text, cases[i].wanted));
		arena_done(&arena);
	}
}

static void full_arena_is_told(void **state)
{
	/* no room for the copy: false, and the text is untouched */
	struct arena arena;
	struct str text = STR_LIT("before");
	(void)state;
	arena_init(&arena, 1);
	assert_false(jsontext_get(STR_LIT("a\\nb"), true, &arena, &text));
	assert_true(str_is(text, "before"));
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(plain_text_is_borrowed),
					   cmocka_unit_test(escapes_are_resolved),
					   cmocka_unit_test(full_arena_is_told)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
