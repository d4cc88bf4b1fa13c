/* sealed-world - blocks in memory with what a small world has sealed, laid out at random, and a recall over them.
 *
 * Threads: one per thread. Tests: used by tests/simulation/sealed-keeper.c and tests/unit/recall.c
 */
#ifndef TESTS_SIMULATION_SEALED_WORLD_H
#define TESTS_SIMULATION_SEALED_WORLD_H

#include "store/recall.h"

#define SEALED_BLOCKS 3

struct sealed_block {
	struct buf bytes, filters[2];
	struct block *block;
	char name[32];
};

struct sealed_world {
	struct sealed_block blocks[SEALED_BLOCKS];
	struct recall_block list[SEALED_BLOCKS];
	size_t count;
	uint64_t number; /* of the newest block */
	struct recall *recall;
	bool closed; /* says that no block is open */
};

struct sealed_record {
	uint64_t leaf;
	struct str encoded;
};

/* Makes a world without blocks; it must not move. */
void sealed_world_init(struct sealed_world *world);

/* Frees it. */
void sealed_world_done(struct sealed_world *world);

/* Lays all records out anew, in up to SEALED_BLOCKS blocks as the seed has it. */
void sealed_world_lay(struct sealed_world *world, const struct sealed_record *records, size_t count,
		      uint64_t seed);

#endif
