/* recall-index - from keys to rows of one block; for store/recall.c.
 *
 * Threads: pure but for the block. Blocking: disk. Tests: tests/unit/recall.c
 */
#ifndef STORE_RECALL_INDEX_H
#define STORE_RECALL_INDEX_H

#include "base/hash.h"
#include "store/recall.h"

struct recall_entries {
	struct recall_entry *entries; /* in order of keys, then rows */
	size_t count, room;
	bool made;
};

struct recall_making {
	struct block *block;
	enum recall_index which;
	const struct hash_key *key; /* of identities */
	struct buf *scratch;
	const struct recall_entries *records; /* for RECALL_NAMES: the index RECALL_RECORDS */
	/* For RECALL_CLAIMS and RECALL_SESSIONS: the other one, made by the same pass over the statements; NULL: it is not wanted. */
	struct recall_entries *twin;
};

/* Fills an index. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int recall_index_make(const struct recall_making *by, struct recall_entries *index,
		      struct error *err);

/* See recall_identity. */
struct recall_identity recall_index_identity(const struct hash_key *process_key,
					     const struct record *record, struct str encoded);

/* A row of a block, decoded; it borrows from the block until the next row, bytes hold its canonical bytes. Returns 0, ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
int recall_index_row(struct block *block, uint32_t row, struct buf *bytes, struct record *out,
		     struct error *err);

#endif
