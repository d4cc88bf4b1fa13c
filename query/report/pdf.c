#include "query/report/pdf.h"

#include "base/utf8.h"

#include <hpdf.h>
#include <stdio.h>
#include <stdlib.h>

#define CODES       256
#define PIECE_BYTES 16384
#define PATH_BYTES  4096
#define GRAIN       4.0 /* places are rounded to quarters of a point: their digits are few and exact */
#define TITLE_BYTES 256 /* of the document and in the side bar; libharu refuses long ones */
#define SOFT_HYPHEN 0xad
#define LEVELS_MAX  3
#define UNITS       1000.0 /* widths are in thousandths of the size */

/* A face once per encoding of one byte a character. Encodings of several bytes would take four times the memory, and libharu
 * writes a table for them that readers complain about. */
static const char *const encodings[] = {"WinAnsiEncoding", "CP1250", "CP1251",
					"CP1253",          "CP1254", "CP1257"};
#define ENCODINGS (sizeof(encodings) / sizeof(encodings[0]))

struct letter { /* a character that can be shown */
	uint16_t cp;
	uint8_t byte;
	uint8_t encoding;
	uint16_t width[PDF_FONT_COUNT];
};

struct pdf {
	HPDF_Doc doc;
	HPDF_Font font[PDF_FONT_COUNT][ENCODINGS];
	struct letter letters[ENCODINGS * CODES]; /* sorted by cp */
	size_t letter_count;
	uint16_t ascii_width[PDF_FONT_COUNT][128];
	HPDF_Page *pages;
	size_t page_count, page_room;
	HPDF_Page page; /* the current one */
	bool in_text;
	HPDF_Font current;
	double size;
	unsigned rgb;
	HPDF_Outline bookmark[LEVELS_MAX];
	struct buf line;
	struct error failure; /* code 0: none */
};

static const char *const files[PDF_FONT_COUNT] = {
	[PDF_SANS] = "LiberationSans-Regular.ttf",
	[PDF_BOLD] = "LiberationSans-Bold.ttf",
	[PDF_MONO] = "LiberationMono-Regular.ttf",
};

static void on_error(HPDF_STATUS code, HPDF_STATUS detail, void *owner)
{
	struct pdf *pdf = owner;
	if (pdf->failure.code != 0) {
		return;
	}
	if (code == HPDF_FAILD_TO_ALLOC_MEM) {
		(void)error_set(&pdf->failure, ERR_NOMEM, "no memory for a PDF"); /* kept */
	} else {
		(void)error_set(&pdf->failure, ERR_IO,
				"libharu cannot make the PDF: error 0x%04lx, detail %lu",
				(unsigned long)code, (unsigned long)detail);
	}
}

static bool is_good(const struct pdf *pdf)
{
	return pdf->failure.code == 0;
}

static int load_face(struct pdf *pdf, enum pdf_font which, const char *folder, struct error *err)
{
	char path[PATH_BYTES];
	int len = snprintf(path, sizeof(path), "%s/%s", folder, files[which]);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		return error_set(err, ERR_CONFIG, "the folder of the fonts has too long a name");
	}
	const char *name = HPDF_LoadTTFontFromFile(pdf->doc, path, HPDF_TRUE);
	for (size_t i = 0; i < ENCODINGS; i++) {
		pdf->font[which][i] =
			name != NULL ? HPDF_GetFont(pdf->doc, name, encodings[i]) : NULL;
		if (pdf->font[which][i] == NULL) {
			return error_set(
				err, ERR_CONFIG,
				"the font %s cannot be read (Debian package fonts-liberation2)",
				path);
		}
	}
	return 0;
}

static int compare_letters(const void *a, const void *b)
{
	const struct letter *left = a;
	const struct letter *right = b;
	int by_cp = (left->cp > right->cp) - (left->cp < right->cp);
	return by_cp != 0 ? by_cp
			  : (left->encoding > right->encoding) - (left->encoding < right->encoding);
}

/* Sets the widths of a letter; false when it cannot be shown. */
static bool measure(struct pdf *pdf, struct letter *letter)
{
	bool is_control = letter->cp < ' ' || (letter->cp >= 0x7f && letter->cp <= 0xa0);
	if (is_control || letter->cp == SOFT_HYPHEN) {
		return false;
	}
	for (size_t i = 0; i < PDF_FONT_COUNT; i++) {
		HPDF_INT width =
			HPDF_Font_GetUnicodeWidth(pdf->font[i][letter->encoding], letter->cp);
		if (width <= 0) {
			return false;
		}
		letter->width[i] = (uint16_t)width;
	}
	return true;
}

