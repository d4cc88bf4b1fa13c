#include "query/marks.h"

#include <assert.h>
#include <stdlib.h>

_Static_assert(GRADE_COUNT <= 8, "a grade has three bits of a mark");

int marks_init(struct marks *marks, uint64_t leaf_count, size_t atom_count)
{
	*marks = (struct marks){.leaf_count = leaf_count};
	size_t count = leaf_count + 1; /* never of size 0 */
	marks->bits_size = atom_count <= MARKS_INLINE_ATOMS ? 0 : (atom_count + 7) / 8;
	marks->mark = calloc(count, 1);
	marks->bits = marks->bits_size == 0 ? NULL : calloc(count, marks->bits_size);
	marks->recent = calloc(MARKS_RECENT, sizeof(*marks->recent));
	if (marks->mark == NULL || (marks->bits == NULL && marks->bits_size > 0) ||
	    marks->recent == NULL) {
		return -ERR_NOMEM;
	}
	marks->recent[0].leaf = UINT64_MAX; /* all others are no leaf of their place */
	return 0;
}

void marks_done(struct marks *marks)
{
	free(marks->mark);
	free(marks->bits);
	free(marks->recent);
	*marks = (struct marks){0};
}

void marks_keep_times(struct marks *marks, const struct marks_block *block)
{
	for (size_t row = 0; row < block->row_count; row++) {
		uint8_t kind = block->kinds[row];
		if (kind == RECORD_STATEMENT || kind == RECORD_REQUEST) {
			uint64_t leaf = block->leaves[row];
			marks->recent[leaf % MARKS_RECENT] =
				(struct marks_time){leaf, block->times[row]};
		}
	}
}

void marks_add_block(struct marks *marks, const struct plan *plan, const struct marks_block *block)
{
	const uint8_t *kinds = block->kinds;
	bool all = plan->from_ns == INT64_MIN && plan->to_ns == INT64_MAX;
	for (size_t row = 0; row < block->row_count; row++) {
		unsigned in_range = all || plan_time(plan, block->times[row]) ? 1 : 0;
		unsigned statement = kinds[row] == RECORD_STATEMENT ? in_range * MARK_STATEMENT : 0;
		unsigned request = kinds[row] == RECORD_REQUEST ? MARK_REQUEST + in_range : 0;
		assert(block->leaves[row] < marks->leaf_count);
		marks->mark[block->leaves[row]] = (uint8_t)(statement | request);
	}
}

int64_t marks_time(const struct marks *marks, uint64_t leaf)
{
	const struct marks_time *kept = &marks->recent[leaf % MARKS_RECENT];
	return kept->leaf == leaf ? kept->time_ns : MARKS_TIME_UNKNOWN;
}
