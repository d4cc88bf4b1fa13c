#include "store/block.h"

#include "base/io.h"
#include "base/wire.h"
#include "store/block/whole.h"
#include "store/checksum.h"
#include "store/dict.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct column {
	bool loaded;
	uint32_t *codes;
	struct str *texts;
	size_t text_count;
	struct dict dict;
	int64_t *numbers;
};

#define COLUMN_SOURCE FIELD_LIMIT
#define COLUMN_COUNT  (FIELD_LIMIT + 1)

struct block {
	char *name;
	struct buf bytes;
	struct block_about about;
	uint8_t *kinds;
	uint64_t *leaves;
	int64_t *times, *ingest_ns;
	uint32_t *parents;
	struct str *records;
	struct column *columns; /* RECORD_KIND_COUNT * COLUMN_COUNT */
};

static int damaged(const struct block_place *place, const char *what, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "%s is damaged: %s", place->name, what);
}

static int read_bytes(const struct block_place *place, struct buf *out, struct error *err)
{
	if (place->fd < 0) {
		buf_put_str(out, place->bytes);
		return out->failed ? error_set(err, ERR_NOMEM, "no memory for %s", place->name) : 0;
	}
	struct stat st;
	char part[65536];
	if (fstat(place->fd, &st) != 0) {
		return error_errno(err, "%s", place->name);
	}
	while (out->len < (size_t)st.st_size) {
		ssize_t got = pread(place->fd, part, sizeof part, (off_t)out->len);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return error_errno(err, "%s", place->name);
		}
		if (got == 0) {
			return damaged(place, "it is cut off", err);
		}
		buf_put(out, part, (size_t)got);
		if (out->failed) {
			return error_set(err, ERR_NOMEM, "no memory for %s", place->name);
		}
	}
	return 0;
}

static int allocate(struct block *block, size_t rows)
{
	block->kinds = malloc(rows + 1);
	block->leaves = malloc((rows + 1) * sizeof block->leaves[0]);
	block->times = malloc((rows + 1) * sizeof block->times[0]);
	block->ingest_ns = malloc((rows + 1) * sizeof block->ingest_ns[0]);
	block->parents = malloc((rows + 1) * sizeof block->parents[0]);
	block->records = malloc((rows + 1) * sizeof block->records[0]);
	block->columns = calloc((size_t)RECORD_KIND_COUNT * COLUMN_COUNT, sizeof block->columns[0]);
	bool all = block->kinds != NULL && block->leaves != NULL && block->times != NULL &&
		   block->ingest_ns != NULL && block->parents != NULL && block->records != NULL &&
		   block->columns != NULL;
	return all ? 0 : -ERR_NOMEM;
}

static int take_row(struct block *block, size_t row, struct error *err)
{
	struct record record;
	struct block_about *about = &block->about;
	int rc = record_decode(block->records[row], &record, err);
	if (rc < 0) {
		return rc;
	}
	block->kinds[row] = (uint8_t)record.kind;
	block->times[row] = record.time_ns;
	uint64_t leaf = block->leaves[row];
	about->of_kind[record.kind]++;
	about->record_bytes += block->records[row].len;
	about->raw_bytes +=
		record_has(&record, FIELD_raw) ? record_text(&record, FIELD_raw).len : 0;
	about->min_leaf = leaf < about->min_leaf ? leaf : about->min_leaf;
	about->max_leaf = leaf > about->max_leaf ? leaf : about->max_leaf;
	about->min_time_ns =
		record.time_ns < about->min_time_ns ? record.time_ns : about->min_time_ns;
	about->max_time_ns =
		record.time_ns > about->max_time_ns ? record.time_ns : about->max_time_ns;
	return 0;
}

