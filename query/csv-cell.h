/* csv-cell - a cell of RFC 4180 that a spreadsheet takes for text and a terminal does not obey.
 *
 * Rules:   a cell that could be taken for a formula begins with '; control and bidi characters and bytes that are no text are written
 *          out, but for line breaks and tabs when it does not go to a terminal. Whoever writes says which cells were changed.
 * Threads: pure. Blocking: never. Source: RFC 4180, OWASP "CSV injection". Tests: tests/unit/csv-cell.c
 */
#ifndef QUERY_CSV_CELL_H
#define QUERY_CSV_CELL_H

#include "base/buf.h"

/* Appends the text made harmless, without quotes. Returns whether anything was changed. */
bool csv_cell_defuse(struct str text, bool is_terminal, struct buf *out);

/* Appends a cell, quoted when that is needed, with a comma before it unless it is the first of its line. */
void csv_cell_put(struct buf *out, struct str text, bool first);

#endif
