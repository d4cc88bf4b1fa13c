/* sheet - the state of a PDF report, and its tables; for write-pdf.c and sheet-table.c only.
 *
 * Shape:   a broad table gives its statements a line of their own below the other columns; a page begins with the table's head again.
 * Threads: one per writer. Blocking: never. Errors: kept by the pdf. Tests: tests/unit/write-pdf.c
 */
#ifndef QUERY_REPORT_SHEET_H
#define QUERY_REPORT_SHEET_H

#include "query/report/page.h"

#define SHEET_CONTENTS_MAX 256
#define SHEET_NO_COLUMN    SIZE_MAX

struct entry {       /* of the table of contents */
	size_t page; /* where the line of the contents stands */
	double y;
	size_t target; /* SIZE_MAX: the section did not come */
	double x, width;
	struct pdf_style style;
};

struct sheet {
	struct pdf *pdf;
	struct page page;
	struct buf text, safe;
	struct entry entry[SHEET_CONTENTS_MAX];
	size_t entry_count, section_count;
	/* the open table */
	double x[REPORT_COLUMNS_MAX], width[REPORT_COLUMNS_MAX];
	size_t wide; /* the column with a line of its own, or SHEET_NO_COLUMN */
	bool striped;
};

/* Puts text as lines across the page. */
void sheet_put(struct sheet *sheet, enum pdf_font font, double size, struct str text);

/* The table members of the writer: see struct report_writer_type. */
int sheet_table_begin(struct report_writer *writer, const struct report_table *table,
		      struct error *err);
/* A row. */
int sheet_row(struct report_writer *writer, const struct report_cell *cells, struct error *err);
/* The end of a table, with its count. */
int sheet_table_end(struct report_writer *writer, const struct report_table_end *table_end,
		    struct error *err);

#endif
