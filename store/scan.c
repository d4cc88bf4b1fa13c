#include "store/scan-block.h"

#include <assert.h>
#include <stdlib.h>

int scan_open(struct store *store, const struct scan_options *options, struct scan **out_scan,
	      struct error *err)
{
	struct scan *scan = calloc(1, sizeof *scan);
	if (scan == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a scan");
	}
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		free(scan);
		return rc;
	}
	scan->store = store;
	scan->options = *options;
	scan->leaf_known = store->sealed_damage.code == 0;
	scan->next_leaf = store->sealed_end;
	scan->block.scan = scan;
	arena_init(&scan->arena, 2 * (size_t)STORE_BATCH_BYTES);
	buf_init(&scan->sealed_record, RECORD_MAX_BYTES);
	sections_init(&scan->sections, &store->segments, false);
	extent_index_init(&scan->index);
	for (size_t i = 0; i < COLUMNS_ID_MAX; i++) {
		buf_init(&scan->columns[i].bytes, 0);
	}
	rc = catalog_prepare(store->reading, CATALOG_HEAD_FROM, &scan->head, err);
	if (rc < 0) {
		scan_close(scan);
		return rc;
	}
	(void)sqlite3_bind_int64(scan->head, 1, 0); /* can't fail: the index is right */
	*out_scan = scan;
	return 0;
}

void scan_close(struct scan *scan)
{
	if (scan == NULL) {
		return;
	}
	for (size_t i = 0; i < COLUMNS_ID_MAX; i++) {
		scan_column_done(&scan->columns[i]);
	}
	for (size_t kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		free(scan->block.of_kind[kind].row);
	}
	scan_sealed_leave(scan);
	buf_done(&scan->sealed_record);
	free(scan->block.own_kinds);
	free(scan->block.own_leaves);
	free(scan->block.records);
	arena_done(&scan->arena);
	sections_done(&scan->sections);
	extent_index_done(&scan->index);
	(void)sqlite3_finalize(scan->head); /* repeats an error that was told */
	store_snapshot_end(scan->store);
	free(scan);
}

struct scan_stats scan_stats(const struct scan *scan)
{
	struct scan_stats stats = scan->stats;
	stats.bytes_read += scan->sections.bytes_read;
	return stats;
}

static int set_leaves(struct scan_block *block, struct error *err)
{
	void *leaves = block->own_leaves;
	if (scan_make_room(&leaves, &block->leaves_room, block->row_count,
			   sizeof block->leaves[0]) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a block of %zu rows",
				 block->row_count);
	}
	block->own_leaves = leaves;
	for (size_t row = 0; row < block->row_count; row++) {
		block->own_leaves[row] = block->batch.first_leaf + row;
	}
	block->leaves = block->own_leaves;
	return 0;
}

static void forget_columns(struct scan *scan)
{
	scan_sealed_leave(scan);
	for (size_t i = 0; i < COLUMNS_ID_MAX; i++) {
		scan->columns[i].loaded = false;
	}
	for (size_t kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		scan->block.of_kind[kind].made = false;
	}
}

/* Reads the parts of a block that every reader needs: leaves, kinds and times. */
static int load_block(struct scan *scan, const struct head_batch *batch, struct error *err)
{
	struct scan_block *block = &scan->block;
	arena_clear(&scan->arena);
	forget_columns(scan);
	block->batch = *batch;
	block->row_count = (size_t)batch->record_count;
	block->records_begun = false;
	void *kinds = block->own_kinds;
	if (scan_make_room(&kinds, &block->kinds_room, block->row_count, 1) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a block of %zu rows",
				 block->row_count);
	}
	block->own_kinds = kinds;
	block->kinds = kinds;
	int rc = set_leaves(block, err);
	rc = rc < 0 ? rc : sections_go(&scan->sections, batch, err);
	if (rc == 0) {
		struct buf *bytes = &scan->columns[COLUMNS_KIND].bytes;
		rc = sections_read_kinds(&scan->sections, bytes, block->own_kinds, err);
	}
	if (rc == 0) {
		block->rows = columns_rows(block->kinds, block->row_count);
	}
	return rc < 0 ? rc : scan_load_times(scan, err);
}

static bool wanted(const struct scan_options *options, const struct head_batch *batch)
{
	if (options->kinds != 0 && (options->kinds & batch->kinds) == 0) {
		return false;
	}
	return batch->max_time_ns >= options->from_ns &&
	       (batch->min_time_ns < options->to_ns || options->to_ns == INT64_MAX);
}

