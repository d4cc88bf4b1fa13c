#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/pdf.h"

static const struct pdf_style sans = {.font = PDF_SANS, .size = 10};

static int take(void *owner, struct str piece, struct error *err)
{
	(void)err;
	buf_put_str(owner, piece);
	return 0;
}

static int refuse(void *owner, struct str piece, struct error *err)
{
	(void)owner;
	(void)piece;
	return error_set(err, ERR_IO, "the disk is full");
}

static struct pdf *begin(void)
{
	struct pdf *pdf = NULL;
	struct error err;
	int rc = pdf_new(STR_LIT("A title"), NULL, &pdf, &err);
	if (rc < 0) {
		fail_msg("%s", err.text);
	}
	return pdf;
}

/* Two documents made by the same calls are the same bytes, and begin and end as a PDF does. */
static void test_same_bytes(void **state)
{
	(void)state;
	struct buf file[2];
	struct error err;
	for (size_t i = 0; i < 2; i++) {
		struct pdf *pdf = begin();
		buf_init(&file[i], 0);
		(void)pdf_add_page(pdf);
		pdf_bookmark(pdf, 1, STR_LIT("First"), 50);
		pdf_text(pdf, &sans, 50, 50, STR_LIT("M\xc3\xbcller \xce\xb1\xce\xb2 \xd0\x96"));
		(void)pdf_add_page(pdf);
		pdf_bookmark(pdf, 2, STR_LIT("Second"), 50);
		pdf_link(pdf, &(struct pdf_box){10, 10, 100, 20}, 0);
		pdf_fill(pdf, &(struct pdf_box){10, 10, 100, 20});
		assert_int_equal(pdf_finish(pdf, take, &file[i], &err), 0);
		pdf_free(pdf);
	}
	assert_true(str_equal(buf_str(&file[0]), buf_str(&file[1])));
	assert_true(str_has_prefix(buf_str(&file[0]), STR_LIT("%PDF-")));
	assert_true(str_has_suffix(buf_str(&file[0]), STR_LIT("%%EOF\n")));
	buf_done(&file[0]);
	buf_done(&file[1]);
}

/* What the fonts have not, and what would be invisible, is spelled out; Latin, Greek and Cyrillic stay. */
static void test_safe(void **state)
{
	(void)state;
	struct pdf *pdf = begin();
	struct buf out;
	buf_init(&out, 0);
	pdf_put_safe(pdf, PDF_SANS, STR_LIT("a\xc3\xbc\xce\xb1\xd0\x96\xe2\x80\xa6"), &out);
	assert_string_equal(out.ptr, "a\xc3\xbc\xce\xb1\xd0\x96\xe2\x80\xa6");
	buf_clear(&out);
	pdf_put_safe(pdf, PDF_MONO, STR_LIT("\xe5\xbc\xa0\x1b[0m\xe2\x80\xae\xff\xf0\x9f\x92\xa9"),
		     &out);
	assert_string_equal(out.ptr, "\\u{5f20}\\u{1b}[0m\\u{202e}\\xff\\u{1f4a9}");
	buf_done(&out);
	pdf_free(pdf);
}

/* A line ends where the width does: behind a space where there is one, never inside of a character, and it always gets on. */
static void test_fit(void **state)
{
	(void)state;
	struct pdf *pdf = begin();
	struct str words = STR_LIT("the quick brown fox jumps over the lazy dog");
	size_t fit = pdf_fit(pdf, &sans, words, 80);
	assert_true(fit > 0 && fit < words.len);
	assert_int_equal(words.ptr[fit - 1], ' ');
	assert_true(pdf_text_width(pdf, &sans, str_slice(words, 0, fit - 1)) <= 80.0);
	struct str umlauts =
		STR_LIT("\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc");
	assert_int_equal(pdf_fit(pdf, &sans, umlauts, 20) % 2, 0);
	assert_int_equal(pdf_fit(pdf, &sans, umlauts, 0.1), 2);
	assert_int_equal(pdf_fit(pdf, &sans, words, 10000), words.len);
	pdf_free(pdf);
}

/* A font that is not there is told with the package that has it. */
static void test_no_font(void **state)
{
	(void)state;
	struct pdf *pdf = NULL;
	struct error err;
	assert_int_equal(pdf_new(STR_LIT("x"), "/nowhere", &pdf, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "fonts-liberation2"));
	assert_null(pdf);
}

/* What the receiver of the pieces says ends it. */
static void test_refused(void **state)
{
	(void)state;
	struct pdf *pdf = begin();
	struct error err;
	(void)pdf_add_page(pdf);
	assert_int_equal(pdf_finish(pdf, refuse, NULL, &err), -ERR_IO);
	assert_string_equal(err.text, "the disk is full");
	pdf_free(pdf);
}

/* More pages than there may be are refused with the way out, and calls after that do nothing. */
static void test_too_many_pages(void **state)
{
	(void)state;
	struct pdf *pdf = begin();
	struct error err;
	for (size_t i = 0; i < PDF_PAGES_MAX; i++) {
		assert_int_equal(pdf_add_page(pdf), i);
	}
	(void)pdf_add_page(pdf);
	pdf_text(pdf, &sans, 1, 1, STR_LIT("x"));
	assert_int_equal(pdf_page_count(pdf), PDF_PAGES_MAX);
	assert_int_equal(pdf_finish(pdf, take, NULL, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.text, "jsonl"));
	pdf_free(pdf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_safe),
		cmocka_unit_test(test_fit),        cmocka_unit_test(test_no_font),
		cmocka_unit_test(test_refused),    cmocka_unit_test(test_too_many_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
