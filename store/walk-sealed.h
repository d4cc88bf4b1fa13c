/* walk-sealed - records out of sealed blocks in the order of their leaves, across blocks; for walk.c.
 *
 * Shape:   blocks whose leaves lie among one another are open at the same time, at most WALK_SEALED_OPEN: the one whose turn comes last is closed
 *          for another, and opened again later. Rows of one kind are put together one after another, as they stand in the block; those
 *          that come before their turn wait. One that is more than WALK_SEALED_WAITING 1024rows away is put together alone.
 * Memory:  WALK_SEALED_OPEN blocks, about 35 bytes a row of them, and WALK_SEALED_WAITING 1024records of each kind.
 * Threads: as the store. Blocking: disk. Tests: tests/unit/walk-sealed.c
 */
#ifndef STORE_WALK_SEALED_H
#define STORE_WALK_SEALED_H

#include "store/handle.h"

#define WALK_SEALED_OPEN    4
#define WALK_SEALED_WAITING 1024

/* Walks through the sealed records with leaves from options->first on and below end. Returns 0, the callback's result, ERR_CORRUPT, ERR_IO or
 * ERR_NOMEM. */
int walk_sealed(struct store *store, const struct store_walk *options, uint64_t end,
		struct error *err);

#endif
