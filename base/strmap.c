#include "base/hash.h"

#include <stdlib.h>

#define FIRST_SLOTS 16

struct strmap_slot {
	char *key; /* owned; NULL: the slot is empty */
	size_t key_len;
	uint64_t hash;
	uint64_t value;
};

void strmap_init(struct strmap *map, size_t max_entries)
{
	*map = (struct strmap){.max_entries = max_entries, .key = hash_key_random()};
}

void strmap_done(struct strmap *map)
{
	for (size_t i = 0; i < map->slot_count; i++) {
		free(map->slots[i].key);
	}
	free(map->slots);
	strmap_init(map, map->max_entries);
}

static bool slot_holds(const struct strmap_slot *slot, uint64_t hash, struct str key)
{
	return slot->hash == hash && str_equal(str_make(slot->key, slot->key_len), key);
}

static size_t find(const struct strmap *map, uint64_t hash, struct str key)
{
	size_t mask = map->slot_count - 1;
	size_t at = (size_t)hash & mask;
	while (map->slots[at].key != NULL && !slot_holds(&map->slots[at], hash, key)) {
		at = (at + 1) & mask;
	}
	return at;
}

uint64_t *strmap_get(const struct strmap *map, struct str key)
{
	if (map->entry_count == 0) {
		return NULL;
	}
	size_t at = find(map, hash_bytes(&map->key, key), key);
	return map->slots[at].key != NULL ? &map->slots[at].value : NULL;
}

static int grow(struct strmap *map)
{
	size_t slot_count = map->slot_count != 0 ? map->slot_count * 2 : FIRST_SLOTS;
	struct strmap_slot *slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < map->slot_count; i++) {
		if (map->slots[i].key != NULL) {
			size_t at = (size_t)map->slots[i].hash & (slot_count - 1);
			while (slots[at].key != NULL) {
				at = (at + 1) & (slot_count - 1);
			}
			slots[at] = map->slots[i];
		}
	}
	free(map->slots);
	map->slots = slots;
	map->slot_count = slot_count;
	return 0;
}

int strmap_put(struct strmap *map, struct str key, uint64_t value)
{
	uint64_t *there = strmap_get(map, key);
	if (there != NULL) {
		*there = value;
		return 0;
	}
	if (map->entry_count >= map->max_entries) {
		return -ERR_LIMIT;
	}
	if (map->entry_count + 1 > map->slot_count / 4 * 3 && grow(map) != 0) {
		return -ERR_NOMEM;
	}
	char *copy = malloc(key.len + 1);
	if (copy == NULL) {
		return -ERR_NOMEM;
	}
	if (key.len != 0) {
		memcpy(copy, key.ptr, key.len);
	}
	copy[key.len] = '\0';
	uint64_t hash = hash_bytes(&map->key, key);
	map->slots[find(map, hash, key)] =
		(struct strmap_slot){.key = copy, .key_len = key.len, .hash = hash, .value = value};
	map->entry_count++;
	return 0;
}

bool strmap_remove(struct strmap *map, struct str key)
{
	if (map->entry_count == 0) {
		return false;
	}
	size_t mask = map->slot_count - 1;
	size_t hole = find(map, hash_bytes(&map->key, key), key);
	if (map->slots[hole].key == NULL) {
		return false;
	}
	free(map->slots[hole].key);
	for (size_t at = (hole + 1) & mask; map->slots[at].key != NULL; at = (at + 1) & mask) {
		size_t home = (size_t)map->slots[at].hash & mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole].key = NULL;
	map->entry_count--;
	return true;
}

bool strmap_next(const struct strmap *map, size_t *cursor, struct str *out_key, uint64_t *out_value)
{
	for (; *cursor < map->slot_count; (*cursor)++) {
		const struct strmap_slot *slot = &map->slots[*cursor];
		if (slot->key != NULL) {
			*out_key = str_make(slot->key, slot->key_len);
			*out_value = slot->value;
			(*cursor)++;
			return true;
		}
	}
	return false;
}
