#include "store/block/groups.h"

#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)

/* Buckets are numbered densely enough for a count of each. */
static int by_counting(const uint32_t *bucket, size_t count, uint32_t max, struct groups *out)
{
	uint32_t *next = calloc((size_t)max + 2, sizeof(*next));
	if (next == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		next[bucket[i] + 1]++;
	}
	for (size_t b = 0; b <= max; b++) {
		if (next[b + 1] != 0) {
			out->ends[out->count] = next[b] + next[b + 1];
			out->count++;
		}
		next[b + 1] += next[b];
	}
	for (size_t i = 0; i < count; i++) {
		out->order[next[bucket[i]]++] = (uint32_t)i;
	}
	free(next);
	return 0;
}

/* One pass of the radix sort: from -> to by the digit at shift. */
static void pass(const uint32_t *bucket, size_t count, unsigned shift, uint32_t *const orders[2])
{
	uint32_t next[DIGITS] = {0};
	for (size_t i = 0; i < count; i++) {
		next[bucket[i] >> shift & (DIGITS - 1)]++;
	}
	uint32_t sum = 0;
	for (size_t d = 0; d < DIGITS; d++) {
		uint32_t here = next[d];
		next[d] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t at = orders[0] != NULL ? orders[0][i] : (uint32_t)i;
		orders[1][next[bucket[at] >> shift & (DIGITS - 1)]++] = at;
	}
}

static int by_radix(const uint32_t *bucket, size_t count, struct groups *out)
{
	uint32_t *other = malloc(count * sizeof(*other));
	if (other == NULL) {
		return -ERR_NOMEM;
	}
	pass(bucket, count, 0, (uint32_t *const[2]){NULL, out->order});
	pass(bucket, count, DIGIT_BITS, (uint32_t *const[2]){out->order, other});
	pass(bucket, count, 2 * DIGIT_BITS, (uint32_t *const[2]){other, out->order});
	free(other);
	for (size_t i = 1; i < count; i++) {
		if (bucket[out->order[i]] != bucket[out->order[i - 1]]) {
			out->ends[out->count++] = (uint32_t)i;
		}
	}
	out->ends[out->count++] = (uint32_t)count;
	return 0;
}

static void range_of(const uint32_t *bucket, size_t count, uint32_t *out_min, uint32_t *out_max)
{
	*out_min = UINT32_MAX;
	*out_max = 0;
	for (size_t i = 0; i < count; i++) {
		*out_max = bucket[i] > *out_max ? bucket[i] : *out_max;
		*out_min = bucket[i] < *out_min ? bucket[i] : *out_min;
	}
}

static int make_one(size_t count, struct groups *out)
{
	out->ends = malloc(sizeof(*out->ends));
	if (out->ends == NULL) {
		return -ERR_NOMEM;
	}
	out->ends[0] = (uint32_t)count;
	out->count = 1;
	return 0;
}

int groups_make(const uint32_t *bucket, size_t count, struct groups *out)
{
	uint32_t min = 0, max = 0;
	*out = (struct groups){.order = NULL};
	if (count == 0) {
		return 0;
	}
	if (bucket != NULL) {
		range_of(bucket, count, &min, &max);
	}
	if (min == max) {
		return make_one(count, out);
	}
	out->ends = malloc(count * sizeof(*out->ends));
	out->order = malloc(count * sizeof(*out->order));
	int result = -ERR_NOMEM;
	if (out->ends != NULL && out->order != NULL) {
		result = max / 2 <= count + 1024 ? by_counting(bucket, count, max, out)
						 : by_radix(bucket, count, out);
	}
	if (result != 0) {
		groups_done(out);
	}
	return result;
}

void groups_done(struct groups *groups)
{
	free(groups->order);
	free(groups->ends);
	*groups = (struct groups){.order = NULL};
}
