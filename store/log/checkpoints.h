/* checkpoints - what was signed: the notes of the log's heads, in the order in which they were made, in the catalog.
 *
 * Life:    all of the last CHECKPOINTS_ALL_NS; of older ones the last of each hour, and each that an anchor took (store/log/anchors.h).
 * Errors:  ERR_GONE: there is none. ERR_CORRUPT, ERR_IO, ERR_NOMEM.
 * Threads: as the store. Blocking: disk. Source: docs/format.md section 11. Tests: tests/unit/checkpoints.c
 */
#ifndef STORE_LOG_CHECKPOINTS_H
#define STORE_LOG_CHECKPOINTS_H

#include "base/note.h"
#include "store/store.h"

/* A setting of the store: each key that ever signed, as a vkey line. */
#define CHECKPOINTS_KEYS "log.keys"

/* A setting: why nothing may be signed any more; empty or missing: it may. */
#define CHECKPOINTS_REFUSED "log.refused"

/* A setting: the origin under which the log goes on, though an earlier one signed what is there (`querytrail log continue`). */
#define CHECKPOINTS_ORIGIN "log.origin"

#define CHECKPOINTS_ALL_NS (INT64_C(24) * 3600 * 1000000000)

struct checkpoint {
	uint64_t id; /* rising */
	uint64_t size;
	int64_t time_ns; /* when it was signed */
	struct str note; /* borrowed until the next call */
};

/* Stores one: within the writer's open transaction, or committed by itself. */
int checkpoints_put(struct store *store, struct str note, uint64_t size, int64_t now_ns,
		    struct error *err);

/* The newest, as committed; note is copied into buffer (cleared first). Returns 0, ERR_GONE, ERR_CORRUPT or ERR_IO. */
int checkpoints_last(struct store *store, struct checkpoint *out, struct buf *buffer,
		     struct error *err);

/* Calls back for each with an id above `after`, rising. A callback result other than 0 ends the walk and is returned. */
typedef int checkpoints_fn(void *owner, const struct checkpoint *checkpoint, struct error *err);
int checkpoints_walk(struct store *store, uint64_t after, checkpoints_fn *each, void *owner,
		     struct error *err);

#endif
