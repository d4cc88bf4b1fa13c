/* walk-sealed - records out of sealed blocks in the order of their leaves, across blocks; for walk.c.
 *
 * Shape:   blocks whose leaves lie among one another are open at the same time. Rows of one kind are put together one after another, as
 *          they stand in the block; those that come before their turn wait.
 * Memory:  about 20 bytes a row of the open blocks, and the records that wait.
 * Threads: as the store. Blocking: disk. Tests: tests/unit/walk-sealed.c
 */
#ifndef STORE_WALK_SEALED_H
#define STORE_WALK_SEALED_H

#include "store/handle.h"

/* Walks through the sealed records with leaves from options->first on and below end. Returns 0, the callback's result, ERR_CORRUPT, ERR_IO or
 * ERR_NOMEM. */
int walk_sealed(struct store *store, const struct store_walk *options, uint64_t end,
		struct error *err);

#endif
