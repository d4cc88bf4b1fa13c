/* The transaction of the writer: records, what is known of sources, and the log become durable together. */
#include "store/checksum.h"
#include "store/handle.h"

#include <assert.h>
#include <stdlib.h>

int store_begin(struct store *store, int64_t now_ns, struct error *err)
{
	struct store_pending *pending = &store->pending;
	assert(store->writable && !pending->open);
	int rc = store_ready_log(store, err);
	rc = rc < 0 ? rc : catalog_run(store->catalog, CATALOG_BEGIN_WRITE, err);
	if (rc < 0) {
		return rc;
	}
	pending->open = true;
	pending->batch = (struct head_batch){
		.batch = store->last_batch + 1,
		.first_leaf = store->leaf_count,
		.min_time_ns = INT64_MAX,
		.max_time_ns = INT64_MIN,
		.ingest_ns = now_ns,
	};
	pending->chunk_count = 0;
	buf_clear(&pending->bytes);
	buf_clear(&pending->index);
	columns_builder_clear(pending->columns);
	chunk_builder_begin(&pending->builder, &pending->bytes);
	return 0;
}

static int record_room(struct store_pending *pending)
{
	if (pending->batch.record_count < pending->room) {
		return 0;
	}
	size_t room = pending->room > 0 ? pending->room * 2 : 1024;
	size_t *starts = realloc(pending->starts, room * sizeof starts[0]);
	if (starts == NULL) {
		return -ERR_NOMEM;
	}
	pending->starts = starts;
	uint32_t *sizes = realloc(pending->sizes, room * sizeof sizes[0]);
	if (sizes == NULL) {
		return -ERR_NOMEM;
	}
	pending->sizes = sizes;
	pending->room = room;
	return 0;
}

/* Closes the chunk that is being built and begins the next. */
static int next_chunk(struct store_pending *pending)
{
	struct chunk_builder *builder = &pending->builder;
	if (builder->record_count == 0) {
		return 0;
	}
	uint64_t first_row = pending->batch.record_count - builder->record_count;
	chunk_builder_finish(builder);
	if (pending->bytes.failed) {
		return -ERR_NOMEM;
	}
	struct str chunk =
		str_make(pending->bytes.ptr + builder->start, pending->bytes.len - builder->start);
	extent_put_index(&pending->index, (uint32_t)first_row, chunk, (uint32_t)pending->bytes.len);
	if (pending->index.failed) {
		return -ERR_NOMEM;
	}
	pending->chunk_count++;
	chunk_builder_begin(builder, &pending->bytes);
	return 0;
}

static int add_record(struct store_pending *pending, const struct record *record,
		      struct str encoded)
{
	int rc = record_room(pending);
	if (rc == 0 && !chunk_builder_fits(&pending->builder, encoded.len)) {
		rc = next_chunk(pending);
	}
	if (rc == 0) {
		rc = columns_builder_add(pending->columns, record);
	}
	if (rc < 0) {
		return rc;
	}
	struct head_batch *batch = &pending->batch;
	pending->starts[batch->record_count] = pending->bytes.len;
	pending->sizes[batch->record_count] = (uint32_t)encoded.len;
	chunk_builder_add(&pending->builder, encoded);
	if (pending->bytes.failed) {
		return -ERR_NOMEM;
	}
	batch->record_count++;
	batch->record_bytes += encoded.len;
	batch->kinds |= 1u << record->kind;
	batch->min_time_ns =
		record->time_ns < batch->min_time_ns ? record->time_ns : batch->min_time_ns;
	batch->max_time_ns =
		record->time_ns > batch->max_time_ns ? record->time_ns : batch->max_time_ns;
	return 0;
}

