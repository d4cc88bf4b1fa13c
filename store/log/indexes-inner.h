/* indexes-inner - what the parts of a check of indexes share; for store/log/indexes*.c only.
 *
 * Threads: one per thread. Tests: tests/unit/indexes.c
 */
#ifndef STORE_LOG_INDEXES_INNER_H
#define STORE_LOG_INDEXES_INNER_H

#include "store/handle.h"
#include "store/log/indexes.h"
#include "store/summary.h"

struct indexes {
	struct store *store; /* with a snapshot */
	const struct indexes_options *options;
	struct indexes_result result;
	uint8_t *seen; /* a bit per leaf */
	uint64_t leaf_count, total;
	struct buf record;
	struct buf made, stored; /* blobs to compare */
};

/* Where a finding belongs. */
struct indexes_place {
	uint64_t block, batch, first, last;
};

/* Tells a finding; the block or batch is put before the sentence. */
void indexes_tell(struct indexes *indexes, const struct indexes_place *place, const char *format,
		  ...) __attribute__((format(printf, 3, 4)));

/* Tells that something could not be read, when that is what err says; returns 0 then, else rc. */
int indexes_pass(struct indexes *indexes, const struct indexes_place *place, int rc,
		 struct error *err);

/* A leaf has a record here; one that it has elsewhere too is told. */
void indexes_see(struct indexes *indexes, const struct indexes_place *place, uint64_t leaf);

/* So many records were looked at. Returns 0 or ERR_CANCELLED. */
int indexes_step(struct indexes *indexes, uint64_t records, struct error *err);

/* One block, one batch, all summaries of several blocks. Return 0 also when something was found. */
int indexes_block(struct indexes *indexes, const struct blocks_row *row, struct error *err);
int indexes_batch(struct indexes *indexes, const struct head_batch *batch, struct error *err);
int indexes_rollups(struct indexes *indexes, struct error *err);

/* The name of the first column of which one summary says other than `made`; NULL: none. A column of which it says nothing is fine. */
const char *indexes_compare(const struct summary *stored, const struct summary *made);

#endif
