#include "store/seal-pull.h"

#include <stdlib.h>

#define SPANS_LOOKED_AT \
	16 /* spans of different blocks lie over one another; further back none is looked at */

struct placed_span {
	uint64_t first, last;
	uint32_t block; /* its place in the list */
};

struct pulling {
	const struct seal_pull *pull;
	uint64_t *leaves; /* of the items, rising */
	struct placed_span *spans;
	size_t span_count;
	uint32_t *named; /* per block: how many rows */
};

static int compare_leaves(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

static int compare_spans(const void *a, const void *b)
{
	const struct placed_span *left = a, *right = b;
	return left->first < right->first ? -1 : left->first > right->first;
}

static bool is_taken(const struct seal_pull *pull, uint64_t number)
{
	for (size_t i = 0; i < pull->taken_count; i++) {
		if (pull->taken[i] == number) {
			return true;
		}
	}
	return false;
}

/* Whether a block may be wanted at all. */
static bool is_candidate(const struct seal_pull *pull, const struct blocks_row *row)
{
	bool waits = row->is_open && !pull->close && row->about.max_time_ns > pull->settled_ns;
	return !waits && !is_taken(pull, row->about.number) &&
	       row->about.row_count <= pull->rows_max;
}

static int place_spans(struct pulling *pulling)
{
	const struct blocks_list *list = pulling->pull->blocks;
	size_t room = 0;
	for (size_t i = 0; i < list->count; i++) {
		room += list->rows[i].span_count;
	}
	pulling->spans = calloc(room + 1, sizeof pulling->spans[0]);
	pulling->named = calloc(list->count + 1, sizeof pulling->named[0]);
	if (pulling->spans == NULL || pulling->named == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct blocks_row *row = &list->rows[i];
		for (size_t s = 0; is_candidate(pulling->pull, row) && s < row->span_count; s++) {
			pulling->spans[pulling->span_count++] = (struct placed_span){
				row->spans[s].first, row->spans[s].last, (uint32_t)i};
		}
	}
	qsort(pulling->spans, pulling->span_count, sizeof pulling->spans[0], compare_spans);
	return 0;
}

static int sort_leaves(struct pulling *pulling)
{
	const struct seal_pull *pull = pulling->pull;
	bool sorted = true;
	pulling->leaves = calloc(pull->count + 1, sizeof pulling->leaves[0]);
	if (pulling->leaves == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < pull->count; i++) {
		pulling->leaves[i] = pull->items[i].leaf;
		sorted = sorted && (i == 0 || pulling->leaves[i - 1] < pulling->leaves[i]);
	}
	if (!sorted) {
		qsort(pulling->leaves, pull->count, sizeof pulling->leaves[0], compare_leaves);
	}
	return 0;
}

/* Counts a leaf for the block that holds it, unless it is among the items. */
static void count_leaf(struct pulling *pulling, uint64_t leaf)
{
	size_t low = 0, high = pulling->span_count;
	if (leaf == SEAL_NO_LEAF || bsearch(&leaf, pulling->leaves, pulling->pull->count,
					    sizeof leaf, compare_leaves) != NULL) {
		return;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (pulling->spans[middle].first <= leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (size_t back = 0; back < SPANS_LOOKED_AT && back < low; back++) {
		const struct placed_span *span = &pulling->spans[low - 1 - back];
		if (leaf <= span->last) {
			pulling->named[span->block]++;
			return;
		}
	}
}

static int choose(const struct pulling *pulling, uint64_t **out_numbers, size_t *out_count)
{
	const struct blocks_list *list = pulling->pull->blocks;
	uint64_t *numbers = calloc(list->count + 1, sizeof numbers[0]);
	uint64_t rows = 0;
	size_t count = 0;
	if (numbers == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct block_about *about = &list->rows[i].about;
		if (pulling->named[i] > about->row_count / SEAL_PULL_SHARE &&
		    rows + about->row_count <= pulling->pull->rows_max) {
			rows += about->row_count;
			numbers[count++] = about->number;
		}
	}
	*out_numbers = numbers;
	*out_count = count;
	return 0;
}

int seal_pull_find(const struct seal_pull *pull, uint64_t **out_numbers, size_t *out_count)
{
	struct pulling pulling = {.pull = pull};
	int rc = place_spans(&pulling);
	rc = rc < 0 || pulling.span_count == 0 ? rc : sort_leaves(&pulling);
	for (size_t i = 0; rc == 0 && pulling.span_count > 0 && i < pull->count; i++) {
		const struct seal_item *item = &pull->items[i];
		if (item->kind == RECORD_VERDICT) {
			count_leaf(&pulling, item->subject);
			if (item->request != item->subject) {
				count_leaf(&pulling, item->request);
			}
		}
	}
	rc = rc < 0 ? rc : choose(&pulling, out_numbers, out_count);
	free(pulling.leaves);
	free(pulling.spans);
	free(pulling.named);
	return rc;
}
