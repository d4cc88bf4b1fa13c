/* csv - rows of a CSV file of audit rows as JSON lines with the header's column names.
 *
 * Shape:   the first row names the columns. The separator is the one of , ; TAB that stands most often in it. Fields may stand in
 *          double quotes, with "" for a quote inside. An empty field without quotes and the word NULL are null.
 * Limits:  CSV_COLUMNS_MAX columns.
 * Threads: one per thread. Blocking: never.
 * Source:  RFC 4180; the files that SQL Server Management Studio saves. Tests: tests/unit/csv.c
 */
#ifndef COLLECTOR_SOURCES_FILE_CSV_H
#define COLLECTOR_SOURCES_FILE_CSV_H

#include "base/buf.h"

#define CSV_COLUMNS_MAX 96

struct csv {
	struct buf header; /* a copy of the header row */
	char separator;
	size_t column_count; /* 0: no header yet */
};

/* Without a header. */
void csv_init(struct csv *csv);
void csv_done(struct csv *csv);

/* Takes the header row (without its newline). Returns 0, or ERR_INPUT when it names no column, a column twice, or too many. */
int csv_header(struct csv *csv, struct str row, struct error *err);

/* Appends the row as one JSON object, all values texts or null. A header must have been taken.
 * Returns 0, or ERR_INPUT when the row has another number of fields than the header or a quote is left open; out is as before. */
int csv_put_json(const struct csv *csv, struct str row, struct buf *out, struct error *err);

#endif