static int read_rows(struct block *block, const struct block_place *place,
		     struct wire_reader *reader, struct error *err)
{
	struct wire_reader records = *reader;
	(void)wire_bytes(&records, (size_t)block->about.row_count * WHOLE_ROW_BYTES);
	for (size_t row = 0; row < block->about.row_count; row++) {
		block->leaves[row] = wire_u64(reader);
		block->ingest_ns[row] = (int64_t)wire_u64(reader);
		block->parents[row] = wire_u32(reader);
		block->records[row] = wire_bytes(&records, wire_u32(reader));
		bool fits = block->parents[row] == BLOCK_NO_ROW || block->parents[row] < row;
		if (records.failed || !fits) {
			return damaged(place, "its rows do not fit", err);
		}
		int rc = take_row(block, row, err);
		if (rc < 0) {
			error_prefix(err, "%s", place->name);
			return rc;
		}
	}
	return wire_left(&records) != 0 ? damaged(place, "it is too long", err) : 0;
}

static int read_block(struct block *block, const struct block_place *place, struct error *err)
{
	int rc = read_bytes(place, &block->bytes, err);
	if (rc < 0) {
		return rc;
	}
	struct str all = buf_str(&block->bytes);
	if (all.len < WHOLE_HEADER_BYTES + 4) {
		return damaged(place, "it is cut off", err);
	}
	struct str body = str_make(all.ptr, all.len - 4);
	struct wire_reader end = wire_reader(str_make(all.ptr + body.len, 4));
	struct wire_reader reader = wire_reader(body);
	uint32_t magic = wire_u32(&reader);
	block->about.number = wire_u64(&reader);
	block->about.row_count = wire_u32(&reader);
	if (magic != WHOLE_MAGIC || wire_u32(&end) != checksum_crc32c(body)) {
		return damaged(place, "its checksum is wrong", err);
	}
	if (block->about.number != place->number) {
		return damaged(place, "it is another block", err);
	}
	if (block->about.row_count > BLOCK_ROWS_MAX ||
	    wire_left(&reader) / WHOLE_ROW_BYTES < block->about.row_count) {
		return damaged(place, "its rows do not fit", err);
	}
	if (allocate(block, block->about.row_count) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for %s", place->name);
	}
	return read_rows(block, place, &reader, err);
}

int block_open(const struct block_place *place, struct block **out_block, struct error *err)
{
	struct block *block = calloc(1, sizeof *block);
	if (block == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %s", place->name);
	}
	buf_init(&block->bytes, 0);
	block->about = (struct block_about){
		.min_leaf = UINT64_MAX, .min_time_ns = INT64_MAX, .max_time_ns = INT64_MIN};
	block->name = strdup(place->name);
	int rc = block->name == NULL ? error_set(err, ERR_NOMEM, "no memory for %s", place->name)
				     : read_block(block, place, err);
	if (rc < 0) {
		block_close(block);
		return rc;
	}
	*out_block = block;
	return 0;
}

void block_close(struct block *block)
{
	if (block == NULL) {
		return;
	}
	for (size_t i = 0; block->columns != NULL && i < (size_t)RECORD_KIND_COUNT * COLUMN_COUNT;
	     i++) {
		struct column *column = &block->columns[i];
		if (column->codes != NULL) {
			dict_done(&column->dict);
		}
		free(column->codes);
		free(column->texts);
		free(column->numbers);
	}
	free(block->columns);
	free(block->kinds);
	free(block->leaves);
	free(block->times);
	free(block->ingest_ns);
	free(block->parents);
	free(block->records);
	buf_done(&block->bytes);
	free(block->name);
	free(block);
}

const struct block_about *block_about(const struct block *block)
{
	return &block->about;
}

const uint8_t *block_kinds(const struct block *block)
{
	return block->kinds;
}

const uint64_t *block_leaves(const struct block *block)
{
	return block->leaves;
}

const int64_t *block_times(const struct block *block)
{
	return block->times;
}

int block_parents(struct block *block, const uint32_t **out_parents, struct error *err)
{
	(void)err;
	*out_parents = block->parents;
	return 0;
}

