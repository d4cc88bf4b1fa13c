/* groups - an order of values in which those of one bucket stand together.
 *
 * Shape:   order[i] is the place of the i-th value; buckets rise, values of one bucket keep their order. Group g is order[ends[g - 1]..ends[g]).
 * Limits:  linear in time and memory whatever the bucket numbers are.
 * Threads: pure. Blocking: never. Tests: tests/unit/groups.c
 */
#ifndef STORE_BLOCK_GROUPS_H
#define STORE_BLOCK_GROUPS_H

#include <stddef.h>
#include <stdint.h>

struct groups {
	uint32_t *order; /* NULL: as they stand */
	uint32_t *ends;
	size_t count; /* of groups; 0 without values */
};

/* Groups values by bucket; NULL: all in one. count <= UINT32_MAX. Returns 0 or -ERR_NOMEM, then groups is empty. */
int groups_make(const uint32_t *bucket, size_t count, struct groups *out);
void groups_done(struct groups *groups);

#endif
