/* cell - a value of a report as a person reads it.
 *
 * Shape:   numbers with commas, shares in percent, times to the second in the report's zone, yes or no; an absent value is a dash.
 * Trust:   texts are given as they are; the writer escapes them. Errors: what memory refuses shows as out->failed.
 * Threads: pure. Blocking: never. Tests: tests/unit/cell.c
 */
#ifndef QUERY_REPORT_CELL_H
#define QUERY_REPORT_CELL_H

#include "query/report/writer.h"

/* Appends it. */
void cell_put(struct buf *out, const struct report_column *column, const struct report_cell *cell,
	      const struct zone *zone);

/* Whether the form is a number, which stands to the right. */
bool cell_is_number(enum report_form form);

#endif
