/* sweep - makes the book forget what is kept outside, and moves together what stays.
 *
 * Rules:   a record may go when it and the newest verdict on it lie outside and nothing waits for it. Of a session only the rows before
 *          the first one that stays go, all of one time together, so that what it knows has one border; the rows that govern there stay as
 *          its base. What a kept record knew of a forgotten one (its request, its ids) is marked as not whole.
 * Cost:    a pass over all that is in the book.
 * Threads: one book per thread. Blocking: never.
 * Source:  docs/decisions.md "Forgetting and recalling". Tests: tests/simulation/join-sweep.c, tests/simulation/join-property.c
 */
#ifndef CORRELATOR_JOIN_SWEEP_H
#define CORRELATOR_JOIN_SWEEP_H

#include "correlator/join/book.h"

/* Sessions without a row in the book are kept up to this number, so that their next row needs nothing from outside. */
#define SWEEP_SESSIONS 65536

struct sweep_open {
	uint32_t statements, requests; /* forgotten without a final verdict */
};

/* Forgets. Returns 0, or -ERR_NOMEM: then the book is of no further use. */
int sweep_run(struct book *book, struct sweep_open *out_open);

#endif
