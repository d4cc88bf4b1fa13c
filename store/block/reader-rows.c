#include "store/block/opened.h"

#include <assert.h>
#include <stdlib.h>

#define LEAVES_FEW 32 /* as many are looked for row by row */

int opened_parents(struct block *block, struct error *err)
{
	int rc = block->has_parents ? 0 : frame_get_parents(block->streams, &block->layout, err);
	block->has_parents = rc == 0;
	return rc;
}

/* The durations of statements, which their times are told by. */
static int read_durations(struct block *block, const int64_t **out, struct error *err)
{
	*out = NULL;
	for (uint16_t c = 0; c < block->layout.count; c++) {
		const struct layout_column *column = &block->layout.columns[c];
		if (column->kind == RECORD_STATEMENT && column->what == FIELD_duration_ms) {
			int rc = opened_load(block, c, err);
			*out = rc == 0 ? column->number : NULL;
			return rc;
		}
	}
	return 0;
}

/* The rows of one kind; those of the kinds before it are known. */
static int read_kind(struct block *block, uint8_t kind, struct error *err)
{
	const int64_t *durations = NULL;
	struct layout *layout = &block->layout;
	if (layout->runs[kind].count == 0) {
		return 0;
	}
	int rc = kind == RECORD_STATEMENT ? read_durations(block, &durations, err) : 0;
	rc = rc < 0 ? rc : frame_get_times(block->streams, layout, kind, durations, err);
	return rc < 0 ? rc
		      : frame_get_leaves(block->streams, layout, kind,
					 block->frame.leaf_order[kind], err);
}

int opened_rows(struct block *block, uint8_t kind, struct error *err)
{
	if (block->kinds_known >= kind) {
		return 0;
	}
	if (block->is_reading_rows) {
		return streams_blame(block->streams, LAYOUT_TIMES,
				     "leaves depend on a column, and it on leaves", err);
	}
	block->is_reading_rows = true;
	int rc = kind > RECORD_REQUEST ? opened_parents(block, err) : 0;
	while (rc == 0 && block->kinds_known < kind) {
		rc = read_kind(block, (uint8_t)(block->kinds_known + 1), err);
		block->kinds_known = (uint8_t)(block->kinds_known + (rc == 0));
	}
	block->is_reading_rows = false;
	return rc;
}

int block_complete(struct block *block, struct error *err)
{
	return opened_rows(block, RECORD_KIND_COUNT - 1, err);
}

bool block_is_complete(const struct block *block)
{
	return block->kinds_known == RECORD_KIND_COUNT - 1;
}

int block_leaf_of(struct block *block, uint32_t row, uint64_t *out_leaf, struct error *err)
{
	assert(row < block->layout.row_count);
	int rc = opened_rows(block, block->kinds[row], err);
	*out_leaf = rc == 0 ? block->layout.leaves[row] : 0;
	return rc;
}

/* Rows by leaf, made at the first use. */
static bool sort_rows(struct block *block)
{
	size_t rows = block->layout.row_count;
	uint32_t *order = malloc((rows + 1) * sizeof order[0]);
	for (uint32_t row = 0; order != NULL && row < rows; row++) {
		order[row] = row;
	}
	if (order == NULL || !layout_sort(block->layout.leaves, order, rows)) {
		free(order);
		return false;
	}
	block->by_leaf = order;
	return true;
}

/* Row by row, which is quicker than sorting when few are asked for. */
static uint32_t look_for_leaf(const struct block *block, struct block_run run, uint64_t leaf)
{
	const uint64_t *leaves = block->layout.leaves;
	for (uint32_t row = run.first; row < run.first + run.count; row++) {
		if (leaves[row] == leaf) {
			return row;
		}
	}
	return BLOCK_NO_ROW;
}

uint32_t block_row_of(struct block *block, uint64_t leaf)
{
	const uint64_t *leaves = block->layout.leaves;
	size_t low = 0, high = block->layout.row_count;
	bool few = block->leaves_asked < LEAVES_FEW;
	block->leaves_asked += few ? 1 : 0;
	if (few || (block->by_leaf == NULL && !sort_rows(block))) {
		return look_for_leaf(block, (struct block_run){0, block->layout.row_count}, leaf);
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (leaves[block->by_leaf[middle]] < leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	bool found = low < block->layout.row_count && leaves[block->by_leaf[low]] == leaf;
	return found ? block->by_leaf[low] : BLOCK_NO_ROW;
}

int block_find_leaf(struct block *block, uint64_t leaf, uint32_t *out_row, struct error *err)
{
	int rc = 0;
	*out_row = BLOCK_NO_ROW;
	if (block_is_complete(block)) {
		*out_row = block_row_of(block, leaf);
		return 0;
	}
	for (uint8_t kind = 1; kind < RECORD_KIND_COUNT && *out_row == BLOCK_NO_ROW; kind++) {
		rc = opened_rows(block, kind, err);
		if (rc < 0) {
			return rc;
		}
		*out_row = look_for_leaf(block, block->layout.runs[kind], leaf);
	}
	return 0;
}
