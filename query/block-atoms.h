/* block-atoms - the atoms that each row of a block makes true, through its dictionaries.
 *
 * Shape:   one word of bits a row, and the rows whose word is not zero, since most filters name few rows of a block; a text atom
 *          is tested once per dictionary entry and then looked up by code, and only over the rows of its side.
 * Threads: one per thread. Blocking: disk, as the scan does.
 * Tests:   tests/unit/block-atoms.c
 */
#ifndef QUERY_BLOCK_ATOMS_H
#define QUERY_BLOCK_ATOMS_H

#include "query/plan.h"
#include "store/scan.h"

struct block_atoms {
	uint64_t *bits;    /* per row of the last block */
	uint32_t *touched; /* the rows whose bits are not 0, each once, in no order */
	size_t touched_count;
	size_t room;
	uint64_t *hits; /* a bit per row */
	size_t hit_room;
};

/* Frees. An all-zero struct is empty. */
void block_atoms_done(struct block_atoms *atoms);

/* Sets atoms->bits for the rows of block of the kinds asked for (bit k): for each row, the atoms of the plan on its side. Only
 * columns of kinds that the block holds are read. Returns 0, ERR_CORRUPT, ERR_NOMEM, or ERR_LIMIT when a regular expression gave up on
 * too many texts. */
int block_atoms_load(struct block_atoms *atoms, const struct plan *plan, unsigned kinds,
		     const struct scan_block *block, struct error *err);

/* The record kind of a side. */
enum record_kind side_kind(enum side side);

#endif
