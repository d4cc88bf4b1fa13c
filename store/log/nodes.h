/* nodes - any node of the log's tree, out of tiles, records and what is kept of removed records: for proofs and for whoever checks.
 *
 * Shape:   nodes of height 8 and more come from tiles; those below from the records of their group of 256 leaves, which are put together for it and hashed, and from stubs
 *          where records were removed. The group that was asked for last is kept.
 * Life:    shares the store's snapshot from open to close: what is committed meanwhile is not seen.
 * Errors:  ERR_GONE: a node that is not complete, or lies below a removed subtree; a leaf whose record was removed. ERR_CORRUPT: records, tiles or stubs are
 *          damaged or missing. ERR_IO, ERR_NOMEM.
 * Threads: as the store. Blocking: disk. Source: docs/format.md section 11. Tests: tests/unit/nodes.c
 */
#ifndef STORE_LOG_NODES_H
#define STORE_LOG_NODES_H

#include "store/log/leaf.h"
#include "store/store.h"

struct log_nodes;

/* Opens what was committed. Returns 0 and *out_nodes, or an error. */
int log_nodes_open(struct store *store, struct log_nodes **out_nodes, struct error *err);

/* Ends the share in the snapshot. */
void log_nodes_close(struct log_nodes *nodes); /* NULL is fine */

/* The tree of the snapshot. */
void log_nodes_head(const struct log_nodes *nodes, struct merkle_head *out);

/* For merkle_prove_leaf, merkle_prove_tree and merkle_root_fetch; borrows nodes. */
struct merkle_source log_nodes_source(struct log_nodes *nodes);

/* A leaf with all that its hash is made of. */
struct log_evidence {
	struct log_leaf leaf;
	struct log_entry entry;
	struct str encoded; /* the record as it is now; borrowed until the next call */
	struct log_salt salt;
	bool salted; /* the salt is known, so commitment = SHA-256(salt, encoded); else the record was redacted */
};

/* Returns 0, ERR_GONE (its record was removed, or no such leaf), ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int log_nodes_leaf(struct log_nodes *nodes, uint64_t leaf, struct log_evidence *out,
		   struct error *err);

/* The nodes of one group of 256 leaves, with stubs; borrowed until the next call.
 *   has_record  bit i: leaf i of the group has a record */
struct log_group;
int log_nodes_group(struct log_nodes *nodes, uint64_t number, const struct log_group **out,
		    uint64_t has_record[4], struct error *err);

/* The same for several groups, rising: calls back with each. What lies between two of them that are near is read through in one go, which is
 * much quicker than to ask for each. A callback result other than 0 ends it and is returned. */
typedef int log_group_fn(void *owner, const struct log_group *group, const uint64_t has_record[4],
			 struct error *err);
struct log_groups {
	const uint64_t *numbers;
	size_t count;
	log_group_fn *each;
	void *owner;
};
int log_nodes_groups(struct log_nodes *nodes, const struct log_groups *groups, struct error *err);

#endif
