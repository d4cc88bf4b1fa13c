#include "correlator/outside-inner.h"

#include <stdlib.h>

/* Whether a record needs a look, by the newest verdict on it in the block. */
static int needs_visit(struct outside *outside, const struct outside_look *look, uint64_t leaf,
		       bool *out_needs, struct error *err)
{
	struct found_verdict best = {.at = {.row = BLOCK_NO_ROW}};
	int rc = outside_find_verdict(outside, look->place, leaf, &best, err);
	bool none = best.at.row == BLOCK_NO_ROW;
	*out_needs = rc == 0 && (none || (!look->unsaid_only && (best.note & RECALL_FINAL) == 0));
	return rc;
}

/* Marks the rows that need no look: what is no event, and requests that statements hang on. */
static void mark_covered(const struct recall_rows_of *rows, bool statements_only, uint8_t *covered)
{
	for (uint32_t row = 0; row < rows->count; row++) {
		bool statement = rows->kinds[row] == RECORD_STATEMENT;
		covered[row] |=
			!statement && (statements_only || rows->kinds[row] != RECORD_REQUEST);
		if (statement && rows->parents[row] != BLOCK_NO_ROW) {
			covered[rows->parents[row]] = 1;
		}
	}
}

static int visit_row(struct outside *outside, const struct outside_look *look, uint32_t row,
		     struct error *err)
{
	struct recall_rows_of rows;
	bool needs = false;
	int rc = recall_look(outside->recall, look->place, &rows, err);
	if (rc < 0 || rows.kinds == NULL) {
		return rc;
	}
	bool young = rows.kinds[row] == RECORD_STATEMENT && rows.times[row] >= look->young_ns &&
		     look->young_ns != INT64_MAX;
	rc = young ? 0 : needs_visit(outside, look, rows.leaves[row], &needs, err);
	return rc == 0 && (needs || young)
		       ? outside_give(outside, NULL, (struct recall_row){look->place, row}, err)
		       : rc;
}

int outside_visit(struct recall *recall, struct join *join, const struct outside_look *look,
		  uint32_t *out_next, struct error *err)
{
	struct outside outside = outside_of(recall, join);
	size_t before = join_count(join);
	*out_next = OUTSIDE_DONE;
	struct recall_rows_of rows;
	int rc = recall_look(recall, look->place, &rows, err);
	if (rc < 0 || rows.kinds == NULL) {
		return rc;
	}
	uint32_t count = rows.count;
	uint8_t *covered = calloc(count + 1, 1);
	if (covered == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the rows of a block");
	}
	mark_covered(&rows, look->statements_only, covered);
	for (uint32_t row = look->first_row; rc == 0 && row < count; row++) {
		if (join_count(join) - before >= look->most) {
			*out_next = row;
			break;
		}
		rc = covered[row] != 0 ? 0 : visit_row(&outside, look, row, err);
	}
	free(covered);
	return rc;
}

static int give_left(struct outside *outside, uint64_t leaf, struct error *err)
{
	struct recall_row row;
	int rc = recall_find_leaf(outside->recall, leaf, &row, err);
	rc = rc < 0 ? rc : outside_give(outside, NULL, row, err);
	if (rc == 0) {
		join_hold(outside->join, leaf);
	}
	return outside_unless_gone(rc, err);
}

/* The requests that older verdicts on a leaf named may stand without any now. */
static int revisit_named(struct outside *outside, size_t place, uint64_t leaf, struct error *err)
{
	struct recall_run run = {.count = 1};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < run.count; i++) {
		struct record verdict;
		uint64_t verdict_leaf = 0;
		/* Each time anew: looking at others may give the index up. */
		rc = recall_rows(outside->recall, (struct recall_key){place, RECALL_SUBJECTS, leaf},
				 &run, err);
		if (rc < 0 || i >= run.count) {
			break;
		}
		rc = recall_record(outside->recall, (struct recall_row){place, run.entries[i].row},
				   &verdict, &verdict_leaf, err);
		if (rc == 0 && record_has(&verdict, FIELD_request_leaf)) {
			rc = give_left(outside,
				       (uint64_t)record_number(&verdict, FIELD_request_leaf, 0),
				       err);
		}
		rc = outside_unless_gone(rc, err);
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
	struct recall_row row;
	int rc = recall_find_leaf(recall, leaf, &row, err);
	rc = rc < 0 ? rc : outside_give(&outside, NULL, row, err);
	rc = rc < 0 ? rc : revisit_named(&outside, row.place, leaf, err);
	return outside_unless_gone(rc, err);
}
