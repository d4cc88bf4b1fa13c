/* summary - which values occur in a block and how often, per field: to skip blocks and to answer groupings without reading them.
 *
 * Shape:   for each field of store/summary.def and each kind that may hold it: the values as numbers of the catalog's table `names` (text <-> number,
 *          shared by all blocks), and how many rows have each; for user and route also how many statements hang on requests with it.
 *          Rows that do not hold the field are counted as absent. A field with more than SUMMARY_VALUES_MAX values has only a count of rows, and
 *          skips nothing. docs/format.md section 9.9.
 * Whole:   `is_whole` when every statement with a final verdict that names a request has this request in the block: then groupings by
 *          request fields may be taken from the summary.
 * Threads: pure but for names. Blocking: disk (names). Tests: tests/unit/summary.c
 */
#ifndef STORE_SUMMARY_H
#define STORE_SUMMARY_H

#include "store/block.h"
#include "store/catalog.h"

#define SUMMARY_VALUES_MAX 65536

/* Makes the summary of a finished block; names that are new are put into the catalog within the caller's transaction. */
int summary_make(struct catalog *catalog, struct block *block, struct buf *out, struct error *err);

struct summary_value {
	uint32_t name;
	uint64_t rows;       /* of the kind */
	uint64_t statements; /* of user and route in requests: statements that hang on them */
};
struct summary_field {
	const struct summary_value *values;
	size_t count;
	uint64_t absent_rows, absent_statements;
	bool too_many; /* values is empty: nothing is known */
};
struct summary;
int summary_open(struct str bytes, struct summary **out_summary, struct error *err);
void summary_close(struct summary *summary);
bool summary_is_whole(const struct summary *summary);
/* ERR_GONE: the field is not in it. */
int summary_field(const struct summary *summary, enum record_kind kind, enum field field,
		  struct summary_field *out_field, struct error *err);

/* Names. find: ERR_GONE when no block has it. */
int summary_name_find(struct catalog *catalog, struct str text, uint32_t *out_name,
		      struct error *err);
int summary_name_text(struct catalog *catalog, uint32_t name, struct buf *out, struct error *err);

#endif
