/* audit - whether a store holds what its log says: every leaf is computed from its record, every node from the leaves, and compared with what was signed.
 *
 * Shape:   leaves are looked at by groups of 256, whose hash stands in a tile; tiles are compared with one another, and the trees that follow with each claim: a checkpoint, of
 *          the store or from outside. What differs is a finding, as narrow as can be told: a leaf, a group, or the leaves between two claims.
 * Removed: leaves of which only the hash is kept, and redacted ones, are counted, and must be named by a record of the log.
 * Errors:  a finding is no error. ERR_CONFIG, ERR_IO, ERR_NOMEM: the audit could not be made; ERR_CORRUPT: not even begun. ERR_CANCELLED: progress said so.
 * Threads: opens the store once for each of its threads. Blocking: disk and processor. Memory: that of the readers; findings, of which 65,536 are kept.
 * Source:  docs/format.md section 11. Tests: tests/unit/audit.c, tests/integration/attacks
 */
#ifndef STORE_LOG_AUDIT_H
#define STORE_LOG_AUDIT_H

#include "base/merkle.h"
#include "model/leafset.h"
#include "store/store.h"

#define AUDIT_THREADS_MAX 16

enum audit_kind {
	AUDIT_LEAF,    /* records that are not what was committed */
	AUDIT_MISSING, /* leaves without a record, or without one that says that they were removed */
	AUDIT_DAMAGED, /* a block or batch that can't be read */
	AUDIT_TREE,    /* tiles or the state: they don't follow from what is below them */
	AUDIT_CLAIM,   /* the tree is not the one that was signed */
	AUDIT_TAKEN,   /* records that were redacted, and no record of the log says so */
};

struct audit_finding {
	enum audit_kind kind;
	uint64_t first, last; /* leaves that it is about */
	bool exact;           /* these leaves; else some of them */
	const char *text;     /* a sentence */
};

/* A head that somebody vouches for. */
struct audit_claim {
	struct merkle_head head;
	const char *name;     /* "checkpoint 7", "file:anchors/..": for texts */
	bool checked, failed; /* set by the audit: compared; and other */
};

struct audit_options {
	const char *dir;
	struct str store_key; /* as store_use_key; empty: none */
	uint64_t first,
		end; /* leaves to look at; end 0: all. Claims are only compared when all are looked at or their group is among them */
	struct audit_claim *claims; /* by rising size */
	size_t claim_count;
	const struct leafset *redacted,
		*removed; /* by orders that the log holds, settled (store/log/forget.h); NULL: that is not looked at */
	unsigned threads; /* 0: one for each processor */
	void *owner;
	void (*found)(void *owner,
		      const struct audit_finding *finding); /* at the end, by rising leaf */
	bool (*progress)(void *owner, uint64_t done,
			 uint64_t total); /* false: give up; may be NULL */
};

struct audit_result {
	struct merkle_head head; /* as the state says */
	uint64_t leaves;         /* looked at */
	uint64_t records, removed, redacted;
	uint64_t findings, claims_checked;
	int64_t oldest_ingest_ns, newest_ingest_ns; /* INT64_MAX, INT64_MIN: no records */
};

/* Runs it. Returns 0 also when there are findings. */
int audit_run(const struct audit_options *options, struct audit_result *out_result,
	      struct error *err);

#endif
