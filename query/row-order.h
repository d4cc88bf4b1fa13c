/* row-order - rows of an answer in their order: by time, then by statement id, then by leaf.
 *
 * Shape:   the pass over the store remembers the times of recent leaves only (query/marks.h); those of other rows are read here,
 *          before they are sorted. Ids are read among equal times only.
 * Threads: as the store. Blocking: disk.
 * Tests:   tests/unit/row-order.c
 */
#ifndef QUERY_ROW_ORDER_H
#define QUERY_ROW_ORDER_H

#include "query/run.h"

/* Sets the times of rows that are MARKS_TIME_UNKNOWN; changes the order of the rows. A row whose block cannot be read keeps it.
 * Returns 0; ERR_CORRUPT when a block could not be read, with the first one in err and all others done; ERR_IO or ERR_NOMEM. */
int row_order_times(struct store *store, struct run_row *rows, size_t count, struct error *err);

/* Sorts. Returns 0, ERR_IO or ERR_NOMEM. */
int row_order_sort(struct store *store, struct run_row *rows, size_t count, struct error *err);

#endif
