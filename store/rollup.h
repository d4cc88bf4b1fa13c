/* rollup - summaries of several whole blocks together, so that a grouping over many blocks reads few of them.
 *
 * Shape:   eight whole blocks that have none yet, in the order of their numbers, get one of level 1; eight of level 1 one of level 2, and so on. Each
 *          tells the numbers of its blocks. It counts for a question only when the question asks for all of them, so that one whose blocks were merged or
 *          removed since is of no use, but never wrong; rollup_forget takes it away with the block, so that nothing of a record outlives it.
 * Errors:  one that is damaged is passed over: the summaries of its blocks still say what it says.
 * Threads: one per thread. Blocking: disk. Source: docs/format.md section 9.9. Tests: tests/unit/rollup.c
 */
#ifndef STORE_ROLLUP_H
#define STORE_ROLLUP_H

#include "store/catalog.h"
#include "store/summary.h"

#define ROLLUP_OF     8
#define ROLLUP_LEVELS 6 /* 262,144 blocks */

/* Writer: makes those that can be made, within the caller's transaction when there is one. What can't be read is left out. Returns 0,
 * ERR_IO or ERR_NOMEM. */
int rollup_update(struct catalog *catalog, const uint8_t *key, struct error *err);

/* Writer: takes those away that a block is in. */
int rollup_forget(struct catalog *catalog, uint64_t number, struct error *err);

/* Reader: calls back with each whose blocks are all among numbers (uint64_t, rising), those of most blocks first; when the callback says that
 * it took it, its blocks are taken out of numbers. Returns 0, what the callback returns, ERR_IO or ERR_NOMEM. */
typedef int rollup_fn(void *owner, const struct summary *summary, size_t block_count,
		      bool *out_taken, struct error *err);
struct rollup_ask {
	struct buf *numbers;
	struct summary_asked asked; /* its columns; number, bytes and key are filled in */
	const uint8_t *key;
	rollup_fn *each;
	void *owner;
};
int rollup_ask(struct catalog *catalog, const struct rollup_ask *ask, struct error *err);

/* Reader: calls back with each that can be read. Returns as rollup_ask. */
struct rollup_seen {
	const uint64_t *numbers; /* of its blocks, rising */
	size_t count;
	const struct summary *summary;
};
typedef int rollup_seen_fn(void *owner, const struct rollup_seen *seen, struct error *err);
int rollup_walk(struct catalog *catalog, const uint8_t *key, rollup_seen_fn *each, void *owner,
		struct error *err);

#endif
