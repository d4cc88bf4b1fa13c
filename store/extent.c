#include "store/extent.h"

#include "base/wire.h"
#include "store/checksum.h"

#include <assert.h>
#include <endian.h>

static uint32_t u32_at(const char *at)
{
	uint32_t value = 0;
	memcpy(&value, at, sizeof value);
	return le32toh(value);
}

void extent_put_index(struct buf *index, uint32_t first_row, struct str chunk, uint32_t end)
{
	wire_put_u32(index, first_row);
	wire_put_u32(index, end);
	buf_put(index, chunk.ptr + chunk.len - 4, 4); /* the chunk's own checksum ends it */
}

static uint64_t index_start(const struct head_extent *extent)
{
	return extent->start + extent->chunks_bytes;
}

static uint64_t columns_start(const struct head_extent *extent)
{
	return index_start(extent) + (uint64_t)extent->chunk_count * EXTENT_INDEX_ENTRY;
}

struct segment_span extent_columns(const struct head_batch *batch)
{
	const struct head_extent *extent = &batch->extent;
	return (struct segment_span){.number = extent->segment,
				     .offset = columns_start(extent),
				     .len = extent->columns_bytes};
}

struct segment_span extent_ids(const struct head_batch *batch)
{
	const struct head_extent *extent = &batch->extent;
	return (struct segment_span){.number = extent->segment,
				     .offset = columns_start(extent) + extent->columns_bytes,
				     .len = extent->ids_bytes};
}

uint64_t extent_end(const struct head_batch *batch)
{
	struct segment_span last = extent_ids(batch);
	return last.offset + last.len;
}

void extent_index_init(struct extent_index *index)
{
	index->batch.record_count = 0;
	buf_init(&index->bytes, 0);
}

void extent_index_done(struct extent_index *index)
{
	buf_done(&index->bytes);
}

/* Whether rows and ends rise from entry to entry within the batch. */
static bool is_sound(const struct extent_index *index, const struct head_batch *batch)
{
	const struct head_extent *extent = &batch->extent;
	const char *at = index->bytes.ptr;
	uint64_t row = 0;
	uint64_t end = 0;
	for (size_t i = 0; i < extent->chunk_count; i++, at += EXTENT_INDEX_ENTRY) {
		uint32_t this_row = u32_at(at);
		uint32_t this_end = u32_at(at + 4);
		bool rises = i == 0 ? this_row == 0 : this_row > row;
		if (!rises || this_end <= end || this_row >= batch->record_count) {
			return false;
		}
		row = this_row;
		end = this_end;
	}
	return end == extent->chunks_bytes;
}

int extent_index_load(struct extent_index *index, struct segments *segments,
		      const struct head_batch *batch, struct error *err)
{
	const struct head_extent *extent = &batch->extent;
	if (index->batch.record_count != 0 && index->batch.batch == batch->batch) {
		return 0;
	}
	index->batch.record_count = 0;
	struct segment_span span = {.number = extent->segment,
				    .offset = index_start(extent),
				    .len = (size_t)extent->chunk_count * EXTENT_INDEX_ENTRY};
	int rc = segments_read_buf(segments, &span, &index->bytes, err);
	if (rc == 0 && (checksum_crc32c(buf_str(&index->bytes)) != extent->index_crc ||
			!is_sound(index, batch))) {
		rc = error_set(err, ERR_CORRUPT, "the chunk index is damaged");
		(void)segments_blame(segments, extent->segment, err, rc);
	}
	if (rc < 0) {
		error_prefix(err, "batch %llu (leaves %llu to %llu)",
			     (unsigned long long)batch->batch,
			     (unsigned long long)batch->first_leaf,
			     (unsigned long long)(batch->first_leaf + batch->record_count - 1));
		return rc;
	}
	index->batch = *batch;
	return 0;
}

struct extent_chunk extent_index_find(const struct extent_index *index, uint64_t leaf)
{
	const struct head_batch *batch = &index->batch;
	assert(leaf >= batch->first_leaf && leaf - batch->first_leaf < batch->record_count);
	uint32_t row = (uint32_t)(leaf - batch->first_leaf);
	size_t low = 0; /* the last entry that does not begin behind the row */
	size_t high = batch->extent.chunk_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (u32_at(index->bytes.ptr + middle * EXTENT_INDEX_ENTRY) <= row) {
			low = middle;
		} else {
			high = middle;
		}
	}
	const char *entry = index->bytes.ptr + low * EXTENT_INDEX_ENTRY;
	uint32_t first_row = u32_at(entry);
	uint64_t next_row = low + 1 < batch->extent.chunk_count ? u32_at(entry + EXTENT_INDEX_ENTRY)
								: batch->record_count;
	uint32_t start = low > 0 ? u32_at(entry - EXTENT_INDEX_ENTRY + 4) : 0;
	return (struct extent_chunk){
		.first_leaf = batch->first_leaf + first_row,
		.record_count = (size_t)(next_row - first_row),
		.span = {.number = batch->extent.segment,
			 .offset = batch->extent.start + start,
			 .len = u32_at(entry + 4) - start},
		.crc = u32_at(entry + 8),
	};
}

