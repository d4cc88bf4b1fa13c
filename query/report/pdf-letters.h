/* pdf-letters - the fonts of a PDF, and which characters they have.
 *
 * Shape:   three faces, each once per encoding of one byte a character. Encodings of several bytes would take four times the memory, and
 *          libharu writes a table for them that readers complain about.
 * Life:    fonts belong to the document. Threads: one document per thread. Blocking: reads the fonts.
 * Errors:  ERR_CONFIG names the font and its package. Source: libharu 2.3. Tests: tests/unit/pdf.c
 */
#ifndef QUERY_REPORT_PDF_LETTERS_H
#define QUERY_REPORT_PDF_LETTERS_H

#include "query/report/pdf.h"

#include <hpdf.h>

#define PDF_ENCODINGS 6
#define PDF_CODES     256

struct pdf_letter { /* a character that can be shown */
	uint16_t cp;
	uint8_t byte;
	uint8_t encoding;
	uint16_t width[PDF_FONT_COUNT]; /* in thousandths of the size */
};

struct pdf_letters {
	HPDF_Font font[PDF_FONT_COUNT][PDF_ENCODINGS];
	struct pdf_letter letters[PDF_ENCODINGS * PDF_CODES]; /* sorted by cp */
	size_t letter_count;
	uint16_t ascii_width[PDF_FONT_COUNT][128];
};

/* Loads the faces from a folder. Returns 0 or ERR_CONFIG. */
int pdf_letters_load(struct pdf_letters *all, HPDF_Doc doc, const char *folder, struct error *err);

/* The letter of a character, or NULL when it cannot be shown. */
const struct pdf_letter *pdf_letters_find(const struct pdf_letters *all, uint32_t cp);

/* The width of a character; 0 when it cannot be shown. */
unsigned pdf_letters_width(const struct pdf_letters *all, enum pdf_font font, uint32_t cp);

/* The encoder of the side bar's texts: that of encoding 0. */
HPDF_Encoder pdf_letters_encoder(HPDF_Doc doc);

#endif
