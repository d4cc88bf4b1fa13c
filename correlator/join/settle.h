/* settle - what rising watermarks mean, and which records they make it time to speak of.
 *
 * Rules:   watermarks turn an open "unmatched" into a said one, and release what waits for its session's history; they never
 *          match anything.
 * Threads: one book per thread. Blocking: never.
 * Source:  docs/grades.md. Tests: tests/unit/settle.c
 */
#ifndef CORRELATOR_JOIN_SETTLE_H
#define CORRELATOR_JOIN_SETTLE_H

#include "correlator/join/book.h"

/* Raises the watermarks (a lower one changes nothing), works out the book's horizon, and marks the open records that it has
 * passed. Returns 0 or -ERR_NOMEM. */
int settle_to(struct book *book, int64_t requests_ns, int64_t statements_ns);

#endif
