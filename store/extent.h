/* extent - the bytes of one committed batch in its segment, and how one of its records is found there.
 *
 * Shape:   chunks (store/chunk.h) one behind the other; the chunk index; the columns blob; the ids blob (store/columns.h).
 *          The index has an entry per chunk: its first row, its end, and the checksum that its directory carries. The catalog's row has the
 *          checksums of the index and of the blobs' directories, so each byte hangs on the row, and bytes of another batch
 *          that stand in this place are damage like any other.
 * Life:    what is found borrows from the extent_reader until it is moved or closed.
 * Errors:  ERR_CORRUPT names segment and leaf.
 * Threads: one reader per thread. Blocking: disk.
 * Source:  docs/format.md section 5.2. Tests: tests/unit/extent.c
 */
#ifndef STORE_EXTENT_H
#define STORE_EXTENT_H

#include "store/chunk.h"
#include "store/head.h"
#include "store/segments.h"

#define EXTENT_INDEX_ENTRY 12

/* Appends an entry of the chunk index.
 *   first_row  of the chunk's records, counted in the batch
 *   chunk      its bytes
 *   end        where it ends, counted from the first chunk's start */
void extent_put_index(struct buf *index, uint32_t first_row, struct str chunk, uint32_t end);

/* Where the parts of a batch stand. */
struct segment_span extent_columns(const struct head_batch *batch);
struct segment_span extent_ids(const struct head_batch *batch);

/* The byte behind the last one of a batch. */
uint64_t extent_end(const struct head_batch *batch);

/* The chunk index of one batch. */
struct extent_index {
	struct head_batch batch; /* record_count 0: none is loaded */
	struct buf bytes;
};

/* Prepares an index without a batch; gives its memory back. */
void extent_index_init(struct extent_index *index);
void extent_index_done(struct extent_index *index);

/* Loads and checks the index of a batch, unless it is the loaded one. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int extent_index_load(struct extent_index *index, struct segments *segments,
		      const struct head_batch *batch, struct error *err);

/* Where one chunk stands. */
struct extent_chunk {
	uint64_t first_leaf;
	size_t record_count;
	struct segment_span span;
	uint32_t crc; /* of its directory */
};

/* The chunk of a leaf of the loaded batch (asserted). */
struct extent_chunk extent_index_find(const struct extent_index *index, uint64_t leaf);

/* Reads a chunk into room, which has place->span.len bytes, and checks that it is the right one. */
int extent_chunk_read(struct segments *segments, const struct extent_chunk *place, char *room,
		      struct chunk *out_chunk, struct error *err);

/* The same for bytes that were read with others. */
int extent_chunk_open(const struct segments *segments, const struct extent_chunk *place,
		      const char *bytes, struct chunk *out_chunk, struct error *err);

/* Records at random, by leaf. */
struct extent_reader {
	struct catalog *catalog;   /* borrowed */
	struct segments *segments; /* borrowed */
	sqlite3_stmt *batch_at;    /* prepared at the first use */
	struct extent_index index;
	struct buf bytes;          /* the chunk's */
	struct extent_chunk place; /* record_count 0: none */
	struct chunk chunk;
};

/* Prepares; reads nothing. Catalog and segments are borrowed until extent_reader_done. */
void extent_reader_init(struct extent_reader *reader, struct catalog *catalog,
			struct segments *segments);
void extent_reader_done(struct extent_reader *reader);

/* Whether the chunk that the reader stands on has the leaf. */
static inline bool extent_reader_holds(const struct extent_reader *reader, uint64_t leaf)
{
	return leaf >= reader->place.first_leaf &&
	       leaf - reader->place.first_leaf < reader->place.record_count;
}

/* The canonical bytes of a committed leaf, borrowed until the next call, and its batch (NULL: not wanted), likewise. Cheap when
 * leaves come in rising order. Returns 0, ERR_GONE (the catalog has no such leaf), ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int extent_reader_get(struct extent_reader *reader, uint64_t leaf, struct str *out_encoded,
		      const struct head_batch **out_batch, struct error *err);

#endif
