#include "query/run-state.h"

#include <stdlib.h>

int run_grow(void **memory, size_t *room, size_t count, size_t size)
{
	if (count < *room) {
		return 0;
	}
	size_t wanted = *room > 0 ? *room * 2 : 256;
	void *larger = realloc(*memory, wanted * size);
	if (larger == NULL) {
		return -ERR_NOMEM;
	}
	*memory = larger;
	*room = wanted;
	return 0;
}

int run_no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the rows found; narrow the query");
}

/* Rows without a statement are found again by their leaf: later a verdict may name their request. */
static bool is_lone(const struct run_row *row)
{
	return row->leaf == row->request_leaf;
}

int run_set_row(struct run *run, const struct run_row *row, struct error *err)
{
	struct run_result *result = run->result;
	uint8_t *mark = &run->marks.mark[row->leaf];
	void *rows = result->rows;
	if (run_grow(&rows, &run->row_room, result->row_count, sizeof(*result->rows)) != 0) {
		return run_no_memory(err);
	}
	result->rows = rows;
	if (is_lone(row) && u64map_put(&run->lone_of, row->leaf, result->row_count) != 0) {
		return run_no_memory(err);
	}
	result->rows[result->row_count] = *row;
	result->rows[result->row_count].id = result->row_count; /* the last one of a leaf counts */
	result->row_count++;
	run->has_doubles = run->has_doubles || (*mark & MARKS_ROW) != 0;
	*mark |= MARKS_ROW;
	return 0;
}

void run_unset_row(struct run *run, uint64_t leaf)
{
	uint8_t *mark = &run->marks.mark[leaf];
	run->has_doubles = run->has_doubles || (*mark & MARKS_ROW) != 0;
	*mark &= (uint8_t)~MARKS_ROW;
	uint64_t *index = u64map_get(&run->late_of, leaf);
	if (index != NULL) {
		run->late[*index].leaf = RUN_NO_LEAF;
		(void)u64map_remove(&run->late_of, leaf); /* it is there */
	}
}

static int compare_rows(const void *left, const void *right)
{
	const struct run_row *a = left;
	const struct run_row *b = right;
	return a->leaf != b->leaf ? (a->leaf > b->leaf) - (a->leaf < b->leaf)
				  : (a->id > b->id) - (a->id < b->id);
}

void run_keep_rows(struct run *run)
{
	struct run_row *rows = run->result->rows;
	size_t count = run->result->row_count;
	size_t kept = 0;
	if (run->has_doubles && count > 1) {
		qsort(rows, count, sizeof(*rows), compare_rows);
	}
	for (size_t i = 0; i < count; i++) {
		bool is_last =
			!run->has_doubles || i + 1 == count || rows[i + 1].leaf != rows[i].leaf;
		if (is_last && (run->marks.mark[rows[i].leaf] & MARKS_ROW) != 0) {
			rows[kept] = rows[i];
			rows[kept++].id = 0;
		}
	}
	run->result->row_count = kept;
	run->has_doubles = false;
}
