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

int run_set_row(struct run *run, const struct run_row *row, struct error *err)
{
	struct run_result *result = run->result;
	uint64_t *index = u64map_get(&run->row_of, row->leaf);
	if (index != NULL) {
		result->rows[*index] = *row;
		run->marks.mark[row->leaf] |= MARKS_ROW;
		return 0;
	}
	void *rows = result->rows;
	if (run_grow(&rows, &run->row_room, result->row_count, sizeof(*result->rows)) != 0) {
		return run_no_memory(err);
	}
	result->rows = rows;
	if (u64map_put(&run->row_of, row->leaf, result->row_count) != 0) {
		return run_no_memory(err);
	}
	result->rows[result->row_count++] = *row;
	run->marks.mark[row->leaf] |= MARKS_ROW;
	return 0;
}

void run_unset_row(struct run *run, uint64_t leaf)
{
	run->marks.mark[leaf] &= (uint8_t)~MARKS_ROW;
	uint64_t *index = u64map_get(&run->late_of, leaf);
	if (index != NULL) {
		run->late[*index].leaf = RUN_NO_LEAF;
		(void)u64map_remove(&run->late_of, leaf); /* it is there */
	}
}
