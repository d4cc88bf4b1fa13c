#include "query/report/pdf.h"

#include "base/utf8.h"
#include "query/report/pdf-letters.h"
#include "query/report/pdf-pack.h"

#include <hpdf.h>
#include <hpdf_pages.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE_BYTES 16384
#define GRAIN       4.0 /* places are rounded to quarters of a point: their digits are few and exact */
#define FOOT_BYTES  512 /* pieces of what is drawn on a page that was full */
#define PIECES_MAX  1024
#define TITLE_BYTES 256 /* of the document and in the side bar; libharu refuses long ones */
#define LEVELS_MAX  3
#define UNITS       1000.0 /* widths are in thousandths of the size */

struct pdf {
	HPDF_Doc doc;
	struct pdf_letters letters;
	HPDF_Page *pages;
	struct pdf_packed *packed; /* per page: what it drew until the next one began */
	size_t page_count, page_room;
	struct pdf_packer *packer;
	HPDF_Page page; /* the current one */
	bool in_text;
	HPDF_Font current;
	double size;
	unsigned rgb;
	HPDF_Outline bookmark[LEVELS_MAX];
	struct buf line;
	struct error failure; /* code 0: none */
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
	pdf->packer = pdf_packer_new();
	int rc = 0;
	if (pdf->doc == NULL || pdf->packer == NULL) {
		rc = error_set(err, ERR_NOMEM, "no memory for a PDF");
	} else {
		HPDF_SetCompressionMode(pdf->doc, HPDF_COMP_IMAGE | HPDF_COMP_METADATA);
		HPDF_SetPageMode(pdf->doc, HPDF_PAGE_MODE_USE_OUTLINE);
	}
	rc = rc < 0 ? rc : pdf_letters_load(&pdf->letters, pdf->doc, folder, err);
	if (rc < 0) {
		pdf_free(pdf);
		return rc;
	}
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
	for (size_t i = 0; i < pdf->page_count; i++) {
		free(pdf->packed[i].bytes);
	}
	pdf_packer_free(pdf->packer);
	buf_done(&pdf->line);
	free(pdf->packed);
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

/* A fresh stream for what the page draws from now on. */
static void renew_stream(struct pdf *pdf, HPDF_PageAttr page)
{
	HPDF_Stream fresh = HPDF_MemStream_New(pdf->doc->mmgr, FOOT_BYTES);
	if (fresh == NULL) {
		(void)error_set(&pdf->failure, ERR_NOMEM, "no memory for a PDF"); /* kept */
		return;
	}
	HPDF_Stream_Free(page->stream);
	page->stream = fresh;
	page->contents->stream = fresh;
}

/* What a stream holds, in pieces that borrow from it. Returns how many, at most PIECES_MAX. */
static size_t list_pieces(HPDF_Stream stream, struct str *out)
{
	HPDF_UINT count = HPDF_MemStream_GetBufCount(stream);
	size_t used = 0;
	for (HPDF_UINT i = 0; i < count && used < PIECES_MAX; i++) {
		HPDF_UINT len = 0;
		const HPDF_BYTE *bytes = HPDF_MemStream_GetBufPtr(stream, i, &len);
		if (bytes != NULL && len > 0) {
			out[used++] = str_make(bytes, len);
		}
	}
	return used;
}

/* Compresses what the last page drew. */
static void pack_last_page(struct pdf *pdf)
{
	struct str pieces[PIECES_MAX];
	if (pdf->page_count == 0 || pdf->packed[pdf->page_count - 1].bytes != NULL) {
		return;
	}
	pdf_turn_to(pdf, pdf->page_count - 1);
	HPDF_PageAttr page = pdf->page->attr;
	size_t count = list_pieces(page->stream, pieces);
	if (count == PIECES_MAX) {
		return; /* an enormous page stays as it is */
	}
	if (pdf_pack(pdf->packer, pieces, count, &pdf->packed[pdf->page_count - 1],
		     &pdf->failure) == 0) {
		renew_stream(pdf, page);
	}
}

static bool make_room(struct pdf *pdf)
{
	size_t room = pdf->page_room > 0 ? pdf->page_room * 2 : 64;
	HPDF_Page *pages = realloc(pdf->pages, room * sizeof(*pages));
	pdf->pages = pages != NULL ? pages : pdf->pages;
	struct pdf_packed *packed = realloc(pdf->packed, room * sizeof(*packed));
	pdf->packed = packed != NULL ? packed : pdf->packed;
	if (pages == NULL || packed == NULL) {
		(void)error_set(&pdf->failure, ERR_NOMEM, "no memory for a PDF"); /* kept */
		return false;
	}
	pdf->page_room = room;
	return true;
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
	if (pdf->page_count == pdf->page_room && !make_room(pdf)) {
		return pdf->page_count;
	}
	pack_last_page(pdf);
	HPDF_Page page = HPDF_AddPage(pdf->doc);
	if (page == NULL) {
		return pdf->page_count;
	}
	HPDF_Page_SetWidth(page, (HPDF_REAL)PDF_WIDTH);
	HPDF_Page_SetHeight(page, (HPDF_REAL)PDF_HEIGHT);
	pdf->packed[pdf->page_count] = (struct pdf_packed){0};
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
	HPDF_Font font = pdf->letters.font[style->font][encoding];
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
		const struct pdf_letter *letter =
			pdf_letters_find(&pdf->letters, utf8_next(text, &pos));
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

double pdf_text_width(struct pdf *pdf, const struct pdf_style *style, struct str text)
{
	uint64_t sum = 0;
	for (size_t pos = 0; pos < text.len;) {
		sum += pdf_letters_width(&pdf->letters, style->font, utf8_next(text, &pos));
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
		if (cp == 0xa0 || pdf_letters_width(&pdf->letters, font, cp) > 0) {
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
		sum += pdf_letters_width(&pdf->letters, style->font, cp);
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
		const struct pdf_letter *letter =
			pdf_letters_find(&pdf->letters, utf8_next(title, &pos));
		bool is_latin = letter != NULL && letter->encoding == 0;
		buf_put_byte(&pdf->line, is_latin ? letter->byte : '?');
	}
	HPDF_Encoder encoder = pdf_letters_encoder(pdf->doc);
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

/* libharu writes this between the entries of a page's dictionary: the filter, since it compresses nothing itself. */
static HPDF_STATUS put_filter(HPDF_Dict contents, HPDF_Stream stream)
{
	(void)contents;
	return HPDF_Stream_WriteStr(stream, "/Filter /FlateDecode\012");
}

/* Makes the whole content of a page of its packed part and what it drew since. */
static int finish_page(struct pdf *pdf, size_t index, struct buf *scratch, struct error *err)
{
	struct str pieces[PIECES_MAX];
	struct buf tail;
	HPDF_PageAttr page = pdf->pages[index]->attr;
	size_t count = list_pieces(page->stream, pieces);
	if (count == PIECES_MAX) {
		return 0;
	}
	buf_init(&tail, 0);
	for (size_t i = 0; i < count; i++) {
		buf_put_str(&tail, pieces[i]);
	}
	buf_clear(scratch);
	int rc = pdf_pack_end(pdf->packer, &pdf->packed[index], buf_str(&tail), scratch, err);
	buf_done(&tail);
	free(pdf->packed[index].bytes);
	pdf->packed[index] = (struct pdf_packed){0};
	if (rc < 0) {
		return rc;
	}
	HPDF_Stream whole = HPDF_MemStream_New(pdf->doc->mmgr, (HPDF_UINT)scratch->len);
	if (whole == NULL || HPDF_Stream_Write(whole, (const HPDF_BYTE *)scratch->ptr,
					       (HPDF_UINT)scratch->len) != HPDF_OK) {
		return error_set(err, ERR_NOMEM, "no memory for a page of a PDF");
	}
	HPDF_Stream_Free(page->stream);
	page->stream = whole;
	page->contents->stream = whole;
	page->contents->write_fn = put_filter;
	return 0;
}

static int finish_pages(struct pdf *pdf, struct error *err)
{
	struct buf scratch;
	int rc = 0;
	buf_init(&scratch, 0);
	end_text(pdf);
	for (size_t i = 0; i < pdf->page_count && rc == 0; i++) {
		rc = finish_page(pdf, i, &scratch, err);
	}
	buf_done(&scratch);
	return rc;
}

int pdf_finish(struct pdf *pdf, pdf_piece_fn *each, void *owner, struct error *err)
{
	HPDF_BYTE piece[PIECE_BYTES];
	if (is_good(pdf)) {
		int rc = finish_pages(pdf, err);
		if (rc < 0) {
			return rc;
		}
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
