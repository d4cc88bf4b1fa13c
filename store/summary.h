/* summary - which values occur in a block and how often, per field: to skip blocks and to answer groupings without reading them.
 *
 * Shape:   for each row of store/summary.def: the values that rows of the kind hold, sorted, each with its count of rows; for fields of
 *          requests also how many statements hang on the requests that hold it. Rows without the field are counted apart. Of a field with more
 *          than SUMMARY_VALUES_MAX values nothing is told. The bytes are streams (store/block/streams.h). docs/format.md section 9.9.
 * Whole:   a block is whole when each of its statements has its final verdict in it, each verdict its subject, and no verdict on a
 *          statement names, or named before it was revised, another request than the statement's. Then its trails can be judged by this block alone, but for revisions that were
 *          said later (they stand in blocks that are not whole, or in the head).
 * Errors:  any bytes give a summary or ERR_CORRUPT.
 * Threads: pure. Blocking: disk while one is made. Source: docs/format.md section 9.9. Tests: tests/unit/rollup.c, tests/unit/run-oracle.c
 */
#ifndef STORE_SUMMARY_H
#define STORE_SUMMARY_H

#include "store/block.h"

#define SUMMARY_VALUES_MAX 65536

/* Appends the summary of a finished block, encrypted when there is a key, and tells whether it is whole. Returns 0, ERR_CORRUPT, ERR_IO, ERR_LIMIT or ERR_NOMEM. */
int summary_make(struct block *block, const uint8_t *key, struct buf *out, bool *out_is_whole,
		 struct error *err);

struct summary;

/* Reads the summary of block number; nothing of bytes is kept. Returns 0 and *out_summary, ERR_CORRUPT or ERR_NOMEM. */
int summary_open(uint64_t number, struct str bytes, const uint8_t *key,
		 struct summary **out_summary, struct error *err);

/* The same for some columns only, which is as much quicker as there are fewer; of the others nothing is known. */
struct summary_column {
	enum record_kind kind;
	enum field field;
};
struct summary_asked {
	uint64_t number;
	struct str bytes;
	const uint8_t *key;
	const struct summary_column *columns; /* NULL: all */
	size_t column_count;
};
int summary_open_some(const struct summary_asked *asked, struct summary **out_summary,
		      struct error *err);
void summary_close(struct summary *summary);

/* Appends one summary of several blocks: the sum of theirs, which have all columns. number: of one of the blocks. Returns 0, ERR_LIMIT or ERR_NOMEM. */
struct summary_set {
	struct summary *const *items;
	size_t count;
	uint64_t number;
	const uint8_t *key;
};
int summary_add_up(const struct summary_set *set, struct buf *out, struct error *err);

/* Whether the block is whole, as said above. */
bool summary_is_whole(const struct summary *summary);

struct summary_field {
	const struct str *values;  /* rising */
	const int64_t *rows;       /* of the kind with this value */
	const int64_t *statements; /* that hang on them; of fields of requests only, else NULL */
	size_t count;
	uint64_t absent_rows, absent_statements; /* of rows without the field */
};

/* What is known of a field in rows of a kind; lives as long as the summary. False: nothing (it is not in summary.def, or has too many
 * values); then it skips nothing. */
bool summary_field(const struct summary *summary, enum record_kind kind, enum field field,
		   struct summary_field *out_field);

/* Statements of the block that hang on no request. */
uint64_t summary_lone_statements(const struct summary *summary);

#endif
