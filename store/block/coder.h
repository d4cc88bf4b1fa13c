/* coder - chooses how the columns of one kind are coded and writes them.
 *
 * Shape:   statements first, since much follows from their templates; then columns of few distinct values, the finest first, each given what
 *          makes it smallest; then other texts; then numbers. What follows from another column costs nothing and is never what others are given.
 * Threads: one per thread. Tests: tests/unit/block.c
 */
#ifndef STORE_BLOCK_CODER_H
#define STORE_BLOCK_CODER_H

#include "store/block/gather.h"

#define CODER_GIVEN_MAX 24

struct coder {
	struct layout *layout;
	struct streams_writer *streams;
	uint16_t given[RECORD_KIND_COUNT]
		      [CODER_GIVEN_MAX]; /* columns that others may be given, by kind */
	size_t given_count[RECORD_KIND_COUNT];
	const struct gather *requests; /* of the same block, or NULL */
	uint16_t route;                /* the column of the requests' routes, or LAYOUT_NONE */
};

/* Writes all columns of a gather and adds them to the layout, which has room. Returns 0, -ERR_LIMIT or -ERR_NOMEM. */
int coder_put(struct coder *coder, struct gather *gather);

#endif
