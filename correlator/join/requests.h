/* requests - the access log's side of the join, found by any of its ids.
 *
 * Rules:   an id borne by lines that differ is reused; equal lines (one request that was logged or imported twice) are one
 *          request, named by the line with the smallest tie.
 * Threads: one book per thread. Blocking: never.
 * Source:  docs/grades.md. Tests: tests/unit/requests.c
 */
#ifndef CORRELATOR_JOIN_REQUESTS_H
#define CORRELATOR_JOIN_REQUESTS_H

#include "correlator/join/book.h"

/* How long a request without a latency is taken to have run. */
#define REQUESTS_UNKNOWN_END_NS INT64_C(60000000000)

/* Adds a request and marks the claims on its ids. is_new: it does not come back from outside. Returns 0 and *out_request, or
 * -ERR_NOMEM, -ERR_LIMIT. */
int requests_add(struct book *book, uint64_t leaf, const struct record *line, bool is_new,
		 uint32_t *out_request);

/* Puts a request under one of its ids; true when the id means something else from now on. */
bool requests_chain(struct book *book, uint32_t request, int kind);

/* Whether any statement in the book claims one of its ids. */
bool requests_is_claimed(const struct book *book, const struct request *request);

/* Whether a claim says nothing against this request: no id that differs from the request's own of that kind. */
bool requests_agree(const struct book *book, uint32_t request, const struct claim *claim);

#endif
