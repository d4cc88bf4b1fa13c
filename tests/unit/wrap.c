#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "query/wrap.h"
#include "tests/unit/hostile.h"

static void test_borders(void **state)
{
	/* Proves: lines end at spaces, also when a word fills the line to its last column; indentation is no border; without spaces a
	 * line ends behind a comma, else where it is full. */
	(void)state;
	static const struct {
		const char *text;
		size_t width;
		const char *lines;
	} cases[] = {
		{"SELECT a FROM b", 8, "SELECT a|FROM b"},
		{"SELECT a FROM b", 9, "SELECT a|FROM b"},
		{"SELECT a FROM b", 6, "SELECT|a FROM|b"},
		{"SELECT a FROM b", 99, "SELECT a FROM b"},
		{"    abcdefgh", 8, "    abcd|efgh"},
		{"{\"aaaa\":1,\"bbbb\":2}", 12, "{\"aaaa\":1,|\"bbbb\":2}"},
		{"abcdefgh", 3, "abc|def|gh"},
		{"\xe6\xbc\xa2\xe5\xad\x97", 1, "\xe6\xbc\xa2|\xe5\xad\x97"},
		{"", 5, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str rest = str_of(cases[i].text);
		struct buf lines;
		buf_init(&lines, 0);
		do {
			buf_put_text(&lines, lines.len > 0 ? "|" : "");
			buf_put_str(&lines, wrap_take(&rest, cases[i].width));
		} while (rest.len > 0);
		assert_true(str_is(buf_str(&lines), cases[i].lines));
		buf_done(&lines);
	}
}

static void test_safe(void **state)
{
	/* Proves: every line has its indent, fits, ends at a character border, and holds nothing that a terminal obeys; nothing but
	 * the spaces at borders is lost. */
	(void)state;
	for (size_t width = 30; width < 100; width += 7) {
		for (size_t i = 0; i < HOSTILE_COUNT; i++) {
			struct output out;
			output_init(&out, -1, NULL);
			out.width = width;
			wrap_put_safe(&out, "    | ", hostile[i]);
			struct str rest = buf_str(&out.text);
			while (rest.len > 0) {
				struct str line = str_split(&rest, '\n');
				assert_true(str_has_prefix(line, STR_LIT("    | ")));
				assert_true(utf8_width(line) <= width);
				assert_int_equal(str_find_byte(line, '\033', 0), -1);
				assert_int_equal(utf8_invalid(line), -1);
			}
			output_done(&out);
		}
	}
	struct output out;
	output_init(&out, -1, NULL);
	out.width = 30;
	wrap_put_safe(&out, "", STR_LIT("SELECT aaaaaaaaaaaaaaaaaaaa FROM bbbbbbbbbbbbbbbbbbb"));
	assert_true(str_is(buf_str(&out.text),
			   "SELECT aaaaaaaaaaaaaaaaaaaa\nFROM bbbbbbbbbbbbbbbbbbb\n"));
	output_done(&out);
}

static void test_behind(void **state)
{
	/* Proves: text goes on behind what stands on the line and then below its indent; without a width it is one line. */
	(void)state;
	struct output out;
	output_init(&out, -1, NULL);
	out.width = 30;
	wrap_put_behind(&out, 8, 4, STR_LIT("aaaa bbbb cccc dddd eeee ffff gggg"));
	assert_true(str_is(buf_str(&out.text), "aaaa bbbb cccc dddd\n    eeee ffff gggg\n"));
	buf_clear(&out.text);
	out.width = 0;
	wrap_put_behind(&out, 8, 4, STR_LIT("aaaa bbbb cccc dddd eeee ffff gggg"));
	assert_true(str_is(buf_str(&out.text), "aaaa bbbb cccc dddd eeee ffff gggg\n"));
	assert_true(wrap_width(&out, 0) == WRAP_NEVER);
	output_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_borders),
					   cmocka_unit_test(test_safe),
					   cmocka_unit_test(test_behind)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