static bool is_apart(const struct scan_options *options, uint64_t number)
{
	for (size_t i = 0; i < options->apart_count; i++) {
		if (options->apart[i] == number) {
			return true;
		}
	}
	return false;
}

bool scan_wants_sealed(const struct scan_options *options, const struct blocks_row *row)
{
	const struct block_about *about = &row->about;
	bool held = options->kinds == 0;
	bool whole = row->is_whole && !is_apart(options, about->number);
	if (options->blocks != SCAN_ALL && whole != (options->blocks == SCAN_WHOLE)) {
		return false;
	}
	for (unsigned kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		held = held || ((options->kinds >> kind & 1) != 0 && about->of_kind[kind] > 0);
	}
	return held && about->max_time_ns >= options->from_ns &&
	       (about->min_time_ns < options->to_ns || options->to_ns == INT64_MAX);
}

static int damaged(struct scan *scan, int rc)
{
	if (rc == -ERR_CORRUPT) {
		scan->stats.blocks_damaged++;
	}
	return rc;
}

/* Moves to the next row of the head, checks that no leaf lies between it and the one before. */
static int next_batch(struct scan *scan, struct head_batch *out_batch, struct error *err)
{
	struct catalog *catalog = scan->store->reading;
	if (!scan->row_waits) {
		int step = sqlite3_step(scan->head);
		if (step != SQLITE_ROW) {
			scan->done = true;
			if (step != SQLITE_DONE) {
				return catalog_error(catalog, step, "walking through the batches",
						     err);
			}
			uint64_t count = scan->store->snapshot_leaf_count;
			if (scan->leaf_known && scan->next_leaf < count) {
				return error_set(err, ERR_CORRUPT,
						 "%s: leaves %llu to %llu are missing",
						 catalog->path, (unsigned long long)scan->next_leaf,
						 (unsigned long long)(count - 1));
			}
			return error_set(err, ERR_GONE, "the scan is at its end");
		}
	}
	scan->row_waits = false;
	struct head_batch batch;
	int rc = head_read_row(catalog, scan->head, &batch, err);
	if (rc < 0) {
		scan->leaf_known = false;
		return rc;
	}
	bool hole = scan->leaf_known && batch.first_leaf != scan->next_leaf;
	uint64_t expected = scan->next_leaf;
	scan->leaf_known = true;
	scan->next_leaf = batch.first_leaf + (hole ? 0 : batch.record_count);
	if (hole) {
		scan->row_waits = true;
		return error_set(
			err, ERR_CORRUPT, "%s: batch %llu begins at leaf %llu, not at %llu",
			catalog->path, (unsigned long long)batch.batch,
			(unsigned long long)batch.first_leaf, (unsigned long long)expected);
	}
	*out_batch = batch;
	return 0;
}

/* Once: what is wrong with the list of blocks itself. */
static int tell_list(struct scan *scan, struct error *err)
{
	const struct store *store = scan->store;
	scan->sealed_told = true;
	if (store->sealed_damage.code == 0) {
		return 0;
	}
	return error_set(err, ERR_CORRUPT, "%s", store->sealed_damage.text);
}

/* The next sealed block that is wanted: 0; ERR_GONE when there is none left. */
static int next_sealed(struct scan *scan, struct error *err)
{
	const struct blocks_list *list = scan->store->sealed;
	while (scan->next_sealed < list->count) {
		const struct blocks_row *row = &list->rows[scan->next_sealed++];
		scan->stats.blocks++;
		if (!scan_wants_sealed(&scan->options, row)) {
			scan->stats.blocks_skipped++;
			continue;
		}
		forget_columns(scan);
		int rc = scan_sealed_enter(scan, row, err);
		if (rc == 0) {
			scan->stats.rows += row->about.row_count;
			scan->stats.bytes_read += row->file_bytes;
		}
		return rc;
	}
	return -ERR_GONE;
}

