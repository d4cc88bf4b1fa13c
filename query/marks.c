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
	marks->recent = malloc(MARKS_RECENT * sizeof(*marks->recent));
	if (marks->mark == NULL || (marks->bits == NULL && marks->bits_size > 0) ||
	    marks->recent == NULL) {
		return -ERR_NOMEM;
	}
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
	size_t skipped = block->row_count > MARKS_RECENT ? block->row_count - MARKS_RECENT : 0;
	size_t count = block->row_count - skipped;
	uint64_t first = block->first_leaf + skipped;
	const int64_t *times = block->times + skipped;
	size_t at = (size_t)(first % MARKS_RECENT);
	size_t before_end = count < MARKS_RECENT - at ? count : MARKS_RECENT - at;
	memcpy(marks->recent + at, times, before_end * sizeof(*times));
	memcpy(marks->recent, times + before_end, (count - before_end) * sizeof(*times));
	if (first != marks->recent_to) { /* a block between was skipped, or this is another pass */
		marks->recent_from = first;
	}
	marks->recent_to = first + count;
	if (marks->recent_to - marks->recent_from > MARKS_RECENT) {
		marks->recent_from = marks->recent_to - MARKS_RECENT;
	}
}

void marks_add_block(struct marks *marks, const struct plan *plan, const struct marks_block *block)
{
	assert(block->first_leaf + block->row_count <= marks->leaf_count);
	uint8_t *mark = marks->mark + block->first_leaf;
	const uint8_t *kinds = block->kinds;
	bool all = plan->from_ns == INT64_MIN && plan->to_ns == INT64_MAX;
	/* Without branches, so that the compiler makes both loops wide. */
	for (size_t row = 0; all && row < block->row_count; row++) {
		unsigned statement = kinds[row] == RECORD_STATEMENT ? MARK_STATEMENT : 0;
		unsigned request = kinds[row] == RECORD_REQUEST ? MARK_REQUEST_IN_RANGE : 0;
		mark[row] = (uint8_t)(statement | request);
	}
	for (size_t row = 0; !all && row < block->row_count; row++) {
		unsigned in_range = plan_time(plan, block->times[row]) ? 1 : 0;
		unsigned statement = kinds[row] == RECORD_STATEMENT ? in_range * MARK_STATEMENT : 0;
		unsigned request = kinds[row] == RECORD_REQUEST ? MARK_REQUEST + in_range : 0;
		mark[row] = (uint8_t)(statement | request);
	}
}

int64_t marks_time(const struct marks *marks, uint64_t leaf)
{
	bool kept = leaf >= marks->recent_from && leaf < marks->recent_to;
	return kept ? marks->recent[leaf % MARKS_RECENT] : MARKS_TIME_UNKNOWN;
}
