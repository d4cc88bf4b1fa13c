#include "store/rollup.h"
#include "store/scan-block.h"
#include "store/summary.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

int scan_sealed_enter(struct scan *scan, const struct blocks_row *row, struct error *err)
{
	struct scan_block *block = &scan->block;
	block->sealed = blocks_pin(scan->store->blocks, row->about.number);
	block->is_pinned = block->sealed != NULL;
	int rc = block->is_pinned ? 0
				  : blocks_open_row(scan->store->blocks, row, &block->sealed_fd,
						    &block->sealed, err);
	if (rc < 0) {
		block->sealed = NULL;
		return rc;
	}
	block->sealed_row = row;
	block->sealed_number = row->about.number;
	block->row_count = block_about(block->sealed)->row_count;
	block->leaves = block_leaves(block->sealed);
	block->kinds = block_kinds(block->sealed);
	block->times = block_times(block->sealed);
	block->rows = columns_rows(block->kinds, block->row_count);
	return 0;
}

void scan_sealed_leave(struct scan *scan)
{
	struct scan_block *block = &scan->block;
	if (block->sealed != NULL && block->is_pinned) {
		blocks_unpin(scan->store->blocks, block->sealed_number);
	} else if (block->sealed != NULL) {
		block_close(block->sealed);
		(void)close(block->sealed_fd); /* only read */
	}
	block->sealed = NULL;
}

/* Whether rows of the kind may hold the field, and there are any. */
static bool is_held(const struct scan_block *block, unsigned id, unsigned kind)
{
	bool may = id >= FIELD_LIMIT || (field_info(id)->kinds >> kind & 1) != 0;
	return may && block->rows.of_kind[kind] > 0;
}

static int codes_of(struct scan_block *block, unsigned id, unsigned kind, struct block_codes *out,
		    struct error *err)
{
	if (!is_held(block, id, kind)) {
		*out = (struct block_codes){0};
		return 0;
	}
	return id == COLUMNS_SOURCE
		       ? block_source_column(block->sealed, (enum record_kind)kind, out, err)
		       : block_text_column(block->sealed, (enum record_kind)kind, (enum field)id,
					   out, err);
}

/* Appends the texts of one kind to the column's, and its codes at their rows. */
static int add_codes(struct scan_block *block, struct scan_column *column, unsigned kind,
		     const struct block_codes *codes, struct error *err)
{
	struct block_run run = block_run(block->sealed, (enum record_kind)kind);
	size_t count = column->text.text_count + codes->dict_count;
	if (count > column->text.text_room) {
		struct str *larger =
			realloc(column->text.texts, (count + count / 4) * sizeof larger[0]);
		if (larger == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for the values of a column");
		}
		column->text.texts = larger;
		column->text.text_room = count + count / 4;
	}
	for (size_t i = 0; i < codes->dict_count; i++) {
		column->text.texts[column->text.text_count + i] = codes->dict[i];
	}
	for (uint32_t i = 0; i < run.count; i++) {
		column->text.codes[run.first + i] =
			codes->code[i] == UINT32_MAX
				? SCAN_ABSENT
				: codes->code[i] + (uint32_t)column->text.text_count;
	}
	column->text.text_count = count;
	return 0;
}

static int text_of_all(struct scan *scan, unsigned id, struct scan_codes *out_codes,
		       struct error *err)
{
	struct scan_block *block = &scan->block;
	struct scan_column *column = &scan->columns[id];
	int rc = column->loaded ? 0 : scan_codes_room(column, block->row_count, err);
	if (!column->loaded && rc == 0) {
		column->text.text_count = 0;
		memset(column->text.codes, 0xff, block->row_count * sizeof column->text.codes[0]);
		for (unsigned kind = 1; rc == 0 && kind < RECORD_KIND_COUNT; kind++) {
			struct block_codes codes;
			rc = codes_of(block, id, kind, &codes, err);
			if (rc == 0 && is_held(block, id, kind)) {
				rc = add_codes(block, column, kind, &codes, err);
			}
		}
		column->loaded = rc == 0;
	}
	if (rc == 0) {
		*out_codes = (struct scan_codes){column->text.codes, column->text.texts,
						 column->text.text_count};
	}
	return rc;
}

/* One kind that may not hold the field: all rows are absent. */
static int absent_codes(struct scan *scan, unsigned id, unsigned kind, struct scan_codes *out_codes,
			struct error *err)
{
	struct scan_column *column = &scan->columns[id];
	size_t count = scan->block.rows.of_kind[kind];
	column->loaded = false;
	int rc = scan_codes_room(column, count + 1, err);
	if (rc == 0) {
		memset(column->text.codes, 0xff, count * sizeof column->text.codes[0]);
		*out_codes = (struct scan_codes){column->text.codes, NULL, 0};
	}
	return rc;
}

int scan_sealed_text(struct scan *scan, unsigned id, unsigned kind, struct scan_codes *out_codes,
		     struct error *err)
{
	struct block_codes codes;
	if (kind == 0) {
		return text_of_all(scan, id, out_codes, err);
	}
	if (!is_held(&scan->block, id, kind)) {
		return absent_codes(scan, id, kind, out_codes, err);
	}
	int rc = codes_of(&scan->block, id, kind, &codes, err);
	if (rc == 0) {
		*out_codes = (struct scan_codes){codes.code, codes.dict, codes.dict_count};
	}
	return rc;
}

int scan_sealed_find(const struct scan_block *block, struct scan_field where,
		     const struct block_needle *needle, uint64_t *out_rows, struct error *err)
{
	if (!is_held(block, where.field, where.kind)) {
		return 0;
	}
	return block_find_text(block->sealed, (struct block_field){where.kind, where.field}, needle,
			       out_rows, err);
}