int store_append(struct store *store, const struct record *record, struct str encoded,
		 uint64_t *out_leaf, struct error *err)
{
	struct store_pending *pending = &store->pending;
	struct head_batch *batch = &pending->batch;
	assert(pending->open);
	if (batch->record_count == STORE_BATCH_MAX || encoded.len > RECORD_MAX_BYTES ||
	    batch->record_bytes + encoded.len > STORE_BATCH_BYTES) {
		return error_set(
			err, ERR_LIMIT,
			"a transaction holds at most %d records and %u bytes; this is record %llu",
			STORE_BATCH_MAX, STORE_BATCH_BYTES,
			(unsigned long long)(batch->record_count + 1));
	}
	uint64_t leaf = batch->first_leaf + batch->record_count;
	int rc = add_record(pending, record, encoded);
	rc = rc < 0 ? rc : store_log_record(store, leaf, encoded);
	if (rc < 0) {
		/* Columns and records may now disagree: only a rollback is safe. */
		store_rollback(store);
		return error_set(err, ERR_NOMEM,
				 "no memory for record %llu of a transaction, which was given up",
				 (unsigned long long)(batch->record_count + 1));
	}
	*out_leaf = leaf;
	return 0;
}

static int write_batch(struct store *store, struct error *err)
{
	struct store_pending *pending = &store->pending;
	struct head_batch *batch = &pending->batch;
	if (next_chunk(pending) < 0 ||
	    columns_builder_finish(pending->columns, &pending->columns_blob, &pending->ids_blob) <
		    0) {
		return error_set(err, ERR_NOMEM, "no memory for a batch of %llu records",
				 (unsigned long long)batch->record_count);
	}
	const struct str parts[HEADLOG_PARTS] = {buf_str(&pending->bytes), buf_str(&pending->index),
						 buf_str(&pending->columns_blob),
						 buf_str(&pending->ids_blob)};
	struct headlog_end start;
	int rc = headlog_write(&store->log, parts, HEADLOG_PARTS, &start, err);
	if (rc < 0) {
		return rc;
	}
	batch->extent = (struct head_extent){
		.segment = start.number,
		.start = start.end,
		.chunks_bytes = pending->bytes.len,
		.chunk_count = pending->chunk_count,
		.columns_bytes = (uint32_t)pending->columns_blob.len,
		.ids_bytes = (uint32_t)pending->ids_blob.len,
		.index_crc = checksum_crc32c(buf_str(&pending->index)),
		.columns_crc = columns_blob_checksum(buf_str(&pending->columns_blob)),
		.ids_crc = columns_blob_checksum(buf_str(&pending->ids_blob)),
	};
	rc = head_put_batch(store->catalog, batch, err);
	rc = rc < 0 ? rc : store_save_log(store, err);
	if (rc < 0) {
		return rc;
	}
	struct buf next;
	buf_init(&next, 64);
	buf_put_u64(&next, batch->first_leaf + batch->record_count);
	rc = catalog_meta_put(store->catalog, STORE_NEXT_LEAF_KEY, buf_str(&next), err);
	buf_done(&next);
	return rc;
}

int store_commit(struct store *store, struct error *err)
{
	struct store_pending *pending = &store->pending;
	assert(pending->open);
	bool has_records = pending->batch.record_count > 0;
	int rc = has_records ? write_batch(store, err) : 0;
	if (rc == 0) {
		rc = catalog_run(store->catalog, CATALOG_COMMIT, err);
		if (rc < 0) {
			headlog_abandon(&store->log);
		}
	}
	if (rc < 0) {
		store_rollback(store);
		return rc;
	}
	pending->open = false;
	headlog_commit(&store->log);
	if (has_records) {
		store->leaf_count = pending->batch.first_leaf + pending->batch.record_count;
		store->last_batch = pending->batch.batch;
	}
	return 0;
}

void store_rollback(struct store *store)
{
	if (!store->pending.open) {
		return;
	}
	store->pending.open = false;
	store_forget_log(store);
	headlog_rollback(&store->log);
	if (!sqlite3_get_autocommit(store->catalog->db)) { /* SQLite may have given it up itself */
		(void)catalog_run(store->catalog, CATALOG_ROLLBACK,
				  NULL); /* what fails is undone at open */
	}
}
