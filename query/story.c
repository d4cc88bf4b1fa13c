#include "query/story.h"

#include "base/parse.h"

#include <stdlib.h>

static bool has(const struct story_list *list, uint64_t leaf)
{
	size_t low = 0;
	size_t high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list->leaf[middle] < leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < list->count && list->leaf[low] == leaf;
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for what belongs to this id");
}

/* Puts a leaf in its place, once. */
static int add(struct story_list *list, uint64_t leaf, struct error *err)
{
	if (has(list, leaf)) {
		return 0;
	}
	if (list->count == list->room) {
		size_t room = list->room > 0 ? list->room * 2 : 16;
		uint64_t *larger = realloc(list->leaf, room * sizeof(*larger));
		if (larger == NULL) {
			return no_memory(err);
		}
		list->leaf = larger;
		list->room = room;
	}
	size_t at = list->count++;
	while (at > 0 && list->leaf[at - 1] > leaf) {
		list->leaf[at] = list->leaf[at - 1];
		at--;
	}
	list->leaf[at] = leaf;
	return 0;
}

static int add_verdict(struct story *story, const struct story_verdict *verdict, struct error *err)
{
	if (story->verdict_count == story->verdict_room) {
		size_t room = story->verdict_room > 0 ? story->verdict_room * 2 : 16;
		struct story_verdict *larger =
			realloc(story->verdicts, room * sizeof(*story->verdicts));
		if (larger == NULL) {
			return no_memory(err);
		}
		story->verdicts = larger;
		story->verdict_room = room;
	}
	story->verdicts[story->verdict_count++] = *verdict;
	return 0;
}

static uint64_t leaf_or_none(int64_t value)
{
	return value < 0 ? STORY_NO_LEAF : (uint64_t)value;
}

static void note_damage(struct story *story, const struct error *err)
{
	if (story->damaged++ == 0) {
		story->damage = *err;
	}
}

static int collect_block(struct story *story, const struct scan_block *block, struct error *err)
{
	const int64_t *statement;
	const int64_t *request;
	const uint64_t *leaves = scan_leaves(block);
	struct scan_rows rows;
	int result = scan_rows_of(block, RECORD_VERDICT, &rows, err);
	if (result == 0) {
		result = scan_number_of(block, RECORD_VERDICT, FIELD_statement_leaf, &statement,
					err);
	}
	if (result == 0) {
		result = scan_number_of(block, RECORD_VERDICT, FIELD_request_leaf, &request, err);
	}
	for (size_t i = 0; result == 0 && i < rows.count; i++) {
		struct story_verdict verdict = {leaves[rows.row[i]], leaf_or_none(statement[i]),
						leaf_or_none(request[i])};
		if (has(&story->statements, verdict.statement_leaf) ||
		    has(&story->requests, verdict.request_leaf)) {
			result = add_verdict(story, &verdict, err);
		}
	}
	return result;
}

