/* head - the recent records in the catalog: one row per committed batch, their columns, ids and chunks.
 *
 * Shape:   batches 1, 2, .. with leaves first_leaf .. first_leaf + record_count - 1 without holes between them; the row carries a
 *          CRC-32C of itself; its chunks and columns carry their own. docs/format.md section 5.2.
 * Errors:  ERR_CORRUPT names the batch; ERR_IO, ERR_NOMEM as the catalog.
 * Threads: as the catalog. Blocking: disk.
 * Source:  docs/format.md section 5.2. Tests: tests/unit/head.c
 */
#ifndef STORE_HEAD_H
#define STORE_HEAD_H

#include "store/catalog.h"
#include "store/chunk.h"

struct head_batch {
	uint64_t batch;
	uint64_t first_leaf;
	uint64_t record_count;
	int64_t min_time_ns, max_time_ns;
	int64_t ingest_ns;
	unsigned kinds; /* bit k: has a record of kind k */
	uint64_t record_bytes;
};

/* Adds the row of a batch; its blobs; one chunk of its records. All within the caller's transaction. */
int head_put_batch(struct catalog *catalog, const struct head_batch *batch, struct error *err);
int head_put_columns(struct catalog *catalog, uint64_t batch, struct str columns, struct str ids,
		     struct error *err);
int head_put_chunk(struct catalog *catalog, uint64_t first_leaf, struct str chunk,
		   struct error *err);

/* The batch that holds a leaf, by a HEAD_AT statement. Returns 0, ERR_GONE or ERR_CORRUPT. */
int head_batch_of(struct catalog *catalog, sqlite3_stmt *statement, uint64_t leaf,
		  struct head_batch *out_batch, struct error *err);

/* The chunk that holds a leaf, by a RECORDS_AT statement, on whose row it stays: out_bytes borrows until the statement is
 * reset. Returns 0, ERR_GONE or ERR_CORRUPT. */
struct head_chunk {
	uint64_t first_leaf;
	struct chunk chunk;
};
int head_chunk_of(struct catalog *catalog, sqlite3_stmt *statement, uint64_t leaf,
		  struct head_chunk *out_chunk, struct error *err);

/* The last batch. Returns 0, or ERR_GONE when there is none yet. */
int head_last(struct catalog *catalog, struct head_batch *out_batch, struct error *err);

/* The row that a HEAD_FROM statement stands on, checked. Returns 0 or ERR_CORRUPT. */
int head_read_row(struct catalog *catalog, sqlite3_stmt *statement, struct head_batch *out_batch,
		  struct error *err);

#endif
