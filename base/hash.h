/* hash - SipHash-2-4 for tables that hold keys from outside, and tables on it.
 *
 * Shape:   64-bit keyed hash; a map from bytes to a 64-bit value with open addressing.
 * Limits:  max_entries given at map_init; passing it is ERR_LIMIT.
 * Rules:   tables in memory use a random key per process (hash_key_random); a hash that is stored or shown never uses these,
 *          but base/digest.h.
 * Threads: one map per thread. Blocking: never, but hash_key_random's one read of getrandom(2).
 * Source:  Aumasson, Bernstein: "SipHash: a fast short-input PRF" (2012). Tests: tests/unit/hash.c
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* A key from the system's random source. */
struct hash_key hash_key_random(void);

/* SipHash-2-4 of bytes. */
uint64_t hash_bytes(const struct hash_key *key, struct str bytes);

/* A hash of long bytes in a fraction of the time (folded products, as wyhash): for comparing what nobody aims at. Whoever does not know the
 * key can't choose bytes that have the same. */
uint64_t hash_fast(const struct hash_key *key, struct str bytes);

/* A well-mixed 64-bit value of a 64-bit value (for integer keys that are not chosen by an outsider). */
uint64_t hash_u64(uint64_t value);

/* Map from a 64-bit key to a 64-bit value. Key 0 is a key like any other. */
struct u64map {
	struct u64map_slot *slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t entry_count;
	size_t max_entries;
};

/* Prepares an empty map; allocates nothing. */
void u64map_init(struct u64map *map, size_t max_entries);
void u64map_done(struct u64map *map);

/* The value of key, borrowed until the next put or remove, or NULL. */
uint64_t *u64map_get(const struct u64map *map, uint64_t key);

/* Sets key to value. Returns 0, -ERR_LIMIT or -ERR_NOMEM (map unchanged). */
int u64map_put(struct u64map *map, uint64_t key, uint64_t value);

/* Removes key; false when it was not there. */
bool u64map_remove(struct u64map *map, uint64_t key);

/* Walks all entries: start with *cursor = 0; false at the end. Order is arbitrary; do not change the map meanwhile. */
bool u64map_next(const struct u64map *map, size_t *cursor, uint64_t *out_key, uint64_t *out_value);

/* Map from bytes (copied in) to a 64-bit value. */
struct strmap {
	struct strmap_slot *slots;
	size_t slot_count;
	size_t entry_count;
	size_t max_entries;
	struct hash_key key;
};

/* Prepares an empty map with a random key; allocates nothing. */
void strmap_init(struct strmap *map, size_t max_entries);
void strmap_done(struct strmap *map);
uint64_t *strmap_get(const struct strmap *map, struct str key);
int strmap_put(struct strmap *map, struct str key, uint64_t value);
bool strmap_remove(struct strmap *map, struct str key);
/* Walks all entries; *out_key is borrowed until the entry is removed. */
bool strmap_next(const struct strmap *map, size_t *cursor, struct str *out_key,
		 uint64_t *out_value);

#endif