/* Which characters there are: those of the encodings; the first encoding that has one wins. */
static void list_letters(struct pdf *pdf)
{
	size_t count = 0;
	for (size_t i = 0; i < ENCODINGS; i++) {
		HPDF_Encoder encoder = HPDF_GetEncoder(pdf->doc, encodings[i]);
		for (unsigned code = ' '; code < CODES && encoder != NULL; code++) {
			uint16_t cp = HPDF_Encoder_GetUnicode(encoder, (HPDF_UINT16)code);
			pdf->letters[count] = (struct letter){
				.cp = cp, .byte = (uint8_t)code, .encoding = (uint8_t)i};
			count += measure(pdf, &pdf->letters[count]) ? 1 : 0;
		}
	}
	qsort(pdf->letters, count, sizeof(pdf->letters[0]), compare_letters);
	for (size_t i = 0; i < count; i++) {
		if (pdf->letter_count == 0 ||
		    pdf->letters[pdf->letter_count - 1].cp != pdf->letters[i].cp) {
			pdf->letters[pdf->letter_count++] = pdf->letters[i];
		}
	}
	for (size_t i = 0; i < pdf->letter_count && pdf->letters[i].cp < 128; i++) {
		for (size_t k = 0; k < PDF_FONT_COUNT; k++) {
			pdf->ascii_width[k][pdf->letters[i].cp] = pdf->letters[i].width[k];
		}
	}
}

/* The letter of a character, or NULL when it cannot be shown. */
static const struct letter *find_letter(const struct pdf *pdf, uint32_t cp)
{
	size_t low = 0;
	size_t high = pdf->letter_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (pdf->letters[middle].cp < cp) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < pdf->letter_count && pdf->letters[low].cp == cp ? &pdf->letters[low] : NULL;
}

int pdf_new(struct str title, const char *folder, struct pdf **out_pdf, struct error *err)
{
	struct pdf *pdf = calloc(1, sizeof(*pdf));
	if (pdf == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a PDF");
	}
	if (folder == NULL) {
		folder = getenv("QUERYTRAIL_FONTS");
		folder = folder != NULL ? folder : PDF_FONT_FOLDER;
	}
	buf_init(&pdf->line, 1u << 20);
	pdf->doc = HPDF_New(on_error, pdf);
	int rc = 0;
	if (pdf->doc == NULL) {
		rc = error_set(err, ERR_NOMEM, "no memory for a PDF");
	} else {
		HPDF_SetCompressionMode(pdf->doc, HPDF_COMP_ALL);
		HPDF_SetPageMode(pdf->doc, HPDF_PAGE_MODE_USE_OUTLINE);
	}
	for (int i = 0; i < PDF_FONT_COUNT && rc == 0; i++) {
		rc = load_face(pdf, (enum pdf_font)i, folder, err);
	}
	if (rc < 0) {
		pdf_free(pdf);
		return rc;
	}
	list_letters(pdf);
	pdf_put_safe(pdf, PDF_SANS, str_slice(title, 0, TITLE_BYTES), &pdf->line);
	HPDF_SetInfoAttr(pdf->doc, HPDF_INFO_TITLE, pdf->line.ptr != NULL ? pdf->line.ptr : "");
	HPDF_SetInfoAttr(pdf->doc, HPDF_INFO_PRODUCER, "querytrail");
	*out_pdf = pdf;
	return 0;
}

void pdf_free(struct pdf *pdf)
{
	if (pdf == NULL) {
		return;
	}
	if (pdf->doc != NULL) {
		HPDF_Free(pdf->doc);
	}
	buf_done(&pdf->line);
	free(pdf->pages);
	free(pdf);
}

size_t pdf_page_count(const struct pdf *pdf)
{
	return pdf->page_count;
}

static void end_text(struct pdf *pdf)
{
	if (pdf->in_text) {
		HPDF_Page_EndText(pdf->page);
	}
	pdf->in_text = false;
}

static double rounded(double place)
{
	return (double)(int64_t)(place * GRAIN + 0.5) / GRAIN;
}

void pdf_turn_to(struct pdf *pdf, size_t page)
{
	if (!is_good(pdf) || page >= pdf->page_count) {
		return;
	}
	end_text(pdf);
	pdf->page = pdf->pages[page];
	pdf->current = NULL; /* what a page has is not that of another */
	pdf->rgb = UINT32_MAX;
}

