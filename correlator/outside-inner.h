/* outside-inner - what the parts of outside (correlator/outside.h) have in common: answers (outside.c) and visits (outside-visit.c).
 *
 * Threads: the writer's. Blocking: disk. Tests: tests/simulation/sealed-keeper.c
 */
#ifndef CORRELATOR_OUTSIDE_INNER_H
#define CORRELATOR_OUTSIDE_INNER_H

#include "correlator/outside.h"

struct outside {
	struct recall *recall;
	struct join *join;
	const struct recall_block *blocks;
	size_t block_count;
	const struct join_want *wants;
	size_t want_count;
	bool *here; /* of each want by id: whether the block at hand may hold it */
};

/* Over the blocks as they are listed now. */
struct outside outside_of(struct recall *recall, struct join *join);

/* A block that became unreadable meanwhile has nothing to give. */
int outside_unless_gone(int rc, struct error *err);

struct found_verdict {
	struct recall_row at; /* row: BLOCK_NO_ROW when there is none */
	uint32_t note;
};

/* The newest verdict on a leaf in the block at a place, if it is newer than *best. */
int outside_find_verdict(struct outside *outside, size_t place, uint64_t leaf,
			 struct found_verdict *best, struct error *err);

/* Gives one row back, with the newest verdict on it. */
int outside_give(struct outside *outside, const struct join_want *want, struct recall_row row,
		 struct error *err);

#endif
