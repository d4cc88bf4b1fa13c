#include "collector/sources/cloudwatch/recent.h"

#include <stdlib.h>

void recent_init(struct recent *recent, size_t capacity)
{
	*recent = (struct recent){
		.capacity = capacity, .complete_ms = INT64_MAX, .hash = hash_key_random()};
	u64map_init(&recent->places, capacity + 1);
}

void recent_done(struct recent *recent)
{
	free(recent->keys);
	free(recent->times_ms);
	u64map_done(&recent->places);
	*recent = (struct recent){0};
}

void recent_clear(struct recent *recent, int64_t from_ms)
{
	size_t max_entries = recent->places.max_entries;

	u64map_done(&recent->places);
	u64map_init(&recent->places, max_entries);
	recent->next = 0;
	recent->count = 0;
	recent->complete_ms = from_ms;
}

static uint64_t hash_of(const struct recent *recent, const uint8_t *key)
{
	return hash_bytes(&recent->hash, str_make(key, EVENTID_BYTES));
}

bool recent_has(const struct recent *recent, const uint8_t key[EVENTID_BYTES])
{
	const uint64_t *place = u64map_get(&recent->places, hash_of(recent, key));

	return place != NULL && memcmp(recent->keys[*place], key, EVENTID_BYTES) == 0;
}

static bool make_ring(struct recent *recent)
{
	if (recent->keys == NULL) {
		recent->keys = calloc(recent->capacity, sizeof(*recent->keys));
	}
	if (recent->times_ms == NULL) {
		recent->times_ms = calloc(recent->capacity, sizeof(*recent->times_ms));
	}
	return recent->keys != NULL && recent->times_ms != NULL;
}

static void forget_oldest(struct recent *recent)
{
	uint64_t hash = hash_of(recent, recent->keys[recent->next]);
	const uint64_t *place = u64map_get(&recent->places, hash);

	if (place != NULL && *place == recent->next) {
		(void)u64map_remove(&recent->places, hash); /* it is there */
	}
	if (recent->times_ms[recent->next] >= recent->complete_ms) {
		recent->complete_ms = recent->times_ms[recent->next] + 1;
	}
}

void recent_add(struct recent *recent, const uint8_t key[EVENTID_BYTES], int64_t time_ms)
{
	if (!make_ring(recent)) {
		return;
	}
	if (recent->count == recent->capacity) {
		forget_oldest(recent);
	} else {
		recent->count++;
	}
	memcpy(recent->keys[recent->next], key, EVENTID_BYTES);
	recent->times_ms[recent->next] = time_ms;
	/* without memory, or when another key has the same hash, it is not found and so sent again */
	(void)u64map_put(&recent->places, hash_of(recent, key), recent->next);
	recent->next = (recent->next + 1) % recent->capacity;
}
