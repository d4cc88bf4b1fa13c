/* pdf - pages of A4 on which texts and boxes are placed; the part of libharu that reports need.
 *
 * Shape:   points; y grows downwards from the upper edge. Fonts are embedded: a sans serif in two weights and a fixed-width one, from the
 *          folder of Liberation fonts, so that pages look the same everywhere and no reader needs a font.
 * Texts:   are shown as utf8_put_printable writes them; Latin, Greek and Cyrillic letters as they are, any other character as \u{hex}.
 * Same:    no date, no identifier: the same calls give the same bytes.
 * Errors:  the first failure is kept; the calls that return nothing do nothing afterwards: pdf_finish tells it.
 * Threads: one pdf per thread. Blocking: reads the fonts.
 * Source:  ISO 32000-1 by libharu 2.3. Tests: tests/unit/pdf.c
 */
#ifndef QUERY_REPORT_PDF_H
#define QUERY_REPORT_PDF_H

#include "base/buf.h"
#include "base/error.h"

#define PDF_WIDTH       595.276
#define PDF_HEIGHT      841.890
#define PDF_PAGES_MAX   20000
#define PDF_FONT_FOLDER "/usr/share/fonts/truetype/liberation2" /* Debian: fonts-liberation2 */

enum pdf_font { PDF_SANS, PDF_BOLD, PDF_MONO, PDF_FONT_COUNT };

struct pdf;

/* Begins a document. folder: of the fonts; NULL: QUERYTRAIL_FONTS, else PDF_FONT_FOLDER. Returns 0, ERR_CONFIG when a font is not there
 * (the sentence names the package), ERR_NOMEM. */
int pdf_new(struct str title, const char *folder, struct pdf **out_pdf, struct error *err);
void pdf_free(struct pdf *pdf);

/* Adds a page, which becomes the current one, and tells its index. Past PDF_PAGES_MAX it fails. */
size_t pdf_add_page(struct pdf *pdf);
size_t pdf_page_count(const struct pdf *pdf);

/* Makes an earlier page the current one. */
void pdf_turn_to(struct pdf *pdf, size_t page);

/* A colour of 0xRRGGBB for what comes next. */
void pdf_color(struct pdf *pdf, unsigned rgb);

/* Fills a rectangle; x, y is its upper left corner. */
struct pdf_box {
	double x, y, width, height;
};
void pdf_fill(struct pdf *pdf, const struct pdf_box *box);

struct pdf_style {
	enum pdf_font font;
	double size;
};

/* Puts one line of text with its base line at y. What is not printable was made so by pdf_put_safe before. */
void pdf_text(struct pdf *pdf, const struct pdf_style *style, double x, double y, struct str text);

/* How wide the text is. */
double pdf_text_width(struct pdf *pdf, const struct pdf_style *style, struct str text);

/* Appends text as it can be shown in this font, without line breaks. */
void pdf_put_safe(struct pdf *pdf, enum pdf_font font, struct str text, struct buf *out);

/* How many bytes of text go into width: cut behind a space or a mark where there is one, else between characters; at least one
 * character. */
size_t pdf_fit(struct pdf *pdf, const struct pdf_style *style, struct str text, double width);

/* An entry of the reader's side bar, below the last one of a lower level (1, 2), that leads to y of the current page. */
void pdf_bookmark(struct pdf *pdf, unsigned level, struct str title, double y);

/* Makes the box on the current page lead to a page. */
void pdf_link(struct pdf *pdf, const struct pdf_box *box, size_t page);

/* Gives the file piece by piece. Returns 0, or the first failure: ERR_NOMEM, ERR_LIMIT, ERR_IO, or what the callback returned. */
typedef int pdf_piece_fn(void *owner, struct str piece, struct error *err);
int pdf_finish(struct pdf *pdf, pdf_piece_fn *each, void *owner, struct error *err);

#endif
