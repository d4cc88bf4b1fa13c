/* evidence - records of a store with all that proves them: bytes, salt, entry, and a path to a checkpoint that was signed.
 *
 * Shape:   everything is against the newest checkpoint of the store, which is compared with the tree before it is used. A path is only given when it holds.
 * Life:    shares the store's snapshot from open to close.
 * Errors:  ERR_GONE: nothing was signed; the record was removed; no such leaf. ERR_AGAIN: the checkpoint does not cover the leaf yet. ERR_CORRUPT: the store does not hold
 *          what was signed. ERR_IO, ERR_NOMEM.
 * Threads: as the store. Blocking: disk. Source: docs/log.md. Tests: tests/unit/evidence.c
 */
#ifndef QUERY_EVIDENCE_H
#define QUERY_EVIDENCE_H

#include "base/config.h"
#include "base/tlogproof.h"
#include "store/log/anchors.h"
#include "store/log/nodes.h"

struct evidence {
	struct store *store;
	struct log_nodes *nodes;
	struct checkpoint checkpoint;
	struct merkle_head head; /* that it is of */
	char origin[NOTE_NAME_MAX + 1];
	struct buf signed_note;   /* as the log's keys signed it */
	struct buf note;          /* with the cosignatures of witnesses */
	struct log_evidence leaf; /* of the leaf that was asked for last */
};

/* Opens. The evidence must be closed either way. */
int evidence_open(struct evidence *evidence, struct store *store, struct error *err);
void evidence_close(struct evidence *evidence);

/* Looks at a leaf: evidence->leaf and its proof, which borrow until the next call. */
int evidence_leaf(struct evidence *evidence, uint64_t leaf, struct tlogproof *out_proof,
		  struct error *err);

/* Appends a policy: all keys that ever signed this store's log under the checkpoint's origin, the witnesses of a configuration (NULL: none), and no quorum. */
int evidence_put_policy(struct evidence *evidence, const struct config *config, struct buf *out,
			struct error *err);

#endif
