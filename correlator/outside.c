#include "correlator/outside.h"

#include "model/carried.h"

#include <stdlib.h>

struct outside {
	struct recall *recall;
	struct join *join;
	const struct recall_block *blocks;
	size_t block_count;
};

static struct outside outside_of(struct recall *recall, struct join *join)
{
	struct outside outside = {.recall = recall, .join = join};
	outside.blocks = recall_blocks(recall, &outside.block_count);
	return outside;
}

/* A block that became unreadable meanwhile has nothing to give. */
static int unless_gone(int rc, struct error *err)
{
	if (rc != -ERR_GONE) {
		return rc;
	}
	error_clear(err);
	return 0;
}

/* The newest verdict on a leaf in the block at a place, if it is newer than *revision. */
static int find_verdict(struct outside *outside, size_t place, uint64_t leaf, size_t *at_place,
			struct recall_entry *best, struct error *err)
{
	const struct recall_entry *entries = NULL;
	size_t count = 0;
	int rc = recall_rows(outside->recall, place, RECALL_SUBJECTS, leaf, &entries, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (best->row == BLOCK_NO_ROW || entries[i].note > best->note) {
			*best = entries[i];
			*at_place = place;
		}
	}
	return rc;
}

/* Verdicts that were sealed without their subject stand in open blocks. */
static int find_elsewhere(struct outside *outside, size_t place, uint64_t leaf, const char *id,
			  size_t *at_place, struct recall_entry *best, struct error *err)
{
	uint64_t key = carried_key_borne(carried_key(str_of(id)));
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < outside->block_count; i++) {
		bool may = false;
		if (i == place || !outside->blocks[i].is_open) {
			continue;
		}
		rc = recall_may_hold(outside->recall, i, false, key, &may, err);
		rc = rc == 0 && may ? find_verdict(outside, i, leaf, at_place, best, err) : rc;
	}
	return rc;
}

static int give_verdict(struct outside *outside, size_t place, uint32_t row, struct error *err)
{
	struct record verdict;
	uint64_t leaf = 0;
	int rc = recall_record(outside->recall, place, row, &verdict, &leaf, err);
	rc = rc < 0 ? rc : join_restore(outside->join, leaf, &verdict, err);
	return unless_gone(rc, err);
}

/* Gives one row back, with the newest verdict on it. */
static int give(struct outside *outside, const struct join_want *want, size_t place, uint32_t row,
		struct error *err)
{
	struct record record;
	uint64_t leaf = 0;
	char id[RECORD_ID_DIGITS + 1];
	struct recall_entry best = {.row = BLOCK_NO_ROW};
	size_t at_place = place;
	int rc = recall_record(outside->recall, place, row, &record, &leaf, err);
	if (rc < 0) {
		return unless_gone(rc, err);
	}
	record_stable_id(record.source, record.key, id);
	rc = join_recall(outside->join, want, leaf, &record, err);
	rc = rc < 0 ? rc : find_verdict(outside, place, leaf, &at_place, &best, err);
	rc = rc < 0 ? rc : find_elsewhere(outside, place, leaf, id, &at_place, &best, err);
	return rc < 0 || best.row == BLOCK_NO_ROW ? rc
						  : give_verdict(outside, at_place, best.row, err);
}

/* Entries borrow from an index that may be made anew while their rows are given. */
static int give_entries(struct outside *outside, const struct join_want *want, size_t place,
			const struct recall_entry *entries, size_t count, struct error *err)
{
	if (count == 0) {
		return 0;
	}
	struct recall_entry *copy = reallocarray(NULL, count, sizeof *copy);
	if (copy == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu records of a block", count);
	}
	memcpy(copy, entries, count * sizeof *copy);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = give(outside, want, place, copy[i].row, err);
	}
	free(copy);
	return rc;
}

