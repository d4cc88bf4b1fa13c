/* Files are cut at the right places, the same ones however much of the file is in the window. */
#include "collector/sources/file/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

/* Cuts text with windows that grow by step bytes; pieces come out joined by '|', '$' behind those without a newline. */
static void cut(struct str text, enum split_mode mode, size_t step, struct buf *out)
{
	size_t pos = 0;
	size_t seen = step < text.len ? step : text.len;

	buf_clear(out);
	for (;;) {
		bool eof = seen == text.len;
		struct split_piece piece = split_next(mode, str_slice(text, pos, seen - pos), eof);
		assert_true(piece.size <= seen - pos);
		switch (piece.kind) {
		case SPLIT_PIECE:
			assert_true(piece.size == piece.raw.len + piece.newline);
			buf_put_str(out, piece.raw);
			buf_put_text(out, piece.newline ? "|" : "$|");
			pos += piece.size;
			break;
		case SPLIT_BLANK:
			assert_true(piece.size > 0);
			pos += piece.size;
			break;
		case SPLIT_MORE:
			assert_false(eof);
			seen = seen + step < text.len ? seen + step : text.len;
			break;
		case SPLIT_TOO_LONG:
			fail_msg("nothing here is too long");
			return;
		case SPLIT_END:
			assert_int_equal(pos, text.len);
			return;
		}
	}
}

static void expect(const char *text, enum split_mode mode, const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	for (size_t step = 1; step <= 64; step++) {
		cut(str_of(text), mode, step, &out);
		if (!str_is(buf_str(&out), expected)) {
			fail_msg("step %zu: %.*s", step, STR_ARG(buf_str(&out)));
		}
	}
	buf_done(&out);
}

/* Lines end at newlines alone; carriage returns stay; blank lines go; the last line may lack its end. */
static void test_lines(void **state)
{
	(void)state;
	expect("", SPLIT_LINES, "");
	expect("a\nb\n", SPLIT_LINES, "a|b|");
	expect("a\r\n\r\n  \nb", SPLIT_LINES, "a\r|b$|");
	expect("{\"a\":1}{\"b\":2}\n{", SPLIT_LINES, "{\"a\":1}{\"b\":2}|{$|");
	expect("\n\n", SPLIT_LINES, "");
}

/* Objects end where they close, also with braces and quotes inside texts; damaged ones end where the next begins. */
static void test_objects(void **state)
{
	(void)state;
	expect("{\"a\":\"}{\"}{\"b\":2}", SPLIT_OBJECTS, "{\"a\":\"}{\"}$|{\"b\":2}$|");
	expect("{\"a\":1} {\"b\":2}\n{\"c\":3}\r\n", SPLIT_OBJECTS,
	       "{\"a\":1}$|{\"b\":2}|{\"c\":3}\r|");
	expect("{\"a\":\"a long text }{ with a border\"}{\"b\":2}", SPLIT_OBJECTS,
	       "{\"a\":\"a long text }{ with a border\"}$|{\"b\":2}$|");
	expect("{\"a\":\"never closed\n{\"b\":2}", SPLIT_OBJECTS,
	       "{\"a\":\"never closed|{\"b\":2}$|");
	expect("12}{\"b\":2}", SPLIT_OBJECTS, "12}$|{\"b\":2}$|");
	expect("{\"a\":tru}{\"b\":2}", SPLIT_OBJECTS, "{\"a\":tru}$|{\"b\":2}$|");
	expect("{\"a\":1}{\"b\":", SPLIT_OBJECTS, "{\"a\":1}$|{\"b\":$|");
	expect("\xef\xbb\xbf{\"a\":1}{\"b\":2}", SPLIT_OBJECTS,
	       "\xef\xbb\xbf{\"a\":1}$|{\"b\":2}$|");
}

/* CSV rows go on over line ends inside quotes; a quote that is never closed costs one line. */
static void test_csv(void **state)
{
	(void)state;
	expect("a,b\n1,\"x\ny\"\"\n\"\n2,z", SPLIT_CSV, "a,b|1,\"x\ny\"\"\n\"|2,z$|");
	expect("a\n\"open\nb\nc\n", SPLIT_CSV, "a|\"open|b|c|");
}

/* The first bytes tell what a file is. */
static void test_probe(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool rows;
		enum split_mode mode;
	} files[] = {
		{"", true, SPLIT_LINES},
		{"{\"a\":1}\n{\"a\":2}\n", false, SPLIT_LINES},
		{"{\"a\":1}{\"a\":2}", false, SPLIT_OBJECTS},
		{"{\"a\":1} {\"a\":2}\n", false, SPLIT_OBJECTS},
		{"{\"a\":1}{\"a\":2}\n{\"a\":3}\n", false,
		 SPLIT_LINES}, /* a forged line, perhaps */
		{"{\"a\":1}", false, SPLIT_LINES},
		{"{\"a\":1", false, SPLIT_LINES},
		{"\xef\xbb\xbf{\"a\":1}{\"a\":2}", true, SPLIT_OBJECTS},
		{"event_time,action_id\n", true, SPLIT_CSV},
		{"event_time,action_id\n", false, SPLIT_LINES},
		{"2026-11-22T10:00:00.000Z {\"a\":1}\n", true, SPLIT_LINES},
		{"\n\n {\"a\":1}\n", true, SPLIT_LINES},
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (split_probe(str_of(files[i].text), files[i].rows, true) != files[i].mode) {
			fail_msg("%s", files[i].text);
		}
	}
}

/* A piece of the limit is a piece; one byte more is too long, before its end is known too. */
static void test_limit(void **state)
{
	(void)state;
	struct buf text;

	for (int mode = SPLIT_LINES; mode <= SPLIT_CSV; mode++) {
		buf_init(&text, 0);
		buf_put_fill(&text, 'x', SPLIT_PIECE_MAX);
		assert_int_equal(split_next((enum split_mode)mode, buf_str(&text), false).kind,
				 SPLIT_MORE);
		assert_int_equal(split_next((enum split_mode)mode, buf_str(&text), true).kind,
				 SPLIT_PIECE);
		buf_put_byte(&text, 'x');
		assert_int_equal(split_next((enum split_mode)mode, buf_str(&text), false).kind,
				 SPLIT_TOO_LONG);
		buf_put_byte(&text, '\n');
		assert_int_equal(split_next((enum split_mode)mode, buf_str(&text), true).kind,
				 SPLIT_TOO_LONG);
		buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), cmocka_unit_test(test_objects),
		cmocka_unit_test(test_csv),   cmocka_unit_test(test_probe),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
