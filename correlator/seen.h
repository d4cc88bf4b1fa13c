/* seen - which records the store has already, by source and event key.
 *
 * Shape:   open addressing, 8 bytes a slot: 32 bits of a keyed hash of source and key, 32 bits of the leaf. A hash only points at
 *          candidates; the stored record decides. Records that share a key stand in one run, so each version is found again.
 * Sealed:  what is sealed is forgotten here (seen_forget) and found again in the blocks whose span of time holds the record's time: a
 *          record that comes twice says the same time twice. The same key with another time, when the first is sealed, counts as new;
 *          it is stored beside the first all the same.
 * Same:    same source, same key and the same original bytes (field raw; without it the whole record): a duplicate. The same
 *          key with other original bytes is not: it is kept beside the first. docs/decisions.md.
 * Limits:  max_keys given at seen_init, and leaves less than 2^32 - 1 above those sealed; passing either is ERR_LIMIT.
 * Threads: one per thread. Blocking: reads the store for a key that comes again.
 * Source:  docs/decisions.md. Tests: tests/unit/seen.c
 */
#ifndef CORRELATOR_SEEN_H
#define CORRELATOR_SEEN_H

#include "base/hash.h"
#include "store/recall.h"
#include "store/store.h"

struct seen {
	uint64_t *slots;   /* hash << 32 | leaf - base + 1, or 0 */
	uint64_t base;     /* lower leaves are sealed */
	size_t slot_count; /* a power of two, or 0 */
	size_t key_count, max_keys;
	uint32_t found_hash; /* of the record that seen_find looked up last */
	struct hash_key key;
	struct store *store;   /* borrowed */
	struct recall *recall; /* borrowed; NULL: nothing is sealed */
};

enum seen_verdict {
	SEEN_NEW,       /* no record of this key */
	SEEN_DUPLICATE, /* stored before */
	SEEN_CONFLICT,  /* the key is known, with other bytes */
};

/* Prepares an empty table for the records of a store. */
void seen_init(struct seen *seen, struct store *store, size_t max_keys);
void seen_done(struct seen *seen);

/* Records with leaves below end are sealed now: blocks know them. Returns 0 or ERR_NOMEM (then nothing is forgotten). */
int seen_forget(struct seen *seen, struct recall *recall, uint64_t end, struct error *err);

/* Looks a record up among those that were added.
 *   encoded  its canonical bytes
 * Returns 0 and *out_verdict, or ERR_CORRUPT or ERR_IO from the store. */
int seen_find(struct seen *seen, const struct record *record, struct str encoded,
	      enum seen_verdict *out_verdict, struct error *err);

/* Remembers that a record got a leaf; several may share a key. Returns 0, ERR_LIMIT or ERR_NOMEM. */
int seen_add(struct seen *seen, const struct record *record, uint64_t leaf, struct error *err);

/* The same for the record that seen_find looked up last, whose hash is known. */
int seen_add_found(struct seen *seen, uint64_t leaf, struct error *err);

#endif
