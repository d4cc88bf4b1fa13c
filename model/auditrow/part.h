/* part - rows that the joiner keeps, and the statement record that comes of them.
 *
 * Life:    a part owns a copy of its row: one allocation. The record borrows from its parts.
 * Threads: pure. Blocking: never. Tests: tests/unit/auditrow-joiner.c
 */
#ifndef MODEL_AUDITROW_PART_H
#define MODEL_AUDITROW_PART_H

#include "model/auditrow/auditrow.h"
#include "model/auditrow/column.h"

struct part {
	struct part *next;
	size_t size_bytes; /* what it takes: the line, and each text once more, as in the record */
	struct str line;
	uint8_t key[16];
	uint8_t place[AUDITCOLUMN_COUNT]; /* 1 + where a known column stands in column, or 0 */
	size_t column_count;
	struct auditrow_column column[];
};

/* Copies a row; NULL without memory. scratch is used to write the line of a row that has none. */
struct part *part_new(const struct auditrow *row, struct buf *scratch);

/* A column of a part by its number in columns.def, or NULL when the row has none. */
const struct auditrow_column *part_column(const struct part *part, unsigned column);

/* Its number; fallback when it has none. */
int64_t part_number(const struct part *part, unsigned column, int64_t fallback);

/* Its text (also that of a number or time, which is empty). */
struct str part_text(const struct part *part, unsigned column);

/* Whether a text is as long as one row can hold: 4000 UTF-16 units. */
bool part_text_is_full(struct str text);

/* Whether the row's statement or additional_information is as long as one row can hold. */
bool part_is_full(const struct part *part);

struct statement_source {
	struct str source;
	const struct part *first; /* in order */
	bool incomplete;
};

/* Makes the record of all parts: in the arena, and of the parts' own texts. scratch is written over. Returns 0 or ERR_LIMIT. */
int statement_record(const struct statement_source *from, struct arena *arena, struct buf *scratch,
		     struct record *out_record, struct error *err);

#endif
