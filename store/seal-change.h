/* seal-change - what a seal takes away for good, and the one transaction in which sealed data changes.
 *
 * Errors:  as store/seal.h. Threads: the writer's. Blocking: disk. Tests: tests/unit/seal-change.c, tests/crash/seal.c
 */
#ifndef STORE_SEAL_CHANGE_H
#define STORE_SEAL_CHANGE_H

#include "model/leafset.h"
#include "store/handle.h"
#include "store/seal.h"

/* Takes the items away that are to be dropped, and notes them in *dropped, settled; the others keep their order. Returns 0 or ERR_NOMEM. */
int seal_change_drop(const struct seal_change *change, struct seal_item *items, size_t *io_count,
		     struct leafset *dropped, struct error *err);

/* Runs change within a transaction and commits it.
 *   out_unsure  the commit failed: it may be found in the log at the next start all the same, so that what it needs must stay. After a full disk
 *               the next commit takes its place in the log; after anything else nothing more can be written.
 * Returns 0 or what failed. */
struct seal_commit {
	struct store *store;
	int (*change)(void *owner, struct error *err);
	void *owner;
};
int seal_commit(const struct seal_commit *commit, bool *out_unsure, struct error *err);

#endif
