/* chunk - canonical bytes of a few dozen records, read in one go, so that one record costs one small read.
 *
 * Shape:   the records one after another; then per record its end offset and CRC-32C; then the count and the CRC-32C of what
 *          stands between records and it. A record larger than a chunk stands alone. docs/format.md section 5.2.
 * Limits:  CHUNK_BYTES unless one record alone is larger; CHUNK_RECORDS_MAX records.
 * Life:    what chunk_record returns borrows from the chunk's bytes.
 * Threads: pure. Blocking: never.
 * Source:  docs/format.md section 5.2. Tests: tests/unit/chunk.c, tests/fuzz/columns.c
 */
#ifndef STORE_CHUNK_H
#define STORE_CHUNK_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

#define CHUNK_BYTES       16300
#define CHUNK_RECORDS_MAX 1024

struct chunk_builder {
	uint32_t ends[CHUNK_RECORDS_MAX];
	uint32_t checks[CHUNK_RECORDS_MAX];
	size_t record_count;
	size_t start; /* where in out the chunk begins */
	struct buf *out;
};

/* Begins a chunk at the end of out, which is borrowed until chunk_builder_finish. */
void chunk_builder_begin(struct chunk_builder *builder, struct buf *out);

/* Whether a record of size bytes still goes into this chunk. An empty chunk takes any. */
bool chunk_builder_fits(const struct chunk_builder *builder, size_t size);

/* Adds a record; it must fit (asserted). What memory refuses shows as out->failed. */
void chunk_builder_add(struct chunk_builder *builder, struct str encoded);

/* Writes the directory behind the records. */
void chunk_builder_finish(struct chunk_builder *builder);

/* The record at index of a chunk that is still being built. */
struct str chunk_builder_record(const struct chunk_builder *builder, size_t index);

struct chunk {
	struct str bytes;
	size_t record_count;
	size_t records_bytes;
};

/* Reads a chunk's directory. Returns 0 or ERR_CORRUPT. */
int chunk_open(struct str bytes, struct chunk *out_chunk, struct error *err);

/* The record at index < record_count, checked. Returns 0 or ERR_CORRUPT. */
int chunk_record(const struct chunk *chunk, size_t index, struct str *out_encoded,
		 struct error *err);

#endif
