/* parcel - records of a batch as canonical bytes, in pieces that fit a frame and memory.
 *
 * Shape:   a batch is sent as one or more parcels of at most PARCEL_BYTES (or one record); only the last one carries the next
 *          cursor, so that a crash between them replays the batch.
 * Limits:  a record that the codec refuses becomes a reject record with its reason and the first 64 KiB of its raw bytes.
 * Threads: one per process. Blocking: never. Tests: tests/unit/parcel.c
 */
#ifndef COLLECTOR_PARCEL_H
#define COLLECTOR_PARCEL_H

#include "base/arena.h"
#include "model/feed.h"
#include "model/record.h"

#define PARCEL_BYTES (2u << 20)

struct parcel {
	struct buf bytes;
	size_t *ends; /* FEED_BATCH_RECORDS offsets: where each record's bytes end */
	struct str *records;
	size_t count;
};

/* Returns 0 or ERR_NOMEM. */
int parcel_init(struct parcel *parcel, struct error *err);
void parcel_done(struct parcel *parcel);

/* Fills the parcel with records[*io_next..], as many as fit, and moves *io_next behind them. What was in it is gone.
 * Returns 0, or ERR_INPUT when a record has no usable source or key (a bug of its source, or a hostile name). */
int parcel_fill(struct parcel *parcel, const struct record *records, size_t record_count,
		size_t *io_next, struct error *err);

#endif
