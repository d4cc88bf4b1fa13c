/* wordset - distinct texts and their codes while a block is written, 0, 1, 2, .. in the order of first use.
 *
 * Shape:   texts are copied into one buffer; a hash table with a random key finds them.
 * Limits:  2^31 texts, 256 MiB.
 * Life:    a text borrows until the next wordset_code or wordset_done.
 * Threads: one wordset per thread. Blocking: never. Tests: tests/unit/wordset.c
 */
#ifndef STORE_BLOCK_WORDSET_H
#define STORE_BLOCK_WORDSET_H

#include "base/buf.h"

struct wordset {
	struct buf bytes;
	size_t *ends;     /* of each text in bytes */
	uint64_t *hashes; /* of each text */
	uint32_t *slots;  /* code + 1, or 0; open addressing */
	size_t count, room, slot_count;
	uint64_t key;
};

/* Prepares an empty set; allocates nothing. */
void wordset_init(struct wordset *set);
void wordset_done(struct wordset *set);

/* The code of text, which is added when it is new: then it is the count before. Returns 0, -ERR_LIMIT or -ERR_NOMEM (set unchanged). */
int wordset_code(struct wordset *set, struct str text, uint32_t *out_code);

/* The text of a code below count. */
struct str wordset_text(const struct wordset *set, uint32_t code);

#endif
