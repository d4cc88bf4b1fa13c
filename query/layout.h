/* layout - which columns of a table fit, and how wide each one is.
 *
 * Rules:   every column has the least width at which it still says something and the width it wants. What does not fit at its least
 *          width is left out, the least important column first; what is left over goes to the columns in order of
 *          importance, and all the rest to the last column. A column aligned to the right holds numbers and is never cut. Without a width limit every column gets what it wants.
 * Threads: pure. Blocking: never. Tests: tests/unit/layout.c
 */
#ifndef QUERY_LAYOUT_H
#define QUERY_LAYOUT_H

#include "base/buf.h"

#define LAYOUT_COLUMNS_MAX 24
#define LAYOUT_GAP         2

struct layout_column {
	const char *title;
	unsigned importance; /* larger stays longer; 0: always stays */
	size_t least, most;  /* most 0: no limit */
	bool right;          /* aligned to the right */
	size_t wanted;       /* widest cell seen; set by layout_see */
	size_t width;        /* decided; 0: left out */
};

/* Prepares: the title is the first cell seen. */
void layout_begin(struct layout_column *columns, size_t count);

/* Takes note of a cell's width. */
void layout_see(struct layout_column *column, size_t width);

/* Decides the widths for a table of at most width columns; 0: no limit. */
void layout_decide(struct layout_column *columns, size_t count, size_t width);

/* Appends a cell, cut with "…" when it does not fit, padded unless it is the last one. cut false: never cut. */
void layout_put_cell(struct buf *out, const struct layout_column *column, struct str cell,
		     bool is_last, bool cut);

#endif
