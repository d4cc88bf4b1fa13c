/* restore - verdicts that were stored before, as what the join said.
 *
 * Rules:   of several verdicts on a record the one with the highest revision stands, in whatever order they come.
 * Threads: one book per thread. Blocking: never. Tests: tests/simulation/sealed-keeper.c, tests/simulation/join-property.c
 */
#ifndef CORRELATOR_JOIN_RESTORE_H
#define CORRELATOR_JOIN_RESTORE_H

#include "correlator/join/book.h"

/* Takes in a verdict; see join_restore. */
int restore_verdict(struct book *book, uint64_t verdict_leaf, const struct record *verdict,
		    struct error *err);

/* Parts of struct said: the mark of a reason's text; grade, carrier, matched and settled in one. */
uint32_t restore_mark(struct str text);
uint16_t restore_what(unsigned grade, unsigned carrier, unsigned matched, unsigned settled);

#endif
