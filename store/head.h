/* head - the recent records in the catalog: one row per committed batch, which says where its bytes stand and what they must be.
 *
 * Shape:   batches 1, 2, .. with leaves first_leaf .. first_leaf + record_count - 1 without holes between them; the row carries a
 *          CRC-32C of itself and those of the extent's parts (store/extent.h). docs/format.md section 5.1.
 * Errors:  ERR_CORRUPT names the batch; ERR_IO, ERR_NOMEM as the catalog.
 * Threads: as the catalog. Blocking: disk.
 * Source:  docs/format.md section 5.1. Tests: tests/unit/head.c
 */
#ifndef STORE_HEAD_H
#define STORE_HEAD_H

#include "store/catalog.h"

/* Where a batch's bytes stand: chunks, chunk index, columns, ids, one behind the other. */
struct head_extent {
	uint32_t segment;
	uint64_t start;
	uint64_t chunks_bytes;
	uint32_t chunk_count;
	uint32_t columns_bytes, ids_bytes;
	uint32_t index_crc; /* of the chunk index */
	uint32_t columns_crc,
		ids_crc; /* of the directories of the two blobs, as the blobs say themselves */
};

struct head_batch {
	uint64_t batch;
	uint64_t first_leaf;
	uint64_t record_count;
	int64_t min_time_ns, max_time_ns;
	int64_t ingest_ns;
	unsigned kinds; /* bit k: has a record of kind k */
	uint64_t record_bytes;
	struct head_extent extent;
};

/* Adds the row of a batch, within the caller's transaction. */
int head_put_batch(struct catalog *catalog, const struct head_batch *batch, struct error *err);

/* The batch that holds a leaf, by a HEAD_AT statement. Returns 0, ERR_GONE or ERR_CORRUPT. */
int head_batch_of(struct catalog *catalog, sqlite3_stmt *statement, uint64_t leaf,
		  struct head_batch *out_batch, struct error *err);

/* The first batch that is still here, and the last one. Return 0, or ERR_GONE when there is none. */
int head_first(struct catalog *catalog, struct head_batch *out_batch, struct error *err);
int head_last(struct catalog *catalog, struct head_batch *out_batch, struct error *err);

/* Takes away the rows of the batches whose leaves all lie below end, within the caller's transaction; next_leaf, the number of the last batch and the place
 * of the next one stay known (meta), also when no batch is left. The segments that no batch needs any more are deleted by the sweep of blocks. */
int head_remove(struct catalog *catalog, uint64_t end, int64_t now_ns, struct error *err);

/* Where the head ended when batches were last taken away; ERR_GONE: none ever were. */
struct head_end {
	uint64_t batch;   /* the last one's number */
	uint64_t leaf;    /* behind its last record */
	uint32_t segment; /* in which it stood */
	uint64_t begin;   /* the leaf that the head begins at since then */
};
int head_removed_last(struct catalog *catalog, struct head_end *out_end, struct error *err);

/* The row that a HEAD_FROM statement stands on, checked. Returns 0 or ERR_CORRUPT. */
int head_read_row(struct catalog *catalog, sqlite3_stmt *statement, struct head_batch *out_batch,
		  struct error *err);

#endif
