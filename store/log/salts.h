/* salts - a secret for each leaf, derived and not stored, that can be forgotten one by one.
 *
 * Shape:   a binary tree of seeds: the root has height SALTS_HEIGHT, child b of a seed is SHA-256(seed, u8 b), and the salt of leaf i is the node of height 0 with
 *          number i. Kept are the seeds from which what was not forgotten follows: at first the root alone. Forgetting a leaf puts the seeds of the
 *          siblings on the way down in the place of the seed above it, so no seed that is left leads to it.
 * Cost:    two hashes of one block a leaf, when leaves are asked for in order.
 * Errors:  ERR_GONE: forgotten. ERR_CORRUPT: the table is damaged. ERR_IO, ERR_NOMEM.
 * Threads: one struct salts per thread. Blocking: load and forget read and write the catalog.
 * Source:  docs/format.md section 11.2. Tests: tests/unit/salts.c
 */
#ifndef STORE_LOG_SALTS_H
#define STORE_LOG_SALTS_H

#include "base/digest.h"
#include "model/leafset.h"
#include "store/catalog.h"

#define SALTS_HEIGHT 48

struct log_salt {
	uint8_t bytes[DIGEST_BYTES];
};

struct salts;

/* Reads the seeds as of the connection's snapshot. Returns 0 and *out_salts, ERR_CORRUPT (none, or overlapping ones), ERR_IO or ERR_NOMEM. */
int salts_load(struct catalog *catalog, struct salts **out_salts, struct error *err);
void salts_free(struct salts *salts); /* NULL is fine; wipes */

/* Makes the root of a new store, within the caller's transaction. Returns 0, ERR_IO or ERR_NOMEM. */
int salts_create(struct catalog *catalog, struct error *err);

/* The salt of a leaf. Returns 0 or ERR_GONE (then err is not set). */
int salts_get(struct salts *salts, uint64_t leaf, struct log_salt *out);

/* Forgets the salts of leaves, in memory and within the caller's transaction; load again after a rollback. What was forgotten before may be among them.
 * Returns 0, ERR_IO, ERR_CORRUPT or ERR_NOMEM. */
int salts_forget(struct salts *salts, struct catalog *catalog, const struct leafset *leaves,
		 struct error *err);

#endif
