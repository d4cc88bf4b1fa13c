#include "store/scan.h"

#include "base/arena.h"
#include "store/dict.h"
#include "store/handle.h"
#include "store/sections.h"

#include <assert.h>
#include <stdlib.h>

/* One column of the current block. The memory stays for the next block. */
struct scan_column {
	bool loaded;
	struct buf bytes;          /* the section */
	struct columns_codes text; /* its texts borrow from bytes, or from made */
	int64_t *numbers;
	size_t codes_room, numbers_room;
	struct dict *made; /* of a column that was read from the records */
};

struct scan_block {
	struct scan *scan;
	struct head_batch batch;
	size_t row_count;
	uint8_t *kinds;
	struct columns_rows rows; /* of kinds */
	size_t kinds_room;
	struct str *records; /* per row; ptr NULL: not read yet */
	size_t records_room;
	bool records_begun;
};

struct scan {
	struct store *store;
	struct scan_options options;
	sqlite3_stmt *head;
	struct extent_index index; /* of the block, from the first record that is read */
	bool row_waits;            /* the head statement stands on a row that was not used yet */
	bool done;
	bool leaf_known; /* whether next_leaf is known; it is not behind damage */
	uint64_t next_leaf;
	struct sections sections;
	struct arena arena; /* chunks of the block that were read */
	struct scan_column columns[COLUMNS_ID_MAX];
	struct scan_block block;
	struct scan_stats stats;
};

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
	scan->leaf_known = true;
	scan->block.scan = scan;
	arena_init(&scan->arena, 2 * (size_t)STORE_BATCH_BYTES);
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

static void column_done(struct scan_column *column)
{
	buf_done(&column->bytes);
	free(column->text.codes);
	free(column->numbers);
	free(column->text.texts);
	if (column->made != NULL) {
		dict_done(column->made);
		free(column->made);
	}
}

void scan_close(struct scan *scan)
{
	if (scan == NULL) {
		return;
	}
	for (size_t i = 0; i < COLUMNS_ID_MAX; i++) {
		column_done(&scan->columns[i]);
	}
	free(scan->block.kinds);
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

/* Makes *room at least count elements of size bytes; what was there is lost. */
static int make_room(void **memory, size_t *room, size_t count, size_t size)
{
	if (count <= *room) {
		return 0;
	}
	void *larger = calloc(count, size);
	if (larger == NULL) {
		return -ERR_NOMEM;
	}
	free(*memory);
	*memory = larger;
	*room = count;
	return 0;
}

/* Reads the parts of a block that every reader needs: kinds and times. */
static int load_block(struct scan *scan, const struct head_batch *batch, struct error *err)
{
	struct scan_block *block = &scan->block;
	arena_clear(&scan->arena);
	for (size_t i = 0; i < COLUMNS_ID_MAX; i++) {
		scan->columns[i].loaded = false;
	}
	block->batch = *batch;
	block->row_count = (size_t)batch->record_count;
	block->records_begun = false;
	void *kinds = block->kinds;
	if (make_room(&kinds, &block->kinds_room, block->row_count, 1) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a block of %zu rows",
				 block->row_count);
	}
	block->kinds = kinds;
	int rc = sections_go(&scan->sections, batch, err);
	if (rc == 0) {
		struct buf *bytes = &scan->columns[COLUMNS_KIND].bytes;
		rc = sections_read_kinds(&scan->sections, bytes, block->kinds, err);
	}
	if (rc == 0) {
		block->rows = columns_rows(block->kinds, block->row_count);
	}
	const int64_t *times = NULL;
	return rc < 0 ? rc : scan_number_column(block, (enum field)COLUMNS_TIME, &times, err);
}

