/* tree - the nodes of the log that are kept, and the tree as it grows with each commit.
 *
 * Shape:   tile (level L >= 1, number n) holds the hashes of the nodes of height 8 L with numbers 256 n to 256 n + 255, as many as are complete; those of level 1 also a locator each
 *          (store/log/locator.h). What is below height 8 follows from the records. The state is the size, the peaks and the locator of the group that is not full.
 * Commit:  tree_save writes within the transaction of the records. After a rollback: tree_load again.
 * Errors:  ERR_CORRUPT names the tile; the state must agree with the tiles. ERR_IO, ERR_NOMEM.
 * Threads: one per thread. Blocking: load, save and read. Source: docs/format.md section 11.3; C2SP tlog-tiles. Tests: tests/unit/tree.c
 */
#ifndef STORE_LOG_TREE_H
#define STORE_LOG_TREE_H

#include "store/catalog.h"
#include "store/log/locator.h"

#define TREE_LEVEL_BITS 8
#define TREE_TILE       256 /* hashes */
#define TREE_LEVELS     6   /* 1 to 6: 2^48 leaves and more */

struct tree_tile {
	uint64_t number;
	size_t count;
	struct merkle_hash hashes[TREE_TILE];
	uint8_t locators[TREE_TILE][LOCATOR_BYTES]; /* level 1 only */
};

struct tree;

/* Makes the state of a new log, within the caller's transaction. */
int tree_create(struct catalog *catalog, struct error *err);

/* Reads the tree as committed. */
int tree_load(struct catalog *catalog, struct tree **out_tree, struct error *err);
void tree_free(struct tree *tree); /* NULL is fine */

/* Adds a leaf. Returns 0 or ERR_NOMEM (then only load again helps). */
int tree_add(struct tree *tree, const struct merkle_hash *leaf);

/* Writes what was added. */
int tree_save(struct tree *tree, struct catalog *catalog, struct error *err);

/* How the tree is now, added leaves included. */
void tree_head(const struct tree *tree, struct merkle_head *out);
const struct merkle_range *tree_range(const struct tree *tree);

/* Reads a tile. Returns 0, ERR_GONE (there is none) or ERR_CORRUPT. */
int tree_read_tile(struct catalog *catalog, unsigned level, uint64_t number, struct tree_tile *out,
		   struct error *err);

/* Reads the state alone: size, peaks, and the locator of the last group as far as it goes. */
int tree_read_state(struct catalog *catalog, struct merkle_range *out, struct locator *out_open,
		    struct error *err);

#endif
