/* dict - distinct texts and their codes, 0, 1, 2, .. in the order of first use.
 *
 * Shape:   texts are copied into one buffer; a hash table with a random key finds them, behind a small cache of recent ones.
 * Limits:  DICT_MAX texts; passing it is -ERR_LIMIT.
 * Life:    a text borrows until the next dict_code, dict_clear or dict_done.
 * Threads: one dict per thread. Blocking: never.
 * Tests:   tests/unit/dict.c
 */
#ifndef STORE_DICT_H
#define STORE_DICT_H

#include "base/buf.h"
#include "base/hash.h"

#include <stdint.h>

#define DICT_MAX   65536
#define DICT_CACHE 64

struct dict {
	struct buf bytes;           /* all texts, one behind the other */
	uint32_t *ends;             /* end of each text in bytes */
	uint32_t *slots;            /* code + 1, or 0; open addressing */
	uint64_t *hashes;           /* of each text */
	uint32_t cache[DICT_CACHE]; /* code + 1 by a cheap mix of the text */
	size_t count, room, slot_count;
	struct hash_key key;
};

/* Prepares an empty dict; allocates nothing. */
void dict_init(struct dict *dict);
void dict_done(struct dict *dict);

/* Forgets all texts; keeps the memory. */
void dict_clear(struct dict *dict);

/* The code of text, which is added when it is new. Returns 0, -ERR_LIMIT or -ERR_NOMEM (dict unchanged). */
int dict_code(struct dict *dict, struct str text, uint32_t *out_code);

/* The text of a code below count. */
struct str dict_text(const struct dict *dict, uint32_t code);

#endif