static int answer_id(struct outside *outside, const struct join_want *want, size_t place,
		     struct error *err)
{
	bool claims = want->kind == JOIN_WANT_CLAIMS;
	bool may = false, carried = false;
	int rc = recall_may_hold(outside->recall, place, false, want->key, &may, err);
	if (rc == 0 && claims) {
		rc = recall_may_hold(outside->recall, place, false, carried_key_borne(want->key),
				     &carried, err);
	}
	if (rc < 0 || (!may && !carried)) {
		return rc;
	}
	const struct recall_entry *entries = NULL;
	size_t count = 0;
	rc = recall_rows(outside->recall, place, claims ? RECALL_CLAIMS : RECALL_REQUESTS,
			 want->key, &entries, &count, err);
	return rc < 0 ? rc : give_entries(outside, want, place, entries, count, err);
}

/* Whether the block at a place may hold rows of a session that may do one of these things. */
static int may_mark(struct outside *outside, size_t place, uint64_t session, unsigned marks,
		    bool *out_may, struct error *err)
{
	int rc = 0;
	*out_may = false;
	for (unsigned mark = CARRIED_WRITES; rc == 0 && !*out_may && mark <= CARRIED_RESETS;
	     mark <<= 1) {
		if ((marks & mark) != 0) {
			rc = recall_may_hold(outside->recall, place, false,
					     carried_key_marks(session, (enum carried_mark)mark),
					     out_may, err);
		}
	}
	return rc;
}

static bool is_before(int64_t time_ns, const struct join_want *want)
{
	return want->to_ns == INT64_MAX || time_ns < want->to_ns;
}

/* The rows of a session in the span of a want, copied: those that may do `marks`, or all of them (0). */
static int session_rows(struct outside *outside, const struct join_want *want, size_t place,
			unsigned marks, struct recall_entry **out, size_t *out_count,
			struct error *err)
{
	struct recall_rows_of rows;
	const struct recall_entry *entries = NULL;
	size_t count = 0, kept = 0;
	int rc = recall_rows(outside->recall, place, RECALL_SESSIONS, want->key, &entries, &count,
			     err);
	rc = rc < 0 ? rc : recall_look(outside->recall, place, &rows, err);
	*out = NULL;
	*out_count = 0;
	if (rc < 0 || count == 0 || rows.times == NULL) {
		return rc;
	}
	struct recall_entry *copy = reallocarray(NULL, count, sizeof *copy);
	if (copy == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu records of a session", count);
	}
	for (size_t i = 0; i < count; i++) {
		int64_t time_ns = rows.times[entries[i].row];
		if (is_before(time_ns, want) && time_ns >= want->from_ns &&
		    (marks == 0 || (entries[i].note & marks) != 0)) {
			copy[kept++] = entries[i];
		}
	}
	*out = copy;
	*out_count = kept;
	return 0;
}

static int answer_span(struct outside *outside, const struct join_want *want, bool *out_nothing,
		       struct error *err)
{
	const unsigned all = CARRIED_WRITES | CARRIED_SETS | CARRIED_RESETS;
	unsigned marks = want->kind == JOIN_WANT_MARKS ? all : 0;
	int rc = 0;
	*out_nothing = marks != 0;
	for (size_t place = 0; rc == 0 && place < outside->block_count; place++) {
		const struct recall_block *block = &outside->blocks[place];
		bool within =
			is_before(block->min_time_ns, want) && block->max_time_ns >= want->from_ns;
		bool may = within;
		if (marks != 0 && (within || block->min_time_ns < want->from_ns)) {
			rc = may_mark(outside, place, want->key, marks, &may, err);
			*out_nothing =
				*out_nothing && (!may || block->min_time_ns >= want->from_ns);
		}
		if (rc < 0 || !within || !may) {
			continue;
		}
		struct recall_entry *entries = NULL;
		size_t count = 0;
		rc = session_rows(outside, want, place, marks, &entries, &count, err);
		rc = rc < 0 ? rc : give_entries(outside, want, place, entries, count, err);
		free(entries);
	}
	return rc;
}

struct newest {
	int64_t time_ns;
	bool any;
};

