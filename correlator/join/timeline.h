/* timeline - indexes of items in order, where new ones mostly come at the end.
 *
 * Shape:   a sorted part and an unsorted tail; timeline_sort merges the tail in. Sorted arrivals cost nothing, late ones a merge
 *          of what stands behind them, once per call and not once per item.
 * Limits:  at most 2^32 - 2 items.
 * Threads: one timeline per thread. Blocking: never.
 * Tests:   tests/unit/timeline.c
 */
#ifndef CORRELATOR_JOIN_TIMELINE_H
#define CORRELATOR_JOIN_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

struct timeline {
	uint32_t *at;
	uint32_t count, sorted, capacity;
};

/* Order of two items: negative, 0 or positive. */
typedef int timeline_compare(uint32_t a, uint32_t b, const void *owner);

/* Frees the memory; an all-zero struct timeline is an empty one. */
void timeline_done(struct timeline *timeline);

/* Appends an index to the tail. Returns 0 or -ERR_NOMEM (unchanged). */
int timeline_push(struct timeline *timeline, uint32_t index);

/* Merges the tail in. *out_first is the first position whose item changed (count when none did).
 * Returns 0, or -ERR_NOMEM: then all items are there still, and the next call tries again. */
int timeline_sort(struct timeline *timeline, timeline_compare *compare, const void *owner,
		  uint32_t *out_first);

#endif