size_t pdf_add_page(struct pdf *pdf)
{
	if (!is_good(pdf)) {
		return pdf->page_count;
	}
	if (pdf->page_count == PDF_PAGES_MAX) {
		(void)error_set(
			&pdf->failure, ERR_LIMIT, /* kept */
			"a PDF report has at most %d pages; narrow the range, or take html, "
			"csv or jsonl",
			PDF_PAGES_MAX);
		return pdf->page_count;
	}
	if (pdf->page_count == pdf->page_room) {
		size_t room = pdf->page_room > 0 ? pdf->page_room * 2 : 64;
		HPDF_Page *pages = realloc(pdf->pages, room * sizeof(*pages));
		if (pages == NULL) {
			(void)error_set(&pdf->failure, ERR_NOMEM, "no memory for a PDF"); /* kept */
			return pdf->page_count;
		}
		pdf->pages = pages;
		pdf->page_room = room;
	}
	HPDF_Page page = HPDF_AddPage(pdf->doc);
	if (page == NULL) {
		return pdf->page_count;
	}
	HPDF_Page_SetWidth(page, (HPDF_REAL)PDF_WIDTH);
	HPDF_Page_SetHeight(page, (HPDF_REAL)PDF_HEIGHT);
	pdf->pages[pdf->page_count++] = page;
	pdf_turn_to(pdf, pdf->page_count - 1);
	return pdf->page_count - 1;
}

void pdf_color(struct pdf *pdf, unsigned rgb)
{
	if (!is_good(pdf) || pdf->page == NULL || pdf->rgb == rgb) {
		return;
	}
	HPDF_Page_SetRGBFill(pdf->page, (HPDF_REAL)(rgb >> 16 & 0xff) / 255.0F,
			     (HPDF_REAL)(rgb >> 8 & 0xff) / 255.0F,
			     (HPDF_REAL)(rgb & 0xff) / 255.0F);
	pdf->rgb = rgb;
}

void pdf_fill(struct pdf *pdf, const struct pdf_box *box)
{
	if (!is_good(pdf) || pdf->page == NULL) {
		return;
	}
	end_text(pdf);
	HPDF_Page_Rectangle(pdf->page, (HPDF_REAL)box->x,
			    (HPDF_REAL)(PDF_HEIGHT - box->y - box->height), (HPDF_REAL)box->width,
			    (HPDF_REAL)box->height);
	HPDF_Page_Fill(pdf->page);
}

/* Puts a run of characters of one encoding, which stands in line. */
static void put_run(struct pdf *pdf, const struct pdf_style *style, size_t encoding, double x,
		    double y)
{
	HPDF_Font font = pdf->font[style->font][encoding];
	if (font != pdf->current || pdf->size < style->size || pdf->size > style->size) {
		HPDF_Page_SetFontAndSize(pdf->page, font, (HPDF_REAL)style->size);
		pdf->current = font;
		pdf->size = style->size;
	}
	if (!pdf->in_text) {
		HPDF_Page_BeginText(pdf->page);
		pdf->in_text = true;
	}
	HPDF_Page_TextOut(pdf->page, (HPDF_REAL)rounded(x), (HPDF_REAL)rounded(PDF_HEIGHT - y),
			  pdf->line.ptr);
}

void pdf_text(struct pdf *pdf, const struct pdf_style *style, double x, double y, struct str text)
{
	size_t encoding = 0;
	uint64_t sum = 0;
	if (!is_good(pdf) || pdf->page == NULL || text.len == 0) {
		return;
	}
	buf_clear(&pdf->line);
	for (size_t pos = 0; pos < text.len;) {
		const struct letter *letter = find_letter(pdf, utf8_next(text, &pos));
		if (letter == NULL) {
			continue; /* pdf_put_safe leaves none */
		}
		if (letter->encoding != encoding && pdf->line.len > 0) {
			put_run(pdf, style, encoding, x, y);
			x += (double)sum * style->size / UNITS;
			sum = 0;
			buf_clear(&pdf->line);
		}
		encoding = letter->encoding;
		sum += letter->width[style->font];
		buf_put_byte(&pdf->line, letter->byte);
	}
	if (pdf->line.failed) {
		(void)error_set(&pdf->failure, ERR_LIMIT, "a line of a PDF is too long"); /* kept */
	} else if (pdf->line.len > 0) {
		put_run(pdf, style, encoding, x, y);
	}
}

static unsigned char_width(const struct pdf *pdf, enum pdf_font font, uint32_t cp)
{
	if (cp < 128) {
		return pdf->ascii_width[font][cp];
	}
	const struct letter *letter = find_letter(pdf, cp);
	return letter != NULL ? letter->width[font] : 0;
}

double pdf_text_width(struct pdf *pdf, const struct pdf_style *style, struct str text)
{
	uint64_t sum = 0;
	for (size_t pos = 0; pos < text.len;) {
		sum += char_width(pdf, style->font, utf8_next(text, &pos));
	}
	return (double)sum * style->size / UNITS;
}

