#include "base/hash.h"

#include <stdlib.h>

#define FIRST_SLOTS 16

struct u64map_slot {
	uint64_t key;
	uint64_t value;
	uint8_t used;
};

void u64map_init(struct u64map *map, size_t max_entries)
{
	*map = (struct u64map){.max_entries = max_entries};
}

void u64map_done(struct u64map *map)
{
	free(map->slots);
	u64map_init(map, map->max_entries);
}

/* The slot that holds key, or the empty one where it would go. The table is never full. */
static size_t find(const struct u64map *map, uint64_t key)
{
	size_t mask = map->slot_count - 1;
	size_t at = (size_t)hash_u64(key) & mask;
	while (map->slots[at].used && map->slots[at].key != key) {
		at = (at + 1) & mask;
	}
	return at;
}

uint64_t *u64map_get(const struct u64map *map, uint64_t key)
{
	if (map->entry_count == 0) {
		return NULL;
	}
	size_t at = find(map, key);
	return map->slots[at].used ? &map->slots[at].value : NULL;
}

static int grow(struct u64map *map)
{
	struct u64map bigger = {.slot_count =
					map->slot_count != 0 ? map->slot_count * 2 : FIRST_SLOTS};
	bigger.slots = calloc(bigger.slot_count, sizeof(*bigger.slots));
	if (bigger.slots == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < map->slot_count; i++) {
		if (map->slots[i].used) {
			bigger.slots[find(&bigger, map->slots[i].key)] = map->slots[i];
		}
	}
	free(map->slots);
	map->slots = bigger.slots;
	map->slot_count = bigger.slot_count;
	return 0;
}

int u64map_put(struct u64map *map, uint64_t key, uint64_t value)
{
	uint64_t *there = u64map_get(map, key);
	if (there != NULL) {
		*there = value;
		return 0;
	}
	if (map->entry_count >= map->max_entries) {
		return -ERR_LIMIT;
	}
	if (map->entry_count + 1 > map->slot_count / 4 * 3) {
		int result = grow(map);
		if (result != 0) {
			return result;
		}
	}
	map->slots[find(map, key)] = (struct u64map_slot){.key = key, .value = value, .used = 1};
	map->entry_count++;
	return 0;
}

bool u64map_remove(struct u64map *map, uint64_t key)
{
	if (u64map_get(map, key) == NULL) {
		return false;
	}
	size_t mask = map->slot_count - 1;
	size_t hole = find(map, key);
	/* close the gap: move back every later entry of the run whose own place lies at or before the hole */
	for (size_t at = (hole + 1) & mask; map->slots[at].used; at = (at + 1) & mask) {
		size_t home = (size_t)hash_u64(map->slots[at].key) & mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole].used = 0;
	map->entry_count--;
	return true;
}

bool u64map_next(const struct u64map *map, size_t *cursor, uint64_t *out_key, uint64_t *out_value)
{
	for (; *cursor < map->slot_count; (*cursor)++) {
		const struct u64map_slot *slot = &map->slots[*cursor];
		if (slot->used) {
			*out_key = slot->key;
			*out_value = slot->value;
			(*cursor)++;
			return true;
		}
	}
	return false;
}
