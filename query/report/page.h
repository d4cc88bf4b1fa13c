/* page - flowing text, facts and charts on the pages of a PDF: where the pen is, and when a page is full.
 *
 * Shape:   one column between the margins of A4. Whoever puts something asks page_need for its height first; what is higher than a page must be
 *          put in parts.
 * Errors:  kept by the pdf. Threads: one per thread. Blocking: never. Tests: tests/unit/write-pdf.c
 */
#ifndef QUERY_REPORT_PAGE_H
#define QUERY_REPORT_PAGE_H

#include "query/report/pdf.h"
#include "query/report/writer.h"

#define PAGE_LEFT   45.0
#define PAGE_TOP    50.0
#define PAGE_BOTTOM 785.0 /* the foot of the page stands below */
#define PAGE_WIDTH  (PDF_WIDTH - 2.0 * PAGE_LEFT)

#define PAGE_INK   0x1b1f24u
#define PAGE_FAINT 0x59636eu
#define PAGE_RULE  0xc4cad0u
#define PAGE_BAND  0xf1f3f5u
#define PAGE_RISK  0x8c1d18u

struct page {
	struct pdf *pdf;
	double y; /* the upper edge of what comes next */
	struct buf safe;
	/* Called at the top of each new page, behind which y is moved; may be NULL. */
	void (*begun)(void *owner);
	void *owner;
};

/* Prepares with a first page. */
void page_init(struct page *page, struct pdf *pdf);
void page_done(struct page *page);

/* Begins a new page when less than height is left. */
void page_need(struct page *page, double height);

struct page_text {
	enum pdf_font font;
	double size, x, width;
	unsigned rgb;
	size_t max_lines; /* 0: all */
};

/* Puts a text as lines that fit, over page borders; line breaks in it are kept. */
void page_put(struct page *page, const struct page_text *how, struct str text);

/* A line across, of a colour, 0.7 points thick. */
void page_rule(struct page *page, unsigned rgb);

/* Facts: names to the left, texts beside them. */
void page_put_facts(struct page *page, const struct report_fact *facts, size_t count);

/* A chart with its title. */
void page_put_chart(struct page *page, const struct report_chart *chart);

#endif