/* Gives the rows of the block at a place that are as new as the newest ones known; returns by *newest what these are. */
static int look_for_base(struct outside *outside, const struct join_want *want, size_t place,
			 struct newest *newest, struct error *err)
{
	struct recall_entry *entries = NULL;
	struct recall_rows_of rows;
	size_t count = 0;
	int rc = session_rows(outside, want, place, want->marks, &entries, &count, err);
	rc = rc < 0 ? rc : recall_look(outside->recall, place, &rows, err);
	for (size_t i = 0; rc == 0 && i < count && rows.times != NULL; i++) {
		int64_t time_ns = rows.times[entries[i].row];
		newest->time_ns =
			!newest->any || time_ns > newest->time_ns ? time_ns : newest->time_ns;
		newest->any = true;
	}
	free(entries);
	return rc;
}

static int give_base(struct outside *outside, const struct join_want *want, int64_t time_ns,
		     struct error *err)
{
	struct join_want at = *want;
	int rc = 0;
	at.from_ns = time_ns;
	at.to_ns = time_ns == INT64_MAX ? INT64_MAX : time_ns + 1;
	for (size_t place = 0; rc == 0 && place < outside->block_count; place++) {
		const struct recall_block *block = &outside->blocks[place];
		bool may = false;
		if (block->min_time_ns > time_ns || block->max_time_ns < time_ns) {
			continue;
		}
		rc = may_mark(outside, place, want->key, want->marks, &may, err);
		if (rc < 0 || !may) {
			continue;
		}
		struct recall_entry *entries = NULL;
		size_t count = 0;
		rc = session_rows(outside, &at, place, want->marks, &entries, &count, err);
		rc = rc < 0 ? rc : give_entries(outside, want, place, entries, count, err);
		free(entries);
	}
	return rc;
}

static int answer_base(struct outside *outside, const struct join_want *want, struct error *err)
{
	struct newest newest = {0};
	int rc = 0;
	for (size_t place = outside->block_count; rc == 0 && place-- > 0;) {
		const struct recall_block *block = &outside->blocks[place];
		bool may = false;
		if (newest.any && block->max_time_ns < newest.time_ns) {
			break; /* they stand in order of their last time */
		}
		if (is_before(block->min_time_ns, want)) {
			rc = may_mark(outside, place, want->key, want->marks, &may, err);
		}
		rc = rc == 0 && may ? look_for_base(outside, want, place, &newest, err) : rc;
	}
	return rc < 0 || !newest.any ? rc : give_base(outside, want, newest.time_ns, err);
}

static int answer_leaf(struct outside *outside, const struct join_want *want, struct error *err)
{
	size_t place = 0;
	uint32_t row = 0;
	int rc = recall_find_leaf(outside->recall, want->key, &place, &row, err);
	return unless_gone(rc < 0 ? rc : give(outside, want, place, row, err), err);
}

/* What is asked by session or leaf, one want after the other. */
static int answer_one(struct outside *outside, const struct join_want *want, struct error *err)
{
	bool nothing_older = false;
	int rc = 0;
	switch (want->kind) {
	case JOIN_WANT_LEAF:
		rc = answer_leaf(outside, want, err);
		break;
	case JOIN_WANT_ROWS:
	case JOIN_WANT_MARKS:
		rc = answer_span(outside, want, &nothing_older, err);
		break;
	case JOIN_WANT_BASE:
		rc = answer_base(outside, want, err);
		break;
	case JOIN_WANT_REQUESTS:
	case JOIN_WANT_CLAIMS:
		break;
	}
	return rc < 0 ? rc : join_answer(outside->join, want, nothing_older, err);
}

static bool is_by_id(const struct join_want *want)
{
	return want->kind == JOIN_WANT_REQUESTS || want->kind == JOIN_WANT_CLAIMS;
}

int outside_answer(struct recall *recall, struct join *join, size_t *out_count, struct error *err)
{
	struct outside outside = outside_of(recall, join);
	const struct join_want *wants = NULL;
	size_t count = join_wants(join, &wants);
	int rc = 0;
	*out_count = count;
	for (size_t place = 0; rc == 0 && place < outside.block_count; place++) {
		for (size_t i = 0; rc == 0 && i < count; i++) {
			rc = is_by_id(&wants[i]) ? answer_id(&outside, &wants[i], place, err) : 0;
		}
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = answer_one(&outside, &wants[i], err);
	}
	return rc;
}

