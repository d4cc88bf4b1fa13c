/* session - the rows of one database session in order, and which context governs each.
 *
 * Shape:   a session is (source, connection id), or (source, server, session number) where the server gives no connection id;
 *          login and logout end what stood before. Order: the server's time, file, file offset, sequence.
 * Rules:   two registers run along: the context that an audit_write row told, and the one that an audited batch set. Either holds
 *          until the next of its kind, its clearing, or a reset. A late row moves only what stands behind it.
 * Threads: one book per thread. Blocking: never.
 * Source:  docs/grades.md. Tests: tests/unit/session.c
 */
#ifndef CORRELATOR_JOIN_SESSION_H
#define CORRELATOR_JOIN_SESSION_H

#include "correlator/join/book.h"

/* Puts a statement of the book, whose fields are set, into the session of its row. Returns 0 or -ERR_NOMEM. */
int session_add(struct book *book, const struct record *row, uint32_t statement);

/* The first half of it: only finds the session. */
int session_find(struct book *book, const struct record *row, uint32_t statement);

/* The second half: puts a statement into the timeline of its session, where it is not yet. quiet: it is there for what it does to others.
 * Returns 0 or -ERR_NOMEM. */
int session_place(struct book *book, uint32_t statement, bool quiet);

/* The times of the rows that a row which marks may govern or whose part in a batch it may change, as far as the session is known. */
struct session_span {
	int64_t from_ns, last_ns; /* INT64_MAX: nothing behind it ends what it does */
};
struct session_span session_governed(const struct book *book, uint32_t marker);

/* Sorts statements of one session by their places. */
void session_order(const struct book *book, uint32_t *statements, size_t count);

/* What stands after a row, given what governs it. */
struct registers session_after(const struct book *book, uint32_t statement);

/* Makes the table of sessions anew, after they have moved. Returns 0 or -ERR_NOMEM. */
int session_reindex(struct book *book);

/* Brings all sessions up to date: sets the markers and STATEMENT_DOUBT of statements, marks them where they changed.
 * Returns 0, or -ERR_NOMEM: then the book is of no further use. */
int session_refresh(struct book *book);

/* Marks every statement that a marker's context governs or that is part of its batch. Sessions must be up to date. Returns 0 or -ERR_NOMEM. */
int session_touch_governed(struct book *book, uint32_t marker);

#endif
