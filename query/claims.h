/* claims - what was signed of a store's log: its own checkpoints and those from outside, with the keys that an auditor trusts.
 *
 * Trust:   a policy file names the keys. Without one the store's own list of keys is taken, which its administrator could have changed: it finds accidents, and
 *          whatever was changed by someone who can't sign.
 * Shape:   a claim is a checkpoint that a trusted key signed; others are told as problems.
 * Errors:  ERR_CONFIG, ERR_INPUT: the policy or an anchor can't be read; ERR_CORRUPT, ERR_IO, ERR_NOMEM.
 * Threads: one per thread. Blocking: reads files and the catalog. Tests: tests/unit/claims.c
 */
#ifndef QUERY_CLAIMS_H
#define QUERY_CLAIMS_H

#include "base/logpolicy.h"
#include "store/log/audit.h"
#include "store/log/checkpoints.h"

#define CLAIMS_KEYS_MAX 64

/* A checkpoint that can't be trusted, with why; borrowed until the callback returns. */
typedef void claims_problem_fn(void *owner, uint64_t size, const char *text);

struct claims {
	struct audit_claim *list; /* by size, once they are sorted; names are owned */
	size_t count, room;
	struct note_key keys[CLAIMS_KEYS_MAX];
	size_t key_count;
	bool from_policy; /* keys and quorum are the auditor's */
	struct logpolicy *policy;
	claims_problem_fn *problem;
	void *owner;
	uint64_t checkpoints, anchors; /* met */
	uint64_t outside;              /* leaves below the newest trusted one from outside */
	uint64_t covered;              /* leaves below the newest trusted checkpoint of the store */
	int64_t covered_ns;            /* when it says that it was made; INT64_MIN: there is none */
	char origin[NOTE_NAME_MAX + 1]; /* of that one */
};

/* Prepares; problem is called while checkpoints are added. */
void claims_init(struct claims *claims, claims_problem_fn *problem, void *owner);
void claims_done(struct claims *claims);

/* Takes the keys from a policy file, or from the store. */
int claims_read_policy(struct claims *claims, const char *path, struct error *err);
int claims_read_store_keys(struct claims *claims, struct store *store, struct error *err);

/* Adds the store's checkpoints; and those in a file, or in the files of a folder whose names end in .checkpoint or are "checkpoint" or "latest". */
int claims_add_store(struct claims *claims, struct store *store, struct error *err);
int claims_add_outside(struct claims *claims, const char *path, struct error *err);

/* Puts them in order, when all were added; tells as a problem that one from outside is newer than all of the store. Those from outside are read before the store's, which has each of
 * them before it is sent. */
void claims_sort(struct claims *claims);

#endif
