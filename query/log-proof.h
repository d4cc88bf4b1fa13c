/* log-proof - that the log of one checkpoint begins with that of an older one, in a file.
 *
 * Shape:   lines "querytrail-consistency@v1", "old BYTES", "new BYTES", one line of Base64 a hash, an empty line; then the two checkpoints with their signatures, so many bytes each.
 * Errors:  ERR_INPUT: it is no proof, or it does not hold. ERR_GONE: no checkpoint has that size. ERR_CORRUPT: the store does not hold what was signed. ERR_IO, ERR_NOMEM.
 * Threads: as the store. Blocking: log_proof_make reads the store. Source: docs/log.md. Tests: tests/unit/log-proof.c, tests/fuzz/logproof.c
 */
#ifndef QUERY_LOG_PROOF_H
#define QUERY_LOG_PROOF_H

#include "base/logpolicy.h"
#include "store/store.h"

#define LOG_PROOF_MAX_BYTES (4u << 20)

/* Appends the proof between the checkpoints of two sizes, older first, when it holds. */
int log_proof_make(struct store *store, uint64_t old_size, uint64_t size, struct buf *out,
		   struct error *err);

/* Checks one: both checkpoints by the policy, of one origin, and the proof. */
struct log_proof_heads {
	struct merkle_head older, head;
};
int log_proof_check(struct str bytes, const struct logpolicy *policy, struct log_proof_heads *out,
		    struct error *err);

#endif