void pdf_put_safe(struct pdf *pdf, enum pdf_font font, struct str text, struct buf *out)
{
	size_t start = out->len;
	utf8_put_printable(out, text);
	struct str shown = str_slice(buf_str(out), start, out->len - start);
	size_t pos = 0;
	while (pos < shown.len && (unsigned char)shown.ptr[pos] < 0x80) {
		pos++;
	}
	if (pos == shown.len) {
		return;
	}
	struct buf safe;
	buf_init(&safe, out->max_bytes);
	for (size_t at = 0; at < shown.len;) {
		size_t begin = at;
		uint32_t cp = utf8_next(shown, &at);
		if (cp == 0xa0 || char_width(pdf, font, cp) > 0) {
			buf_put_str(&safe, cp == 0xa0 ? STR_LIT(" ")
						      : str_slice(shown, begin, at - begin));
		} else {
			buf_putf(&safe, "\\u{%x}", cp);
		}
	}
	buf_truncate(out, start);
	buf_put_str(out, buf_str(&safe));
	out->failed = out->failed || safe.failed;
	buf_done(&safe);
}

size_t pdf_fit(struct pdf *pdf, const struct pdf_style *style, struct str text, double width)
{
	double room = width * UNITS / style->size;
	double sum = 0.0;
	size_t good = 0; /* behind the last place where a line may end */
	size_t pos = 0;
	while (pos < text.len) {
		size_t next = pos;
		uint32_t cp = utf8_next(text, &next);
		sum += char_width(pdf, style->font, cp);
		if (sum > room && cp != ' ' && pos > 0) {
			return good > pos / 3 ? good
					      : pos; /* no ragged lines for one early space */
		}
		pos = next;
		good = cp < 0x80 && strchr(" ,;)/-=.", (int)cp) != NULL ? pos : good;
	}
	return text.len;
}

void pdf_bookmark(struct pdf *pdf, unsigned level, struct str title, double y)
{
	if (!is_good(pdf) || pdf->page == NULL || level == 0 || level >= LEVELS_MAX) {
		return;
	}
	buf_clear(&pdf->line);
	title = str_slice(title, 0, TITLE_BYTES);
	for (size_t pos = 0; pos < title.len;) {
		const struct letter *letter = find_letter(pdf, utf8_next(title, &pos));
		bool is_latin = letter != NULL && letter->encoding == 0;
		buf_put_byte(&pdf->line, is_latin ? letter->byte : '?');
	}
	HPDF_Encoder encoder = HPDF_GetEncoder(pdf->doc, encodings[0]);
	HPDF_Outline parent = level > 1 ? pdf->bookmark[level - 1] : NULL;
	HPDF_Outline entry = HPDF_CreateOutline(pdf->doc, parent, pdf->line.ptr, encoder);
	HPDF_Destination place = HPDF_Page_CreateDestination(pdf->page);
	if (entry == NULL || place == NULL) {
		return; /* on_error has kept why */
	}
	HPDF_Destination_SetFitH(place, (HPDF_REAL)(PDF_HEIGHT - y));
	HPDF_Outline_SetDestination(entry, place);
	pdf->bookmark[level] = entry;
}

void pdf_link(struct pdf *pdf, const struct pdf_box *box, size_t page)
{
	if (!is_good(pdf) || pdf->page == NULL || page >= pdf->page_count) {
		return;
	}
	HPDF_Destination place = HPDF_Page_CreateDestination(pdf->pages[page]);
	HPDF_Rect rect = {.left = (HPDF_REAL)box->x,
			  .bottom = (HPDF_REAL)(PDF_HEIGHT - box->y - box->height),
			  .right = (HPDF_REAL)(box->x + box->width),
			  .top = (HPDF_REAL)(PDF_HEIGHT - box->y)};
	HPDF_Annotation link =
		place != NULL ? HPDF_Page_CreateLinkAnnot(pdf->page, rect, place) : NULL;
	if (link != NULL) {
		HPDF_LinkAnnot_SetBorderStyle(link, 0, 0, 0);
	}
}

int pdf_finish(struct pdf *pdf, pdf_piece_fn *each, void *owner, struct error *err)
{
	HPDF_BYTE piece[PIECE_BYTES];
	if (is_good(pdf)) {
		end_text(pdf);
		HPDF_SaveToStream(pdf->doc);
	}
	if (is_good(pdf)) {
		HPDF_ResetStream(pdf->doc);
	}
	for (HPDF_UINT32 size = PIECE_BYTES; is_good(pdf) && size == PIECE_BYTES;) {
		/* at the end of the stream it says HPDF_STREAM_EOF, which is no failure */
		(void)HPDF_ReadFromStream(pdf->doc, piece, &size);
		int rc = each(owner, str_make(piece, size), err);
		if (rc < 0) {
			return rc;
		}
	}
	if (!is_good(pdf)) {
		if (err != NULL) {
			*err = pdf->failure;
		}
		return -pdf->failure.code;
	}
	return 0;
}
