/* slots - finds an item of an array by a key: open addressing over 32-bit indexes.
 *
 * Shape:   the table holds indexes only; the key stands in the item itself, so a slot costs four bytes.
 * Limits:  at most 2^31 entries; nothing is ever removed.
 * Threads: one table per thread. Blocking: never.
 * Tests:   tests/unit/slots.c
 */
#ifndef CORRELATOR_JOIN_SLOTS_H
#define CORRELATOR_JOIN_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_NONE UINT32_MAX

struct slots {
	uint32_t *slot;
	size_t slot_count; /* a power of two, or 0 */
	size_t used;
};

/* How to hash an item that is in the table, and to compare it with a key. owner is what holds the items. */
struct slots_type {
	uint64_t (*hash)(const void *owner, uint32_t index);
	bool (*equal)(const void *owner, uint32_t index, const void *key);
};

/* Frees the table; an all-zero struct slots is an empty one. */
void slots_done(struct slots *slots);

/* The index whose item equals key, or SLOTS_NONE. hash is the key's. */
uint32_t slots_find(const struct slots *slots, const struct slots_type *type, const void *owner,
		    uint64_t hash, const void *key);

/* Adds an index whose key is not in the table; the item must be in place already. Returns 0 or -ERR_NOMEM (unchanged). */
int slots_put(struct slots *slots, const struct slots_type *type, const void *owner,
	      uint32_t index);

#endif
