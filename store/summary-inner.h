/* summary-inner - what the files of summary share: how a summary is written. docs/format.md section 9.9.
 *
 * Threads: pure. Tests: tests/unit/rollup.c
 */
#ifndef STORE_SUMMARY_INNER_H
#define STORE_SUMMARY_INNER_H

#include "store/block/ints.h"
#include "store/block/wordlist.h"
#include "store/summary.h"

/* Stored. */
#define SUMMARY_VERSION    1
#define SUMMARY_IS_WHOLE   1u
#define SUMMARY_IS_OF_MANY 2u /* of several blocks together */
#define SUMMARY_PART_HEAD  0  /* of column 0 */

#define SUMMARY_COLUMNS 15 /* rows of summary.def */

/* The parts of a column: its values, rows and statements. */
enum {
	SUMMARY_PART_VALUES = 0,
	SUMMARY_PART_ROWS = WORDLIST_PARTS,
	SUMMARY_PART_STATEMENTS = WORDLIST_PARTS + INTS_PARTS,
};

struct summary_value {
	struct str value;
	int64_t rows, statements;
};

/* A row of summary.def. */
struct summary_column summary_column_at(size_t index);

/* Writes the values of a column, sorted. Returns 0 or -ERR_NOMEM. */
int summary_put_column(struct streams_writer *writer, size_t index,
		       const struct summary_value *values, size_t count);

#endif
