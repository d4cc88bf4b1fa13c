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

/* Reads the carriers of a row into statement->claim and the flags of statement. Returns 0 or -ERR_NOMEM. */
int claim_read(struct book *book, const struct record *row, struct statement *statement);

/* Chains a statement of the book to its claims. */
void claim_link(struct book *book, uint32_t statement);

#endif
