/* find-sealed - where in the sealed blocks an id may be; for find.c.
 *
 * Shape:   the filters of all blocks are asked first; in a block that may have it, the columns of ids are compared, and for a stable id the
 *          records themselves. So leaves that are told hold the id, but for verdicts that only might.
 * Threads: as the store. Blocking: disk. Tests: tests/unit/find.c
 */
#ifndef STORE_FIND_SEALED_H
#define STORE_FIND_SEALED_H

#include "store/handle.h"

struct find_sealed {
	struct store *store;
	struct str id;
	int (*add)(void *owner, uint64_t leaf); /* 0 or -ERR_NOMEM */
	void *owner;
	struct error *damage; /* the first block that could not be searched; code 0: none */
};

/* Looks through all blocks. Returns 0, ERR_IO or ERR_NOMEM. */
int find_sealed(const struct find_sealed *find, struct error *err);

#endif
