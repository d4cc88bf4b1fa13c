/* claim - what an audit row says about the request that it belongs to, and what it sets for its session.
 *
 * Shape:   up to four claims a row: in its session context column, set by the row itself, in its application name, in a comment.
 *          Equal contexts are one claim in the book.
 * Rules:   a row that seems to set a context which cannot be read counts as clearing it: better no name than a wrong one.
 * Threads: one book per thread. Blocking: never.
 * Source:  docs/grades.md. Tests: tests/unit/claim.c
 */
#ifndef CORRELATOR_JOIN_CLAIM_H
#define CORRELATOR_JOIN_CLAIM_H

#include "correlator/join/book.h"

struct claims {
	uint32_t by[ROLE_COUNT]; /* BOOK_NONE where there is none */
	unsigned flags;          /* STATEMENT_WRITES and those that follow it */
};

/* Reads the carriers of a row. Returns 0 or -ERR_NOMEM. */
int claim_read(struct book *book, const struct record *row, struct claims *out_claims);

/* Gives a statement of the book its claims. Returns 0 or -ERR_NOMEM. */
int claim_link(struct book *book, uint32_t statement, const struct claims *claims);

/* Makes the table of claims and all chains of claims anew, after items have moved. Returns 0 or -ERR_NOMEM. */
int claim_reindex(struct book *book);

#endif
