/* blocks-inner - the list of blocks and those that are open: what its files share.
 *
 * Threads: one per thread. Tests: tests/unit/blocks.c
 */
#ifndef STORE_BLOCKS_INNER_H
#define STORE_BLOCKS_INNER_H

#include "store/blocks.h"
#include "store/id-filter.h"

/* A span and whose it is; sorted by first. */
struct blocks_place {
	struct blocks_span span;
	uint64_t reach; /* the largest last of this one and all before it */
	size_t row;     /* in the list */
};

struct blocks_opened {
	uint64_t number; /* 0: none */
	struct block *block;
	int fd;
	uint64_t used;
	unsigned pins; /* of scans that stand on it */
};

/* The filters of a block that was asked for twice: who asks once, as a command does, needs them in memory one after the other only. */
struct blocks_filters {
	char *kept[2]; /* by BLOCKS_FILTER_IDS and _RECORDS; NULL: not kept */
	struct id_filter filter[2];
	bool was_asked[2];
};

struct blocks {
	const char *dir;
	struct catalog *catalog;
	const uint8_t *key;
	bool loaded;
	uint64_t changes; /* of the list that is loaded */
	struct blocks_list list;
	struct arena spans;  /* of the list */
	struct error damage; /* of the first row that could not be read */
	struct blocks_place *places;
	size_t place_count;
	struct blocks_filters *filters; /* per row of the list; NULL: none was asked for */
	size_t filter_bytes;            /* that are kept */
	struct buf filter;              /* the one that was read last */
	struct blocks_opened open[BLOCKS_OPEN_MAX];
	uint64_t uses;
	struct gauge *gauge;
};

/* Closes a block; nothing when none is open there. */
void blocks_close_one(struct blocks_opened *opened);

#endif
