/* sizes - what a store's directory holds and what each part of it takes; and what the columns of its blocks need at least.
 *
 * Shape:   a snapshot: sizes of files as they are, counts of blocks as the catalog tells them.
 * Threads: as struct store. Blocking: disk.
 * Source:  docs/format.md sections 5, 9.7, 9.11. Tests: tests/unit/sizes.c
 */
#ifndef STORE_SIZES_H
#define STORE_SIZES_H

#include "store/block.h"
#include "store/store.h"

struct store_sizes {
	uint64_t all_bytes; /* every file in the directory */
	uint64_t head_bytes, head_records;
	uint64_t block_bytes, block_count,
		open_count;      /* that the catalog has; open ones are to be merged */
	uint64_t replaced_bytes; /* of block files that no longer count and go soon */
	uint64_t
		catalog_bytes; /* catalog.db; with the log beside it and the rest: what is left of all_bytes */
	uint64_t filter_bytes, summary_bytes, free_bytes; /* in catalog.db; free: of its pages */
	uint64_t sealed_records, of_kind[RECORD_KIND_COUNT];
	uint64_t record_bytes,
		raw_bytes; /* of the sealed records: canonical; their original lines and rows */
};

/* Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int store_sizes(struct store *store, struct store_sizes *out, struct error *err);

/* Measures blocks, at most about rows_max rows of them but at least one, evenly spread over all. The callback is told each column of each of them.
 * A block that can't be read is left out, and told in damage (its code 0: none).
 * Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
struct store_measure {
	uint64_t rows_max;
	block_measured_fn *each;
	void *owner;
};
struct store_measured {
	uint64_t block_count, all_count; /* measured, of all */
	uint64_t rows, block_bytes;      /* of those measured */
	uint64_t of_kind[RECORD_KIND_COUNT];
	struct error damage;
};
int store_measure(struct store *store, const struct store_measure *options,
		  struct store_measured *out, struct error *err);

#endif
