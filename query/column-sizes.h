/* column-sizes - `querytrail status --columns`: what each column of the blocks takes, beside what its values need at least.
 *
 * Shape:   columns of one name in all blocks that were measured are one line, the largest first.
 * Limits:  COLUMN_SIZES_MAX names; further ones are one line, "others".
 * Threads: one per thread. Blocking: reads the store.
 * Source:  docs/format.md section 9.11. Tests: tests/unit/column-sizes.c
 */
#ifndef QUERY_COLUMN_SIZES_H
#define QUERY_COLUMN_SIZES_H

#include "query/session.h"

#define COLUMN_SIZES_MAX  1024
#define COLUMN_SIZES_ROWS 1200000 /* of blocks that are looked at, about */

/* Appends the table, or one JSON object. Returns the exit status, or an error. */
int column_sizes_show(struct session *session, bool json, struct error *err);

#endif
