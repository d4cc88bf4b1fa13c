/* show-fields - the fields of a record as `querytrail show` writes them.
 *
 * Trust:   every value is escaped.
 * Threads: one per thread. Blocking: never. Tests: tests/golden/
 */
#ifndef QUERY_SHOW_FIELDS_H
#define QUERY_SHOW_FIELDS_H

#include "model/record.h"
#include "query/output.h"

/* Appends the value of a field that the record has, with its unit. */
void show_put_field_text(const struct output *out, const struct record *record, unsigned field,
			 struct buf *value);

/* Whether a field says only what another one says too, or what is shown elsewhere. */
bool show_is_repetition(const struct record *record, unsigned field);

/* Appends every other field on a line of its own: for gaps, rejects and the like. */
void show_put_fields(struct output *out, const struct record *record);

#endif
