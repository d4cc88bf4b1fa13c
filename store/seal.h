/* seal - moves records out of the head into blocks, and merges blocks; the one way in which sealed data comes to be or changes.
 *
 * What:    takes whole head batches below a leaf and any number of blocks, lays their records out in families (a request, the statements whose
 *          newest verdict names it, the verdicts on them), cuts them into blocks of at most `requests` requests in the order of the requests' leaves,
 *          writes and syncs the blocks, reads each back and compares every record with its original bit for bit, and then in one catalog
 *          transaction registers them and takes batches and old blocks away. Segments whose last batch is gone are deleted later, with the
 *          graves of store/blocks.h.
 * Waiting: a family that is not complete (a statement whose request is not among what is taken, a record without a final verdict) goes
 *          into a block of its own kind, marked is_open, which a later seal merges; with `close` nothing waits.
 * Crash:   before the transaction: files that no row knows, removed at the next open. After: done. Nothing is lost or double at any moment.
 * Errors:  ERR_CORRUPT: an input is damaged or a block did not come back as it was: nothing has changed. ERR_IO: as store_commit, when the
 *          commit failed; else nothing has changed (a full disk: try again later).
 * Memory:  that of building one block and a few numbers per record taken.
 * Threads: the writer's. Blocking: disk and processor, about 5 us a record.
 * Source:  docs/format.md section 9. Tests: tests/unit/seal.c, tests/crash/seal.c
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "store/seal-plan.h"
#include "store/store.h"

#define SEAL_REQUESTS 8192                /* of a block, as a rule */
#define SEAL_ROWS     (SEAL_REQUESTS * 8) /* a block of many rows without requests ends here */

/* What becomes of records on the way: for retention, masking and erasure. Both may be NULL. */
struct seal_change {
	void *owner;
	/* Whether a record leaves the store; asked once of each, before anything is laid out. Its leaf never comes again. A verdict or alert is not
	 * dropped with its subject by itself. */
	bool (*drops)(void *owner, const struct seal_item *item);
	/* Appends the canonical bytes that the record is to have from now on, of the same kind, source, key and time (asserted), such as redact_record gives;
	 * nothing: it stays as it is. Asked of records that are not dropped. Returns 0 or an error, which ends the seal. */
	int (*change)(void *owner, uint64_t leaf, struct str encoded, struct buf *out,
		      struct error *err);
};

struct seal_order {
	uint64_t head_end;      /* batches whose leaves all lie below; 0: none */
	const uint64_t *blocks; /* numbers of blocks to merge in, rising */
	size_t block_count;
	int64_t settled_ns; /* requests up to here get no more statements; INT64_MIN: not known */
	int64_t judged_ns; /* what happened up to here has its last verdict, if it gets one; INT64_MIN: not known */
	uint64_t
		pull_rows; /* of other blocks that may be merged in, when verdicts speak of much that is in them */
	bool pull_open;  /* also those that wait for more */
	size_t requests; /* per block; 0: SEAL_REQUESTS */
	bool close; /* lay out what is incomplete too, as it is; its block is is_open all the same */
	const struct seal_change *change; /* NULL: all stay as they are */
	bool no_grace; /* what is replaced needs no grace: the next seal_tidy or store_sweep deletes it; readers that are at it say it is missing.
			* Batches committed from seal_start on go into another segment, so that none keeps the old one alive. */
	int64_t now_ns;
};

struct seal_result {
	uint64_t records, bytes_before, bytes_after; /* records: all that were taken in */
	uint64_t changed, dropped;                   /* of them */
	uint32_t blocks_made, blocks_open, blocks_removed;
};

/* A seal in steps, so that others get their turn in between: start looks at what there is, each step builds and checks one block, the
 * last one commits. Batches may be committed between steps; no transaction may be open in start and step. The files of a seal that is given up go. */
struct seal;

/* Returns 0 and *out_seal, ERR_GONE (nothing to do), ERR_CORRUPT, ERR_IO, ERR_LIMIT or ERR_NOMEM. */
int seal_start(struct store *store, const struct seal_order *order, struct seal **out_seal,
	       struct error *err);

/* Returns 0; *out_done tells whether it was the last step, and then *out_result what was done (else it is untouched). After an error the
 * seal can only be freed. */
int seal_step(struct seal *seal, bool *out_done, struct seal_result *out_result, struct error *err);
void seal_free(struct seal *seal);

/* All steps at once. Returns as seal_start and seal_step. */
int seal_run(struct store *store, const struct seal_order *order, struct seal_result *out_result,
	     struct error *err);

/* Takes whole blocks away, with all their records, in one catalog transaction: nothing is read or built. Within no other transaction.
 * Returns 0, ERR_GONE (there is no such block: nothing has changed), ERR_CORRUPT or ERR_IO (as seal_step). */
struct seal_removal {
	const uint64_t *blocks; /* numbers, rising */
	size_t count;
	bool no_grace;
	int64_t now_ns;
};
int seal_remove(struct store *store, const struct seal_removal *removal,
		struct seal_result *out_result, struct error *err);

/* What there is to seal, for whoever decides: from the catalog alone. */
struct seal_view {
	uint64_t head_records, head_bytes;
	uint64_t head_first_leaf; /* UINT64_MAX: empty */
	int64_t head_oldest_ingest_ns;
	uint64_t blocks, blocks_open, blocks_small; /* small: fewer than half of the requests */
};
int seal_look(struct store *store, struct seal_view *out_view, struct error *err);

/* Deletes files that nothing needs any more; all: also those that a reader with an old snapshot may want, and the log of the catalog is emptied. */
int seal_tidy(struct store *store, bool all, int64_t now_ns, struct error *err);

/* Sees to it that what orders without grace took away is in no file of the store any more: what lies in graves is overwritten and removed, and the log of
 * the catalog is emptied. *out_clean false: the snapshot of a reader stands in the way; call again later. Does not wait. */
int seal_purge(struct store *store, bool *out_clean, struct error *err);

#endif