int scan_next(struct scan *scan, const struct scan_block **out_block, struct error *err)
{
	int sealed = scan->sealed_told ? 0 : tell_list(scan, err);
	sealed = sealed < 0 ? sealed : next_sealed(scan, err);
	if (sealed != -ERR_GONE) {
		*out_block = &scan->block;
		return damaged(scan, sealed);
	}
	while (!scan->done && scan->options.blocks != SCAN_WHOLE) {
		struct head_batch batch;
		int rc = next_batch(scan, &batch, err);
		if (rc < 0) {
			return damaged(scan, rc);
		}
		scan->stats.blocks++;
		if (!wanted(&scan->options, &batch)) {
			scan->stats.blocks_skipped++;
			continue;
		}
		rc = load_block(scan, &batch, err);
		if (rc < 0) {
			return damaged(scan, rc);
		}
		scan->stats.rows += batch.record_count;
		*out_block = &scan->block;
		return 0;
	}
	return error_set(err, ERR_GONE, "the scan is at its end");
}

size_t scan_row_count(const struct scan_block *block)
{
	return block->row_count;
}

const uint64_t *scan_leaves(const struct scan_block *block)
{
	return block->leaves;
}

int scan_ingest_ns(const struct scan_block *block, size_t row, int64_t *out_ingest_ns,
		   struct error *err)
{
	assert(row < block->row_count);
	const int64_t *ingest_ns = NULL;
	if (block->sealed == NULL) { /* a batch was taken in at one moment */
		*out_ingest_ns = block->batch.ingest_ns;
		return 0;
	}
	int rc = block_ingest_times(block->sealed, &ingest_ns, err);
	if (rc == 0) {
		*out_ingest_ns = ingest_ns[row];
	}
	return rc;
}

const uint8_t *scan_kinds(const struct scan_block *block)
{
	return block->kinds;
}

const int64_t *scan_times(const struct scan_block *block)
{
	return block->times;
}

static int begin_records(struct scan_block *block, struct error *err)
{
	void *records = block->records;
	if (scan_make_room(&records, &block->records_room, block->row_count,
			   sizeof block->records[0]) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for %zu rows", block->row_count);
	}
	block->records = records;
	memset(block->records, 0, block->row_count * sizeof block->records[0]);
	block->records_begun = true;
	return 0;
}

/* Reads the chunk of a row into the arena. */
static int load_chunk(struct scan *scan, const struct extent_chunk *place, struct chunk *out_chunk,
		      struct error *err)
{
	char *room = arena_alloc(&scan->arena, place->span.len);
	if (room == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the records of a block");
	}
	scan->stats.bytes_read += place->span.len;
	return extent_chunk_read(&scan->store->segments, place, room, out_chunk, err);
}

/* The canonical bytes of a row; its whole chunk is read with it. */
static int row_bytes(struct scan *scan, size_t row, struct str *out, struct error *err)
{
	struct scan_block *block = &scan->block;
	int rc = block->records_begun ? 0 : begin_records(block, err);
	if (rc == 0 && block->records[row].ptr != NULL) {
		*out = block->records[row];
		return 0;
	}
	uint64_t leaf = block->batch.first_leaf + row;
	struct segments *segments = &scan->store->segments;
	rc = rc < 0 ? rc : extent_index_load(&scan->index, segments, &block->batch, err);
	if (rc < 0) {
		return rc;
	}
	struct chunk chunk;
	struct extent_chunk place = extent_index_find(&scan->index, leaf);
	rc = load_chunk(scan, &place, &chunk, err);
	if (rc < 0) {
		return rc;
	}
	size_t first_row = (size_t)(place.first_leaf - block->batch.first_leaf);
	for (size_t i = 0; i < chunk.record_count; i++) {
		struct str whole = {0};
		if (chunk_record(&chunk, i, &whole, first_row + i == row ? err : NULL) == 0) {
			block->records[first_row + i] = whole;
		}
	}
	*out = block->records[row];
	if (out->ptr == NULL) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
		return segments_blame(segments, place.span.number, err, -ERR_CORRUPT);
	}
	return 0;
}

int scan_record(const struct scan_block *block, size_t row, struct record *out_record,
		struct error *err)
{
	assert(row < block->row_count);
	if (block->sealed != NULL) {
		return scan_sealed_record(block->scan, row, out_record, err);
	}
	struct str encoded;
	int rc = row_bytes(block->scan, row, &encoded, err);
	if (rc < 0) {
		return rc;
	}
	rc = record_decode(encoded, out_record, err);
	if (rc < 0) {
		error_prefix(err, "%s, leaf %llu", block->scan->store->dir, /* as rc */
			     (unsigned long long)(block->batch.first_leaf + row));
	}
	return rc;
}
