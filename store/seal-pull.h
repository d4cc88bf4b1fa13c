/* seal-pull - which other blocks a seal should take in, since verdicts among its records speak of much that is in them.
 *
 * Rule:    a block is wanted when verdicts name at least one of SEAL_PULL_SHARE of its rows as their subject or its request, and it does not wait for
 *          more of the same: it is closed, or lies before settled_ns, or everything is laid out at once (close).
 * Rough:   what is in a block goes by its spans. A block too many costs time, one too few some bytes.
 * Threads: pure. Blocking: never. Tests: tests/unit/seal-pull.c
 */
#ifndef STORE_SEAL_PULL_H
#define STORE_SEAL_PULL_H

#include "store/blocks.h"
#include "store/seal-plan.h"

#define SEAL_PULL_SHARE 16

struct seal_pull {
	const struct seal_item *items; /* of the seal so far */
	size_t count;
	const struct blocks_list *blocks;
	const uint64_t *taken; /* numbers of blocks that it has, any order */
	size_t taken_count;
	int64_t settled_ns;
	bool close;
	uint64_t rows_max; /* of all wanted blocks together */
};

/* The numbers of the wanted blocks, rising; malloc'ed, *out_numbers is to be freed. Returns 0 or -ERR_NOMEM. */
int seal_pull_find(const struct seal_pull *pull, uint64_t **out_numbers, size_t *out_count);

#endif
