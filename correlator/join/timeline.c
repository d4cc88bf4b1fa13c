#include "correlator/join/timeline.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct order {
	timeline_compare *compare;
	const void *owner;
};

void timeline_done(struct timeline *timeline)
{
	free(timeline->at);
	*timeline = (struct timeline){0};
}

int timeline_push(struct timeline *timeline, uint32_t index)
{
	if (timeline->count == timeline->capacity) {
		uint32_t capacity = timeline->capacity < 8 ? 8 : timeline->capacity;
		if (capacity > UINT32_MAX / 2 ||
		    (timeline->capacity != 0 && capacity > UINT32_MAX - capacity / 2)) {
			return -ERR_NOMEM;
		}
		capacity = timeline->capacity == 0 ? capacity : capacity + capacity / 2;
		uint32_t *at = realloc(timeline->at, capacity * sizeof *at);
		if (at == NULL) {
			return -ERR_NOMEM;
		}
		timeline->at = at;
		timeline->capacity = capacity;
	}
	timeline->at[timeline->count++] = index;
	return 0;
}

static int compare_indexes(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	return order->compare(*(const uint32_t *)a, *(const uint32_t *)b, order->owner);
}

/* The first position in the sorted part whose item comes after index. */
static uint32_t upper_bound(const struct timeline *timeline, const struct order *order,
			    uint32_t index)
{
	uint32_t low = 0, high = timeline->sorted;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (order->compare(timeline->at[middle], index, order->owner) <= 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void merge(struct timeline *timeline, const struct order *order, const uint32_t *tail,
		  uint32_t tail_count)
{
	uint32_t left = timeline->sorted, right = tail_count, to = timeline->count;
	while (right > 0) {
		if (left > 0 &&
		    order->compare(timeline->at[left - 1], tail[right - 1], order->owner) > 0) {
			timeline->at[--to] = timeline->at[--left];
		} else {
			timeline->at[--to] = tail[--right];
		}
	}
}

int timeline_sort(struct timeline *timeline, timeline_compare *compare, const void *owner,
		  uint32_t *out_first)
{
	struct order order = {.compare = compare, .owner = owner};
	uint32_t from = timeline->sorted, tail_count = timeline->count - from;
	uint32_t position = from > 0 ? from : 1;
	while (position < timeline->count &&
	       compare(timeline->at[position - 1], timeline->at[position], owner) <= 0) {
		position++;
	}
	if (position >= timeline->count) {
		timeline->sorted = timeline->count;
		*out_first = from;
		return 0;
	}
	uint32_t *tail = malloc(tail_count * sizeof *tail);
	if (tail == NULL) {
		return -ERR_NOMEM;
	}
	memcpy(tail, timeline->at + from, tail_count * sizeof *tail);
	qsort_r(tail, tail_count, sizeof *tail, compare_indexes, &order);
	*out_first = upper_bound(timeline, &order, tail[0]);
	merge(timeline, &order, tail, tail_count);
	timeline->sorted = timeline->count;
	free(tail);
	return 0;
}
