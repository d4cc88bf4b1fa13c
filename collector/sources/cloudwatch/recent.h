/* recent - the events that this process has given lately, so that overlapping scans need not send them again.
 *
 * Shape:   the last RECENT_MAX keys of 26 bytes, compared whole. Keys of another kind are never remembered: they are sent again, and
 *          the daemon tells that it has them.
 * Rules:   only what was given since the last recent_clear counts; the source clears it whenever it is not sure that what it gave was
 *          committed.
 * Threads: one per process. Blocking: never. Tests: tests/unit/recent.c
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_RECENT_H
#define COLLECTOR_SOURCES_CLOUDWATCH_RECENT_H

#include "base/hash.h"
#include "collector/sources/cloudwatch/eventid.h"

#define RECENT_MAX 65536

struct recent {
	uint8_t (*keys)[EVENTID_BYTES]; /* a ring; allocated at the first use */
	int64_t *times_ms;              /* event time of each */
	size_t capacity;
	size_t next; /* where the next key goes */
	size_t count;
	int64_t complete_ms; /* every event given with this time or a later one is still remembered */
	struct u64map places; /* hash of a key: its place in the ring */
	struct hash_key hash;
};

/* Remembers nothing yet; capacity is RECENT_MAX, fewer in tests. */
void recent_init(struct recent *recent, size_t capacity);
void recent_done(struct recent *recent);

/* Forgets all; from now on everything at or after from_ms is remembered. */
void recent_clear(struct recent *recent, int64_t from_ms);

/* Whether the key was given, exactly it. */
bool recent_has(const struct recent *recent, const uint8_t key[EVENTID_BYTES]);

/* Remembers a key in place of the oldest. Without memory it is not remembered. */
void recent_add(struct recent *recent, const uint8_t key[EVENTID_BYTES], int64_t time_ms);

#endif