static bool wanted(const struct scan_options *options, const struct head_batch *batch)
{
	if (options->kinds != 0 && (options->kinds & batch->kinds) == 0) {
		return false;
	}
	return batch->max_time_ns >= options->from_ns &&
	       (batch->min_time_ns < options->to_ns || options->to_ns == INT64_MAX);
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

int scan_next(struct scan *scan, const struct scan_block **out_block, struct error *err)
{
	while (!scan->done) {
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

uint64_t scan_first_leaf(const struct scan_block *block)
{
	return block->batch.first_leaf;
}

int64_t scan_ingest_ns(const struct scan_block *block)
{
	return block->batch.ingest_ns;
}

const uint8_t *scan_kinds(const struct scan_block *block)
{
	return block->kinds;
}

const int64_t *scan_times(const struct scan_block *block)
{
	return block->scan->columns[COLUMNS_TIME].numbers;
}

static int begin_records(struct scan_block *block, struct error *err)
{
	void *records = block->records;
	if (make_room(&records, &block->records_room, block->row_count, sizeof block->records[0]) <
	    0) {
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

static int codes_room(struct scan_column *column, size_t count, struct error *err)
{
	void *codes = column->text.codes;
	if (make_room(&codes, &column->codes_room, count, sizeof column->text.codes[0]) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a column of %zu rows", count);
	}
	column->text.codes = codes;
	return 0;
}

static int numbers_room(struct scan_column *column, size_t count, struct error *err)
{
	void *numbers = column->numbers;
	if (make_room(&numbers, &column->numbers_room, count, sizeof column->numbers[0]) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a column of %zu rows", count);
	}
	column->numbers = numbers;
	return 0;
}

/* Codes of a field that the block does not keep apart: decodes every record that may hold it. */
static int codes_from_records(struct scan *scan, unsigned field, struct error *err)
{
	struct scan_column *column = &scan->columns[field];
	const struct scan_block *block = &scan->block;
	unsigned kinds = field_info(field)->kinds;
	if (column->made == NULL) {
		column->made = malloc(sizeof *column->made);
		if (column->made == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for a dictionary");
		}
		dict_init(column->made);
	}
	dict_clear(column->made);
	struct record record;
	for (size_t row = 0; row < block->row_count; row++) {
		column->text.codes[row] = SCAN_ABSENT;
		if ((kinds >> block->kinds[row] & 1) == 0) {
			continue;
		}
		int rc = scan_record(block, row, &record, err);
		if (rc < 0) {
			return rc;
		}
		if (record_has(&record, field) && dict_code(column->made, record.value[field].text,
							    &column->text.codes[row]) < 0) {
			return error_set(err, ERR_NOMEM, "no memory for the values of %s",
					 field_info(field)->name);
		}
	}
	void *texts = column->text.texts;
	if (make_room(&texts, &column->text.text_room, column->made->count,
		      sizeof column->text.texts[0]) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for the values of %s",
				 field_info(field)->name);
	}
	column->text.texts = texts;
	column->text.text_count = column->made->count;
	for (uint32_t code = 0; code < column->made->count; code++) {
		column->text.texts[code] = dict_text(column->made, code);
	}
	return 0;
}

static int numbers_from_records(struct scan *scan, unsigned field, struct error *err)
{
	struct scan_column *column = &scan->columns[field];
	const struct scan_block *block = &scan->block;
	unsigned kinds = field_info(field)->kinds;
	struct record record;
	for (size_t row = 0; row < block->row_count; row++) {
		column->numbers[row] = INT64_MIN;
		if ((kinds >> block->kinds[row] & 1) == 0) {
			continue;
		}
		int rc = scan_record(block, row, &record, err);
		if (rc < 0) {
			return rc;
		}
		column->numbers[row] = record_number(&record, field, INT64_MIN);
	}
	return 0;
}

/* The section of a column in the wanted form, or NULL when the block keeps none. */
static const struct columns_section *find_section(const struct scan *scan, unsigned id,
						  enum columns_form form)
{
	const struct columns_section *section =
		columns_directory_find(&scan->sections.directory, id);
	return section != NULL && section->form == form ? section : NULL;
}

static int load_codes(struct scan *scan, unsigned id, struct error *err)
{
	struct scan_column *column = &scan->columns[id];
	const struct scan_block *block = &scan->block;
	int rc = codes_room(column, block->row_count, err);
	if (rc < 0) {
		return rc;
	}
	const struct columns_section *section = find_section(scan, id, COLUMNS_CODES);
	if (section == NULL && id >= FIELD_LIMIT) {
		rc = error_set(err, ERR_CORRUPT, "the columns do not tell the sources of the rows");
		return sections_blame(&scan->sections, err, rc);
	}
	if (section == NULL) {
		return codes_from_records(scan, id, err);
	}
	rc = sections_read(&scan->sections, section, &column->bytes, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_read_codes(section, buf_str(&column->bytes), &block->rows, &column->text, err);
	return rc < 0 ? sections_blame(&scan->sections, err, rc) : 0;
}

static int load_numbers(struct scan *scan, unsigned id, struct error *err)
{
	struct scan_column *column = &scan->columns[id];
	const struct scan_block *block = &scan->block;
	int rc = numbers_room(column, block->row_count, err);
	if (rc < 0) {
		return rc;
	}
	const struct columns_section *section = find_section(scan, id, COLUMNS_NUMBERS);
	if (section == NULL && id >= FIELD_LIMIT) {
		rc = error_set(err, ERR_CORRUPT, "the columns do not tell the times of the rows");
		return sections_blame(&scan->sections, err, rc);
	}
	if (section == NULL) {
		return numbers_from_records(scan, id, err);
	}
	rc = sections_read(&scan->sections, section, &column->bytes, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_read_numbers(section, buf_str(&column->bytes), &block->rows, column->numbers,
				  err);
	return rc < 0 ? sections_blame(&scan->sections, err, rc) : 0;
}

static int text_column(const struct scan_block *block, unsigned id, struct scan_codes *out_codes,
		       struct error *err)
{
	struct scan_column *column = &block->scan->columns[id];
	if (!column->loaded) {
		int rc = load_codes(block->scan, id, err);
		if (rc < 0) {
			return rc;
		}
		column->loaded = true;
	}
	*out_codes = (struct scan_codes){.code = column->text.codes,
					 .dict = column->text.texts,
					 .dict_count = column->text.text_count};
	return 0;
}

int scan_text_column(const struct scan_block *block, enum field field, struct scan_codes *out_codes,
		     struct error *err)
{
	enum field_type type = field_info(field)->type;
	assert(type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES);
	return text_column(block, field, out_codes, err);
}

int scan_source_column(const struct scan_block *block, struct scan_codes *out_codes,
		       struct error *err)
{
	return text_column(block, COLUMNS_SOURCE, out_codes, err);
}

int scan_number_column(const struct scan_block *block, enum field field, const int64_t **out_values,
		       struct error *err)
{
	struct scan_column *column = &block->scan->columns[field];
	if (!column->loaded) {
		int rc = load_numbers(block->scan, field, err);
		if (rc < 0) {
			return rc;
		}
		column->loaded = true;
	}
	*out_values = column->numbers;
	return 0;
}
