#include "query/report/page.h"

#include "query/report/chart.h"

#define LEADING    1.32 /* height of a line in parts of the size */
#define FACT_SIZE  9.0
#define FACT_NAME  120.0
#define TITLE_SIZE 10.0
#define TEXT_BYTES (4u << 20)

static const unsigned palette[TONE_COUNT] = {
	[TONE_INK] = PAGE_INK,    [TONE_FAINT] = PAGE_FAINT, [TONE_GRID] = 0xd5dae0u,
	[TONE_BAR] = 0x8fb3d1u,   [TONE_RISK] = PAGE_RISK,   [TONE_GOOD] = 0x4f9a68u,
	[TONE_DOUBT] = 0xe3c264u, [TONE_BAD] = PAGE_RISK,    [TONE_SILENT] = 0xd5dae0u,
	[TONE_PAPER] = 0xffffffu,
};

void page_init(struct page *page, struct pdf *pdf)
{
	*page = (struct page){.pdf = pdf, .y = PAGE_TOP};
	buf_init(&page->safe, TEXT_BYTES);
	(void)pdf_add_page(pdf); /* a failure is kept by the pdf */
}

void page_done(struct page *page)
{
	buf_done(&page->safe);
}

void page_need(struct page *page, double height)
{
	if (page->y + height <= PAGE_BOTTOM) {
		return;
	}
	(void)pdf_add_page(page->pdf); /* a failure is kept by the pdf */
	page->y = PAGE_TOP;
	if (page->begun != NULL) {
		page->begun(page->owner);
	}
}

/* Puts one line break's worth of text; *left counts lines down. */
static void put_paragraph(struct page *page, const struct page_text *how, struct str text,
			  size_t *left)
{
	struct pdf_style style = {.font = how->font, .size = how->size};
	double height = how->size * LEADING;
	size_t at = 0;
	do {
		struct str rest = str_slice(text, at, text.len - at);
		size_t fit = pdf_fit(page->pdf, &style, rest, how->width);
		page_need(page, height);
		pdf_color(page->pdf, how->rgb);
		pdf_text(page->pdf, &style, how->x, page->y + how->size, str_slice(rest, 0, fit));
		page->y += height;
		at += fit;
		while (at < text.len && text.ptr[at] == ' ') {
			at++;
		}
		(*left)--;
	} while (at<text.len && * left> 0);
}

void page_put(struct page *page, const struct page_text *how, struct str text)
{
	size_t left = how->max_lines > 0 ? how->max_lines : SIZE_MAX;
	struct str rest = text;
	while (rest.ptr != NULL && left > 0) {
		struct str line = str_split(&rest, '\n');
		buf_clear(&page->safe);
		pdf_put_safe(page->pdf, how->font, line, &page->safe);
		put_paragraph(page, how, buf_str(&page->safe), &left);
	}
}

void page_rule(struct page *page, unsigned rgb)
{
	struct pdf_box box = {.x = PAGE_LEFT, .y = page->y, .width = PAGE_WIDTH, .height = 0.7};
	pdf_color(page->pdf, rgb);
	pdf_fill(page->pdf, &box);
	page->y += box.height;
}

void page_put_facts(struct page *page, const struct report_fact *facts, size_t count)
{
	struct page_text name = {.font = PDF_SANS,
				 .size = FACT_SIZE,
				 .x = PAGE_LEFT,
				 .width = FACT_NAME - 8,
				 .rgb = PAGE_FAINT};
	for (size_t i = 0; i < count; i++) {
		struct page_text value = {.font = facts[i].warns ? PDF_BOLD : PDF_SANS,
					  .size = FACT_SIZE,
					  .x = PAGE_LEFT + FACT_NAME,
					  .width = PAGE_WIDTH - FACT_NAME,
					  .rgb = facts[i].warns ? PAGE_RISK : PAGE_INK};
		page_need(page, 4 * FACT_SIZE);
		page->y += 2.5;
		double top = page->y;
		size_t before = pdf_page_count(page->pdf);
		page_put(page, &name, str_of(facts[i].title));
		double left_end = page->y;
		if (pdf_page_count(page->pdf) == before) {
			page->y = top;
		}
		page_put(page, &value, facts[i].text);
		page->y = pdf_page_count(page->pdf) == before && page->y < left_end ? left_end
										    : page->y;
		page->y += 2.0;
		page_rule(page, PAGE_RULE);
	}
	page->y += 8;
}

/* A chart's canvas on the page: its corner is where the pen was. */
struct board {
	struct pdf *pdf;
	double top;
};

static void draw_box(struct canvas *canvas, const struct canvas_box *box, enum tone tone)
{
	struct board *board = canvas->state;
	struct pdf_box where = {.x = PAGE_LEFT + box->x,
				.y = board->top + box->y,
				.width = box->width,
				.height = box->height};
	pdf_color(board->pdf, palette[tone]);
	pdf_fill(board->pdf, &where);
}

static void draw_line(struct canvas *canvas, const struct canvas_box *box, enum tone tone)
{
	struct canvas_box thin = *box;
	thin.width = box->width > 0.0 ? box->width : 0.7;
	thin.height = box->width > 0.0 ? 0.7 : box->height;
	draw_box(canvas, &thin, tone);
}

static double text_width(struct canvas *canvas, struct str text, double size)
{
	struct board *board = canvas->state;
	struct pdf_style style = {.font = PDF_SANS, .size = size};
	return pdf_text_width(board->pdf, &style, text);
}

static void draw_text(struct canvas *canvas, const struct canvas_text *where, struct str text)
{
	struct board *board = canvas->state;
	struct pdf_style style = {.font = where->strong ? PDF_BOLD : PDF_SANS, .size = where->size};
	struct buf safe;
	buf_init(&safe, TEXT_BYTES);
	pdf_put_safe(board->pdf, style.font, text, &safe);
	double width = pdf_text_width(board->pdf, &style, buf_str(&safe));
	double shift = where->anchor == ANCHOR_START    ? 0.0
		       : where->anchor == ANCHOR_MIDDLE ? width / 2.0
							: width;
	pdf_color(board->pdf, palette[where->tone]);
	pdf_text(board->pdf, &style, PAGE_LEFT + where->x - shift, board->top + where->y,
		 buf_str(&safe));
	buf_done(&safe);
}

void page_put_chart(struct page *page, const struct report_chart *chart)
{
	double height = chart_height(chart, PAGE_WIDTH);
	if (height <= 0.0) {
		return;
	}
	struct page_text title = {.font = PDF_BOLD,
				  .size = TITLE_SIZE,
				  .x = PAGE_LEFT,
				  .width = PAGE_WIDTH,
				  .rgb = PAGE_INK,
				  .max_lines = 2};
	page_need(page, height + 3 * TITLE_SIZE);
	page->y += 4;
	page_put(page, &title, chart->title);
	page->y += 4;
	struct board board = {.pdf = page->pdf, .top = page->y};
	struct canvas canvas = {.state = &board,
				.width = PAGE_WIDTH,
				.box = draw_box,
				.line = draw_line,
				.text = draw_text,
				.text_width = text_width};
	chart_draw(chart, &canvas);
	page->y += height + 10;
}
