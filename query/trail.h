/* trail - a row of an answer, whole: the statement, its standing verdict, and the request that the verdict names.
 *
 * Life:    the records borrow from the reader until its next read.
 * Threads: one reader per thread. Blocking: disk.
 * Tests:   tests/unit/trail.c
 */
#ifndef QUERY_TRAIL_H
#define QUERY_TRAIL_H

#include "query/run.h"

struct trail {
	struct record statement, verdict, request; /* only those that are there */
	bool has_statement, has_verdict, has_request;
	uint64_t
		leaf; /* the row's own: the statement's, or the request's when there is no statement */
	uint64_t verdict_leaf, request_leaf; /* RUN_NO_LEAF when absent */
	int64_t time_ns, ingest_ns;
	enum grade grade;
};

struct trail_reader {
	struct scan_fetch *statements, *verdicts, *requests; /* each goes forward on its own */
};

/* Opens and closes; an all-zero reader is closed. Returns 0, ERR_IO or ERR_NOMEM. */
int trail_reader_open(struct trail_reader *reader, struct store *store, struct error *err);
void trail_reader_close(struct trail_reader *reader);

/* Reads the row whole. A verdict or request that cannot be read is left out and told.
 * Returns 0; ERR_CORRUPT with what could be read in *out_trail; ERR_GONE when the row's own record cannot be read: then *out_trail
 * has nothing; ERR_IO. */
int trail_read(struct trail_reader *reader, const struct run_row *row, struct trail *out_trail,
	       struct error *err);

/* One value of a trail by its output name. */
struct trail_column {
	char name[48];
	enum side side;
	unsigned field; /* enum field or enum part */
	bool is_raw;    /* left out unless asked for */
};

#define TRAIL_COLUMNS_MAX 128

/* All values that a trail can have, in the order of output; out holds TRAIL_COLUMNS_MAX. Returns how many. */
size_t trail_columns(struct trail_column *out);

enum trail_type { TRAIL_ABSENT, TRAIL_TEXT, TRAIL_BYTES, TRAIL_NUMBER, TRAIL_TIME, TRAIL_BOOL };

struct trail_value {
	enum trail_type type;
	struct str text;
	int64_t number;
};

/* The value of a column. The grade of a statement without a verdict is "pending". */
struct trail_value trail_value(const struct trail *trail, const struct trail_column *column);

/* Texts and numbers that formats show: the empty str (fallback) when absent. */
struct str trail_text(const struct trail *trail, enum side side, unsigned field);

#endif