int block_ingest_times(struct block *block, const int64_t **out_ingest_ns, struct error *err)
{
	(void)err;
	*out_ingest_ns = block->ingest_ns;
	return 0;
}

struct block_run block_run(const struct block *block, enum record_kind kind)
{
	struct block_run run = {0, 0};
	for (uint32_t row = 0; row < block->about.row_count; row++) {
		if (block->kinds[row] == kind) {
			run.first = run.count == 0 ? row : run.first;
			run.count++;
		}
	}
	return run;
}

uint32_t block_row_of(struct block *block, uint64_t leaf)
{
	for (uint32_t row = 0; row < block->about.row_count; row++) {
		if (block->leaves[row] == leaf) {
			return row;
		}
	}
	return BLOCK_NO_ROW;
}

int block_record(struct block *block, uint32_t row, struct buf *out, struct error *err)
{
	assert(row < block->about.row_count);
	buf_put_str(out, block->records[row]);
	return out->failed ? error_set(err, ERR_NOMEM, "no memory for a record") : 0;
}

static int load_text(struct block *block, enum record_kind kind, unsigned field,
		     struct column *column, struct error *err)
{
	struct block_run run = block_run(block, kind);
	struct record record;
	column->codes = malloc((run.count + 1) * sizeof column->codes[0]);
	if (column->codes == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a column");
	}
	dict_init(&column->dict);
	for (uint32_t i = 0; i < run.count; i++) {
		int rc = record_decode(block->records[run.first + i], &record, err);
		if (rc < 0) {
			return rc;
		}
		column->codes[i] = UINT32_MAX;
		bool has = field == COLUMN_SOURCE || record_has(&record, field);
		struct str text = field == COLUMN_SOURCE ? record.source
				  : has                  ? record_text(&record, field)
							 : (struct str){NULL, 0};
		if (has && dict_code(&column->dict, text, &column->codes[i]) < 0) {
			return error_set(err, ERR_NOMEM, "no memory for a column");
		}
	}
	column->texts = malloc((column->dict.count + 1) * sizeof column->texts[0]);
	if (column->texts == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a column");
	}
	for (uint32_t code = 0; code < column->dict.count; code++) {
		column->texts[code] = dict_text(&column->dict, code);
	}
	column->text_count = column->dict.count;
	column->loaded = true;
	return 0;
}

static int text_column(struct block *block, enum record_kind kind, unsigned field,
		       struct block_codes *out, struct error *err)
{
	struct column *column = &block->columns[(size_t)kind * COLUMN_COUNT + field];
	int rc = column->loaded ? 0 : load_text(block, kind, field, column, err);
	if (rc == 0) {
		*out = (struct block_codes){column->codes, column->texts, column->text_count};
	}
	return rc;
}

int block_text_column(struct block *block, enum record_kind kind, enum field field,
		      struct block_codes *out, struct error *err)
{
	return text_column(block, kind, field, out, err);
}

int block_source_column(struct block *block, enum record_kind kind, struct block_codes *out,
			struct error *err)
{
	return text_column(block, kind, COLUMN_SOURCE, out, err);
}

int block_number_column(struct block *block, enum record_kind kind, enum field field,
			const int64_t **out_values, struct error *err)
{
	struct column *column = &block->columns[(size_t)kind * COLUMN_COUNT + field];
	struct block_run run = block_run(block, kind);
	struct record record;
	if (column->numbers == NULL) {
		int64_t *numbers = malloc((run.count + 1) * sizeof numbers[0]);
		if (numbers == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for a column");
		}
		column->numbers = numbers;
		for (uint32_t i = 0; i < run.count; i++) {
			int rc = record_decode(block->records[run.first + i], &record, err);
			if (rc < 0) {
				return rc;
			}
			numbers[i] = record_number(&record, field, INT64_MIN);
		}
	}
	*out_values = column->numbers;
	return 0;
}

void block_columns(struct block *block, block_column_fn *each, void *owner)
{
	each(owner, "records", block->about.record_bytes, block->about.row_count);
}
