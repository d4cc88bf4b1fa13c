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

/* Brings all sessions up to date: sets the markers and STATEMENT_DOUBT of statements, marks them where they changed.
 * Returns 0, or -ERR_NOMEM: then the book is of no further use. */
int session_refresh(struct book *book);

/* Marks every statement that a marker's context governs or that is part of its batch. Sessions must be up to date. Returns 0 or -ERR_NOMEM. */
int session_touch_governed(struct book *book, uint32_t marker);

#endif