static int name_leaves(const struct extent_chunk *place, struct error *err, int rc)
{
	error_prefix(err, "leaves %llu to %llu", (unsigned long long)place->first_leaf,
		     (unsigned long long)(place->first_leaf + place->record_count - 1));
	return rc;
}

int extent_chunk_open(const struct segments *segments, const struct extent_chunk *place,
		      const char *bytes, struct chunk *out_chunk, struct error *err)
{
	struct chunk chunk = {0};
	int rc = chunk_open(str_make(bytes, place->span.len), &chunk, err);
	if (rc == 0 && (chunk.record_count != place->record_count ||
			u32_at(bytes + place->span.len - 4) != place->crc)) {
		rc = error_set(err, ERR_CORRUPT, "another chunk stands where this one should");
	}
	if (rc < 0) {
		(void)segments_blame(segments, place->span.number, err, rc);
		return name_leaves(place, err, rc);
	}
	*out_chunk = chunk;
	return 0;
}

int extent_chunk_read(struct segments *segments, const struct extent_chunk *place, char *room,
		      struct chunk *out_chunk, struct error *err)
{
	int rc = segments_read(segments, &place->span, room, err);
	return rc < 0 ? name_leaves(place, err, rc)
		      : extent_chunk_open(segments, place, room, out_chunk, err);
}

void extent_reader_init(struct extent_reader *reader, struct catalog *catalog,
			struct segments *segments)
{
	*reader = (struct extent_reader){.catalog = catalog, .segments = segments};
	extent_index_init(&reader->index);
	buf_init(&reader->bytes, 0);
}

void extent_reader_done(struct extent_reader *reader)
{
	(void)sqlite3_finalize(reader->batch_at); /* repeats an error that was told */
	reader->batch_at = NULL;
	extent_index_done(&reader->index);
	buf_done(&reader->bytes);
}

/* Loads the index of the batch that holds a leaf. */
static int go_to_batch(struct extent_reader *reader, uint64_t leaf, struct error *err)
{
	const struct head_batch *loaded = &reader->index.batch;
	if (loaded->record_count != 0 && leaf >= loaded->first_leaf &&
	    leaf - loaded->first_leaf < loaded->record_count) {
		return 0;
	}
	int rc = 0;
	if (reader->batch_at == NULL) {
		rc = catalog_prepare(reader->catalog, CATALOG_HEAD_AT, &reader->batch_at, err);
	}
	struct head_batch batch;
	rc = rc < 0 ? rc : head_batch_of(reader->catalog, reader->batch_at, leaf, &batch, err);
	return rc < 0 ? rc : extent_index_load(&reader->index, reader->segments, &batch, err);
}

static int go_to_chunk(struct extent_reader *reader, uint64_t leaf, struct error *err)
{
	struct extent_chunk *place = &reader->place;
	if (extent_reader_holds(reader, leaf)) {
		return 0;
	}
	place->record_count = 0;
	int rc = go_to_batch(reader, leaf, err);
	if (rc < 0) {
		return rc;
	}
	struct extent_chunk found = extent_index_find(&reader->index, leaf);
	buf_clear(&reader->bytes);
	if (buf_reserve(&reader->bytes, found.span.len) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for %zu bytes of records",
				 found.span.len);
	}
	rc = extent_chunk_read(reader->segments, &found, reader->bytes.ptr, &reader->chunk, err);
	if (rc == 0) {
		*place = found;
	}
	return rc;
}

int extent_reader_get(struct extent_reader *reader, uint64_t leaf, struct str *out_encoded,
		      const struct head_batch **out_batch, struct error *err)
{
	int rc = go_to_chunk(reader, leaf, err);
	if (rc == 0) {
		rc = chunk_record(&reader->chunk, (size_t)(leaf - reader->place.first_leaf),
				  out_encoded, err);
		if (rc < 0) {
			(void)segments_blame(reader->segments, reader->place.span.number, err, rc);
			error_prefix(err, "leaf %llu", (unsigned long long)leaf);
		}
	}
	/* the chunk of a leaf is never kept longer than the index of its batch */
	if (rc == 0 && out_batch != NULL) {
		*out_batch = &reader->index.batch;
	}
	return rc;
}