/* Whether a row needs a look: of its newest verdict in the block none is final, and no statement hangs on it. */
static int needs_visit(struct outside *outside, size_t place, uint64_t leaf, bool *out_needs,
		       struct error *err)
{
	struct recall_entry best = {.row = BLOCK_NO_ROW};
	size_t at_place = place;
	int rc = find_verdict(outside, place, leaf, &at_place, &best, err);
	*out_needs = rc == 0 && (best.row == BLOCK_NO_ROW || (best.note & RECALL_FINAL) == 0);
	return rc;
}

/* Marks the rows that need no look: what is no event, and requests that statements hang on. */
static void mark_covered(const struct recall_rows_of *rows, uint8_t *covered)
{
	for (uint32_t row = 0; row < rows->count; row++) {
		bool statement = rows->kinds[row] == RECORD_STATEMENT;
		covered[row] |= rows->kinds[row] != RECORD_REQUEST && !statement;
		if (statement && rows->parents[row] != BLOCK_NO_ROW) {
			covered[rows->parents[row]] = 1;
		}
	}
}

int outside_visit(struct recall *recall, struct join *join, size_t place, int64_t young_ns,
		  struct error *err)
{
	struct outside outside = outside_of(recall, join);
	struct recall_rows_of rows;
	int rc = recall_look(recall, place, &rows, err);
	if (rc < 0 || rows.kinds == NULL) {
		return rc;
	}
	uint32_t count = rows.count;
	uint8_t *covered = calloc(count + 1, 1);
	if (covered == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the rows of a block");
	}
	mark_covered(&rows, covered);
	for (uint32_t row = 0; rc == 0 && row < count; row++) {
		bool needs = false;
		/* Looking at others may close a block. */
		rc = covered[row] != 0 ? 0 : recall_look(recall, place, &rows, err);
		if (rc < 0 || covered[row] != 0 || rows.kinds == NULL) {
			continue;
		}
		bool young = rows.kinds[row] == RECORD_STATEMENT && rows.times[row] >= young_ns;
		rc = young ? 0 : needs_visit(&outside, place, rows.leaves[row], &needs, err);
		rc = rc == 0 && (needs || young) ? give(&outside, NULL, place, row, err) : rc;
	}
	free(covered);
	return rc;
}

static int give_left(struct outside *outside, uint64_t leaf, struct error *err)
{
	size_t place = 0;
	uint32_t row = 0;
	int rc = recall_find_leaf(outside->recall, leaf, &place, &row, err);
	rc = rc < 0 ? rc : give(outside, NULL, place, row, err);
	if (rc == 0) {
		join_hold(outside->join, leaf);
	}
	return unless_gone(rc, err);
}

/* The requests that older verdicts on a leaf named may stand without any now. */
static int revisit_named(struct outside *outside, size_t place, uint64_t leaf, struct error *err)
{
	const struct recall_entry *entries = NULL;
	size_t count = 1;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct record verdict;
		uint64_t verdict_leaf = 0;
		/* Each time anew: looking at others may give the index up. */
		rc = recall_rows(outside->recall, place, RECALL_SUBJECTS, leaf, &entries, &count,
				 err);
		if (rc < 0 || i >= count) {
			break;
		}
		rc = recall_record(outside->recall, place, entries[i].row, &verdict, &verdict_leaf,
				   err);
		if (rc == 0 && record_has(&verdict, FIELD_request_leaf)) {
			rc = give_left(outside,
				       (uint64_t)record_number(&verdict, FIELD_request_leaf, 0),
				       err);
		}
		rc = unless_gone(rc, err);
	}
	return rc;
}

int outside_left(struct recall *recall, struct join *join, uint64_t leaf, struct error *err)
{
	struct outside outside = outside_of(recall, join);
	return give_left(&outside, leaf, err);
}

int outside_revisit(struct recall *recall, struct join *join, uint64_t leaf, struct error *err)
{
	struct outside outside = outside_of(recall, join);
	size_t place = 0;
	uint32_t row = 0;
	int rc = recall_find_leaf(recall, leaf, &place, &row, err);
	rc = rc < 0 ? rc : give(&outside, NULL, place, row, err);
	rc = rc < 0 ? rc : revisit_named(&outside, place, leaf, err);
	return unless_gone(rc, err);
}
