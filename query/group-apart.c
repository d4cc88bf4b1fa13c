#include "query/group-blocks.h"

#include <stdlib.h>

#define TRAIL (1u << RECORD_STATEMENT | 1u << RECORD_REQUEST | 1u << RECORD_VERDICT)

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the groups; narrow the question");
}

struct anew {
	struct store *store;
	uint8_t *
		here; /* a bit per leaf: the record stands in a block that is not whole; NULL: there is no such block */
	uint64_t leaf_count;
	bool lone; /* requests without a statement are asked for: verdicts on requests matter too */
	struct buf subjects; /* leaves of judged records, uint64_t */
};

static int mark_here(struct anew *anew, const struct scan_block *block, struct error *err)
{
	const uint64_t *leaves = scan_leaves(block);
	const uint8_t *kinds = scan_kinds(block);
	if (anew->here == NULL) {
		anew->here = calloc((size_t)(anew->leaf_count / 8 + 1), 1);
	}
	if (anew->here == NULL) {
		return no_memory(err);
	}
	for (size_t row = 0; row < scan_row_count(block); row++) {
		bool judged = kinds[row] == RECORD_STATEMENT || kinds[row] == RECORD_REQUEST;
		if (judged && leaves[row] < anew->leaf_count) {
			anew->here[leaves[row] / 8] |= (uint8_t)(1u << leaves[row] % 8);
		}
	}
	return 0;
}

static int note_subjects(struct anew *anew, const struct scan_block *block, struct error *err)
{
	const int64_t *statement;
	const int64_t *request;
	struct scan_rows verdicts;
	int result = scan_rows_of(block, RECORD_VERDICT, &verdicts, err);
	if (result != 0 || verdicts.count == 0) {
		return result;
	}
	result = scan_number_of(block, RECORD_VERDICT, FIELD_statement_leaf, &statement, err);
	if (result == 0) {
		result = scan_number_of(block, RECORD_VERDICT, FIELD_request_leaf, &request, err);
	}
	for (size_t i = 0; result == 0 && i < verdicts.count; i++) {
		uint64_t on_statement = (uint64_t)statement[i];
		uint64_t on_request = (uint64_t)request[i];
		if (statement[i] >= 0 && on_statement < anew->leaf_count) {
			buf_put(&anew->subjects, &on_statement, sizeof(on_statement));
		}
		if (anew->lone && request[i] >= 0 && on_request < anew->leaf_count) {
			buf_put(&anew->subjects, &on_request, sizeof(on_request));
		}
	}
	return result == 0 ? buf_check(&anew->subjects, "the verdicts of late", err) : result;
}

static int compare_leaves(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

/* Keeps the subjects that are not here, sorted, each once; returns how many. */
static size_t keep_elsewhere(struct anew *anew)
{
	uint64_t *leaves = (uint64_t *)(void *)anew->subjects.ptr;
	size_t count = anew->subjects.len / sizeof(*leaves);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if ((anew->here[leaves[i] / 8] >> leaves[i] % 8 & 1) == 0) {
			leaves[kept++] = leaves[i];
		}
	}
	if (kept > 1) {
		qsort(leaves, kept, sizeof(*leaves), compare_leaves);
	}
	return kept;
}

static int look_at_rest(struct anew *anew, struct error *err)
{
	const struct scan_options rest = {
		.kinds = TRAIL, .from_ns = INT64_MIN, .to_ns = INT64_MAX, .blocks = SCAN_NOT_WHOLE};
	struct scan *scan;
	struct error local;
	int result = scan_open(anew->store, &rest, &scan, err);
	if (result != 0) {
		return result;
	}
	do { /* damage is told by the pass that counts */
		const struct scan_block *block;
		result = scan_next(scan, &block, &local);
		if (result == 0) {
			result = mark_here(anew, block, &local);
			result = result == 0 ? note_subjects(anew, block, &local) : result;
		}
	} while (result == 0 || result == -ERR_CORRUPT);
	scan_close(scan);
	return result == -ERR_GONE ? 0
				   : error_set(err, (enum error_code)local.code, "%s", local.text);
}

int group_blocks_apart(struct store *store, bool lone, struct buf *out, struct error *err)
{
	struct anew anew = {.store = store, .leaf_count = store_leaf_count(store), .lone = lone};
	buf_init(&anew.subjects, 0);
	int result = look_at_rest(&anew, err);
	if (result == 0) {
		size_t count = keep_elsewhere(&anew);
		result = scan_blocks_of(store, (const uint64_t *)(const void *)anew.subjects.ptr,
					count, out, err);
	}
	buf_done(&anew.subjects);
	free(anew.here);
	return result;
}