static int compare_verdicts(const void *left, const void *right)
{
	const struct story_verdict *a = left;
	const struct story_verdict *b = right;
	return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

/* The whole blocks that hold what is known, as numbers: what else belongs to it stands in them, in blocks that are not whole, or in the head. */
static int find_blocks(struct store *store, const struct story *story, struct buf *out,
		       struct error *err)
{
	const struct story_list *lists[] = {&story->requests, &story->statements};
	int result = 0;
	for (size_t i = 0; result == 0 && i < 2; i++) {
		result = scan_blocks_of(store, lists[i]->leaf, lists[i]->count, out, err);
	}
	return result;
}

/* All verdicts that touch the statements and requests known so far. Damage is the same in every pass: the last one counts it. */
static int collect_verdicts(struct store *store, struct story *story, bool is_last,
			    struct error *err)
{
	struct error first;
	uint64_t damaged = 0;
	error_clear(&first);
	struct buf blocks;
	struct scan *scan = NULL;
	story->verdict_count = 0;
	buf_init(&blocks, 0);
	int result = find_blocks(store, story, &blocks, err);
	struct scan_options options = {.kinds = 1u << RECORD_VERDICT,
				       .from_ns = INT64_MIN,
				       .to_ns = INT64_MAX,
				       .blocks = SCAN_NOT_WHOLE,
				       .apart = (const uint64_t *)(const void *)blocks.ptr,
				       .apart_count = blocks.len / sizeof(uint64_t)};
	result = result == 0 ? scan_open(store, &options, &scan, err) : result;
	while (result == 0) {
		const struct scan_block *block;
		result = scan_next(scan, &block, err);
		if (result == 0) {
			result = collect_block(story, block, err);
		}
		if (result == -ERR_CORRUPT) {
			damaged++;
			first = damaged == 1 ? *err : first;
			result = 0;
		}
	}
	if (result == -ERR_GONE) {
		result = 0;
	}
	if (result == 0 && is_last && damaged > 0) {
		note_damage(story, &first);
		story->damaged += damaged - 1;
	}
	scan_close(scan);
	buf_done(&blocks);
	if (story->verdict_count > 1) {
		qsort(story->verdicts, story->verdict_count, sizeof(*story->verdicts),
		      compare_verdicts);
	}
	return result;
}

const struct story_verdict *story_standing(const struct story *story, uint64_t statement_leaf)
{
	for (size_t i = story->verdict_count; i > 0; i--) {
		if (story->verdicts[i - 1].statement_leaf == statement_leaf) {
			return &story->verdicts[i - 1];
		}
	}
	return NULL;
}

/* Sorts what the id names into requests, statements and others. A verdict stands for its statement. */
static int classify(struct store *store, struct story *story, const uint64_t *leaves, size_t count,
		    struct error *err)
{
	struct scan_fetch *fetch;
	int result = scan_fetch_open(store, &fetch, err);
	if (result != 0) {
		return result;
	}
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct record record;
		int64_t ignored;
		result = scan_fetch_record(fetch, leaves[i], &record, &ignored, err);
		if (result == -ERR_CORRUPT) {
			note_damage(story, err);
			result = 0;
			continue;
		}
		if (result == -ERR_GONE) { /* removed */
			story->found_count--;
			error_clear(err);
			result = 0;
			continue;
		}
		if (result != 0) {
			break;
		}
		uint64_t statement =
			leaf_or_none(record_has(&record, FIELD_statement_leaf)
					     ? record_number(&record, FIELD_statement_leaf, -1)
					     : -1);
		if (record.kind == RECORD_REQUEST) {
			result = add(&story->requests, leaves[i], err);
		} else if (record.kind == RECORD_STATEMENT) {
			result = add(&story->statements, leaves[i], err);
		} else if (record.kind == RECORD_VERDICT && statement != STORY_NO_LEAF) {
			result = add(&story->statements, statement, err);
		} else {
			result = add(&story->others, leaves[i], err);
		}
	}
	scan_fetch_close(fetch);
	return result;
}

static int extend(struct store *store, struct story *story, struct error *err)
{
	/* From statements to the requests that they stand under ... */
	int result = collect_verdicts(store, story, false, err);
	for (size_t i = 0; result == 0 && i < story->statements.count; i++) {
		const struct story_verdict *verdict =
			story_standing(story, story->statements.leaf[i]);
		if (verdict != NULL && verdict->request_leaf != STORY_NO_LEAF) {
			result = add(&story->requests, verdict->request_leaf, err);
		}
	}
	/* ... from requests to all statements that ever stood under them ... */
	result = result == 0 ? collect_verdicts(store, story, false, err) : result;
	for (size_t i = 0; result == 0 && i < story->verdict_count; i++) {
		if (story->verdicts[i].statement_leaf != STORY_NO_LEAF) {
			result = add(&story->statements, story->verdicts[i].statement_leaf, err);
		}
	}
	/* ... and the whole history of these. */
	return result == 0 ? collect_verdicts(store, story, true, err) : result;
}

int story_find(struct store *store, struct str id, struct story *out_story, struct error *err)
{
	*out_story = (struct story){0};
	uint64_t leaves[STORY_FOUND_MAX];
	uint64_t number;
	struct scan_found found = {.leaves = leaves, .max = STORY_FOUND_MAX};
	struct error local;
	error_clear(&local);
	int result = scan_find_id(store, id, &found, &local);
	if (result == -ERR_CORRUPT) {
		note_damage(out_story, &local);
		result = 0;
	}
	if (result != 0) {
		return error_set(err, (enum error_code) - result, "%s", local.text);
	}
	size_t count = found.count;
	if (count == 0 && parse_u64(id, &number) && number < store_leaf_count(store)) {
		leaves[0] = number;
		count = 1;
	}
	out_story->found_count = count;
	if (count == 0) {
		return 0;
	}
	size_t known = count < STORY_FOUND_MAX ? count : STORY_FOUND_MAX;
	result = classify(store, out_story, leaves, known, &local);
	if (result == 0 && out_story->requests.count + out_story->statements.count > 0) {
		result = extend(store, out_story, &local);
	}
	return result == 0 ? 0 : error_set(err, (enum error_code) - result, "%s", local.text);
}

void story_done(struct story *story)
{
	free(story->requests.leaf);
	free(story->statements.leaf);
	free(story->others.leaf);
	free(story->verdicts);
	*story = (struct story){0};
}