static int number_of_all(struct scan *scan, unsigned field, const int64_t **out_values,
			 struct error *err)
{
	struct scan_block *block = &scan->block;
	struct scan_column *column = &scan->columns[field];
	int rc = column->loaded ? 0 : scan_numbers_room(column, block->row_count, err);
	for (size_t row = 0; !column->loaded && rc == 0 && row < block->row_count; row++) {
		column->numbers[row] = INT64_MIN;
	}
	for (unsigned kind = 1; !column->loaded && rc == 0 && kind < RECORD_KIND_COUNT; kind++) {
		const int64_t *values = NULL;
		struct block_run run = block_run(block->sealed, (enum record_kind)kind);
		if (is_held(block, field, kind)) {
			rc = block_number_column(block->sealed, (enum record_kind)kind,
						 (enum field)field, &values, err);
		}
		if (rc == 0 && values != NULL) {
			memcpy(column->numbers + run.first, values, run.count * sizeof values[0]);
		}
	}
	column->loaded = rc == 0;
	if (rc == 0) {
		*out_values = column->numbers;
	}
	return rc;
}

int scan_sealed_number(struct scan *scan, unsigned field, unsigned kind, const int64_t **out_values,
		       struct error *err)
{
	struct scan_column *column = &scan->columns[field];
	if (kind == 0) {
		return number_of_all(scan, field, out_values, err);
	}
	if (is_held(&scan->block, field, kind)) {
		return block_number_column(scan->block.sealed, (enum record_kind)kind,
					   (enum field)field, out_values, err);
	}
	size_t count = scan->block.rows.of_kind[kind];
	column->loaded = false;
	int rc = scan_numbers_room(column, count + 1, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		column->numbers[i] = INT64_MIN;
	}
	if (rc == 0) {
		*out_values = column->numbers;
	}
	return rc;
}

int scan_sealed_record(struct scan *scan, size_t row, struct record *out_record, struct error *err)
{
	const struct scan_block *block = &scan->block;
	buf_clear(&scan->sealed_record);
	int rc = block_record(block->sealed, (uint32_t)row, &scan->sealed_record, err);
	rc = rc < 0 ? rc : record_decode(buf_str(&scan->sealed_record), out_record, err);
	if (rc < 0) {
		error_prefix(err, "%s, leaf %llu", scan->store->dir, /* as rc */
			     (unsigned long long)block->leaves[row]);
	}
	return rc;
}

void scan_tell_loss(const struct scan_block *block, struct error *err)
{
	if (block->sealed != NULL) {
		blocks_tell_loss(block->sealed_row, err);
	}
}

bool scan_is_whole(const struct scan_block *block)
{
	return block->sealed != NULL && block->sealed_row->is_whole;
}

int scan_parents(const struct scan_block *block, const uint32_t **out_parents, struct error *err)
{
	assert(block->sealed != NULL);
	return block_parents(block->sealed, out_parents, err);
}

uint64_t scan_number(const struct scan_block *block)
{
	return block->sealed != NULL ? block->sealed_row->about.number : 0;
}

/* Whether one of the leaves lies in one of the spans. Both are rising. */
static bool meets(const struct blocks_row *row, const uint64_t *leaves, size_t count)
{
	size_t at = 0;
	for (size_t s = 0; s < row->span_count; s++) {
		size_t low = at;
		size_t high = count;
		while (low < high) { /* the first leaf that is not before the span */
			size_t middle = low + (high - low) / 2;
			if (leaves[middle] < row->spans[s].first) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		at = low;
		if (at < count && leaves[at] <= row->spans[s].last) {
			return true;
		}
	}
	return false;
}

int scan_blocks_of(struct store *store, const uint64_t *leaves, size_t count, struct buf *out,
		   struct error *err)
{
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < store->sealed->count; i++) {
		const struct blocks_row *row = &store->sealed->rows[i];
		if (row->is_whole && meets(row, leaves, count)) {
			buf_put(out, &row->about.number, sizeof row->about.number);
		}
	}
	store_snapshot_end(store);
	return buf_check(out, "the blocks of some records", err);
}

int scan_sealed_numbers(struct store *store, const struct scan_options *options, struct buf *out,
			struct error *err)
{
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < store->sealed->count; i++) {
		const struct blocks_row *row = &store->sealed->rows[i];
		if (scan_wants_sealed(options, row)) {
			buf_put(out, &row->about.number, sizeof row->about.number);
		}
	}
	store_snapshot_end(store);
	return buf_check(out, "the list of blocks", err);
}

int scan_summary(struct store *store, uint64_t number, const struct summary_asked *asked,
		 struct summary **out_summary, struct error *err)
{
	struct buf bytes;
	buf_init(&bytes, 0);
	int rc = store_snapshot_begin(store, err);
	if (rc == 0) {
		rc = blocks_blob(store->reading, number, BLOCKS_SUMMARY, &bytes, err);
		store_snapshot_end(store);
	}
	if (rc == 0 && bytes.len == 0) {
		rc = error_set(err, ERR_GONE, "block %llu has no summary",
			       (unsigned long long)number);
	}
	struct summary_asked whole = *asked;
	whole.number = number;
	whole.bytes = buf_str(&bytes);
	whole.key = store->key;
	rc = rc < 0 ? rc : summary_open_some(&whole, out_summary, err);
	buf_done(&bytes);
	return rc;
}

int scan_rollups(struct store *store, const struct rollup_ask *ask, struct error *err)
{
	struct rollup_ask with_key = *ask;
	int rc = store_snapshot_begin(store, err);
	if (rc == 0) {
		with_key.key = store->key;
		rc = rollup_ask(store->reading, &with_key, err);
		store_snapshot_end(store);
	}
	return rc;
}
