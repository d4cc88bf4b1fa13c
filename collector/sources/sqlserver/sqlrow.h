/* sqlrow - one row of the audit function, as the server sent it, made a struct auditrow.
 *
 * Shape:   cells in the order of the columns asked for (auditquery.h says in which shape each arrives). Text comes as UTF-16LE and becomes
 *          WTF-8: a surrogate without its partner is kept as three bytes.
 * Life:    texts are copied into the arena; names are borrowed.
 * Errors:  a row that cannot be converted is never dropped: row_put_raw gives what came, for a REJECT record.
 * Threads: pure. Blocking: never.
 * Source:  [MS-TDS] 2.2.5.4 (datetime2), FreeTDS sybdb.h (DBDATETIMEALL); facts in docs. Tests: tests/unit/sqlrow.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_SQLROW_H
#define COLLECTOR_SOURCES_SQLSERVER_SQLROW_H

#include "collector/sources/sqlserver/auditquery.h"
#include "model/auditrow/auditrow.h"

struct sqlrow_cell {
	bool is_null;
	struct str bytes;   /* BINARY, GUID (16 bytes as sent), WIDE_TEXT and TEXT (UTF-16LE) */
	int64_t number;     /* INT, BIT */
	int64_t time_100ns; /* TIME: since midnight */
	int64_t days;       /* TIME: since 1900-01-01 */
};

struct sqlrow {
	const struct auditquery_column *columns;
	const struct sqlrow_cell *cells;
	size_t count; /* of both */
};

/* Converts a row.
 * Returns 0, ERR_INPUT (which column, why), or ERR_LIMIT (more columns than a row may have, or the arena is full). */
int sqlrow_convert(const struct sqlrow *row, struct arena *arena, struct auditrow *out_row,
		   struct error *err);

/* Appends what came, for people: name=value pairs, texts and bytes in hexadecimal as sent. */
void sqlrow_put_raw(const struct sqlrow *row, struct buf *out);

/* Nanoseconds since 1970 of a datetime2; false when it does not fit (before 1677, after 2262). */
bool sqlrow_time_ns(int64_t days, int64_t time_100ns, int64_t *out_ns);

#endif
