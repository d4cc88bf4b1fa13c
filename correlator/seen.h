/* seen - which records the store has already, by source and event key.
 *
 * Shape:   a table from a keyed 64-bit hash of source and key to a leaf. A hash only points at a candidate; the stored record
 *          decides. Records that share a key stand in a chain of slots, so that each version of an event is found again.
 * Same:    same source, same key and the same original bytes (field raw; without it the whole record): a duplicate. The same
 *          key with other original bytes is not: it is kept beside the first. docs/decisions.md.
 * Limits:  max_keys given at seen_init; passing it is ERR_LIMIT.
 * Threads: one per thread. Blocking: reads the store for a key that comes again.
 * Source:  docs/decisions.md. Tests: tests/unit/seen.c
 */
#ifndef CORRELATOR_SEEN_H
#define CORRELATOR_SEEN_H

#include "base/hash.h"
#include "store/store.h"

struct seen {
	struct u64map leaves;
	struct hash_key key;
	struct store *store; /* borrowed */
};

enum seen_verdict {
	SEEN_NEW,       /* no record of this key */
	SEEN_DUPLICATE, /* stored before */
	SEEN_CONFLICT,  /* the key is known, with other bytes */
};

/* Prepares an empty table for the records of a store. */
void seen_init(struct seen *seen, struct store *store, size_t max_keys);
void seen_done(struct seen *seen);

/* Looks a record up.
 *   encoded   its canonical bytes
 *   out_slot  where seen_add puts it, when it is not a duplicate; valid until the next seen_add
 * Returns 0, ERR_CORRUPT or ERR_IO from the store. */
int seen_find(struct seen *seen, const struct record *record, struct str encoded,
	      enum seen_verdict *out_verdict, uint64_t *out_slot, struct error *err);

/* Remembers that the record of a slot got a leaf. Returns 0, ERR_LIMIT or ERR_NOMEM. */
int seen_add(struct seen *seen, uint64_t slot, uint64_t leaf, struct error *err);

/* Remembers a stored record at start-up, without looking at others. */
int seen_restore(struct seen *seen, const struct record *record, uint64_t leaf, struct error *err);

#endif
