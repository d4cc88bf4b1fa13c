#include "query/run.h"

#include "query/row-order.h"
#include "query/run-state.h"

#include <assert.h>
#include <stdlib.h>

/* The row's own words (time, leaf) of requests that may be rows themselves. */
static int add_lone_atoms(struct run *run, const struct scan_block *block, struct error *err)
{
	struct scan_rows requests;
	int result = scan_rows_of(block, RECORD_REQUEST, &requests, err);
	for (size_t i = 0; result == 0 && i < requests.count; i++) {
		uint64_t leaf = scan_leaves(block)[requests.row[i]];
		int64_t time_ns = scan_times(block)[requests.row[i]];
		marks_add_bits(&run->marks, leaf, plan_lone_atoms(run->plan, time_ns, leaf));
	}
	return result;
}

/* Until a verdict on one is met, statements are pending. */
static int count_pending(struct run *run, const struct scan_block *block, struct error *err)
{
	const uint64_t *leaves = scan_leaves(block);
	struct scan_rows statements;
	int result = scan_rows_of(block, RECORD_STATEMENT, &statements, err);
	for (size_t i = 0; result == 0 && i < statements.count; i++) {
		uint64_t leaf = leaves[statements.row[i]];
		run->result->statements[GRADE_PENDING] +=
			marks_kind(&run->marks, leaf) == MARK_STATEMENT;
	}
	return result;
}

/* When all verdicts are known: statements that none of them is about. */
static int take_pending(struct run *run, struct error *err)
{
	const struct plan *plan = run->plan;
	const struct marks *marks = &run->marks;
	int result = 0;
	if (!plan_grade(plan, GRADE_PENDING) || run->result->statements[GRADE_PENDING] == 0) {
		return 0;
	}
	for (uint64_t leaf = 0; result == 0 && leaf < marks->leaf_count; leaf++) {
		bool is_pending = marks_kind(marks, leaf) == MARK_STATEMENT &&
				  marks_grade(marks, leaf) == GRADE_PENDING &&
				  u64map_get(&run->revision_of, leaf) == NULL;
		if (is_pending && plan_holds(plan, marks_bits(marks, leaf) | plan->pending_bits)) {
			struct run_row row = {marks_time(marks, leaf), leaf, RUN_NO_LEAF,
					      RUN_NO_LEAF, 0};
			result = run_set_row(run, &row, err);
		}
	}
	return result;
}

/* Statements and requests of a block, with the atoms that they make true. */
static int take_rows(struct run *run, const struct scan_block *block, struct error *err)
{
	const struct block_atoms *atoms = &run->atoms;
	struct marks *marks = &run->marks;
	struct marks_block marked = {scan_leaves(block), scan_row_count(block), scan_kinds(block),
				     scan_times(block)};
	marks_add_block(marks, run->plan, &marked);
	for (size_t i = 0; i < atoms->touched_count; i++) {
		uint64_t leaf = marked.leaves[atoms->touched[i]];
		if (marks_kind(marks, leaf) != MARK_NONE) {
			marks_add_bits(marks, leaf, atoms->bits[atoms->touched[i]]);
		}
	}
	int result = run->plan->lone_requests ? add_lone_atoms(run, block, err) : 0;
	return result != 0 ? result : count_pending(run, block, err);
}

static int take_gaps(struct run *run, const struct scan_block *block, struct error *err)
{
	struct run_result *result = run->result;
	const uint8_t *kinds = scan_kinds(block);
	for (size_t row = 0; row < scan_row_count(block); row++) {
		struct record record;
		if (kinds[row] != RECORD_GAP) {
			continue;
		}
		int rc = scan_record(block, row, &record, err);
		if (rc != 0) {
			return rc;
		}
		struct run_gap gap = {
			.leaf = scan_leaves(block)[row],
			.from_ns = record_number(&record, FIELD_gap_from, INT64_MIN),
			.to_ns = record_number(&record, FIELD_gap_to, INT64_MAX),
		};
		if (gap.to_ns <= run->plan->from_ns || gap.from_ns >= run->plan->to_ns) {
			continue;
		}
		assert(record.source.len <= RECORD_SOURCE_MAX);
		memcpy(gap.source, record.source.ptr, record.source.len);
		if (result->gap_count < RUN_GAPS_MAX) {
			result->gaps[result->gap_count] = gap;
		}
		result->gap_count++;
	}
	return 0;
}

static int take_block(struct run *run, const struct scan_block *block, unsigned kinds,
		      struct error *err)
{
	int result = block_atoms_load(&run->atoms, run->plan, kinds, block, err);
	if (result != 0) {
		return result;
	}
	struct marks_block times = {scan_leaves(block), scan_row_count(block), scan_kinds(block),
				    scan_times(block)};
	marks_keep_times(&run->marks, &times);
	if ((kinds >> RECORD_STATEMENT & 1u) != 0) {
		result = take_rows(run, block, err);
	}
	if (result == 0 && (kinds & scan_held(block) & 1u << RECORD_VERDICT) != 0) {
		result = run_take_verdicts(run, block, err);
	}
	if (result == 0 && (kinds & scan_held(block) & 1u << RECORD_GAP) != 0) {
		result = take_gaps(run, block, err);
	}
	return result;
}

void run_result_note_damage(struct run_result *result, const struct error *what)
{
	result->stats.blocks_damaged++;
	if (result->damage[0] == '\0') {
		memcpy(result->damage, what->text, sizeof(what->text));
		return;
	}
	for (size_t i = 0; i < RUN_DAMAGES_MAX - 1; i++) {
		if (result->more_damage[i][0] == '\0') {
			memcpy(result->more_damage[i], what->text, sizeof(what->text));
			return;
		}
	}
}

void run_note_damage(struct run *run, const struct error *err)
{
	run_result_note_damage(run->result, err);
}

static int pass(struct run *run, const struct scan_options *options, struct error *err)
{
	struct scan *scan;
	struct error local;
	int result = scan_open(run->store, options, &scan, err);
	if (result != 0) {
		return result;
	}
	for (;;) {
		const struct scan_block *block;
		result = scan_next(scan, &block, &local);
		if (result == 0) {
			result = take_block(run, block, options->kinds, &local);
			if (result == -ERR_CORRUPT) {
				scan_tell_loss(block, &local);
			}
		}
		if (result == -ERR_CORRUPT) {
			run_note_damage(run, &local);
			continue;
		}
		if (result != 0) {
			break;
		}
	}
	struct scan_stats stats = scan_stats(scan);
	struct scan_stats *sum = &run->result->stats;
	sum->blocks += stats.blocks;
	sum->blocks_skipped += stats.blocks_skipped;
	sum->rows += stats.rows;
	sum->bytes_read += stats.bytes_read;
	scan_close(scan);
	if (result == -ERR_GONE) {
		return 0;
	}
	if (err != NULL) {
		*err = local;
	}
	return result;
}

static int finish(struct run *run, struct error *err)
{
	struct run_result *result = run->result;
	struct error local;
	int rc = run_take_late(run, err);
	rc = rc != 0 ? rc : take_pending(run, err);
	if (rc != 0) {
		return rc;
	}
	run_keep_rows(run);
	rc = row_order_times(run->store, result->rows, result->row_count, &local);
	if (rc == -ERR_CORRUPT) { /* a block that was read a moment ago */
		run_note_damage(run, &local);
		for (size_t i = 0; i < result->row_count; i++) {
			if (result->rows[i].time_ns == MARKS_TIME_UNKNOWN) {
				run_unset_row(run, result->rows[i].leaf);
			}
		}
		run_keep_rows(run);
	} else if (rc != 0) {
		return error_set(err, (enum error_code) - rc, "%s", local.text);
	}
	return row_order_sort(run->store, result->rows, result->row_count, err);
}

static int allocate(struct run *run, struct error *err)
{
	u64map_init(&run->revision_of, SIZE_MAX / 64);
	u64map_init(&run->lone_of, SIZE_MAX / 64);
	u64map_init(&run->late_of, SIZE_MAX / 64);
	int rc = scan_fetch_open(run->store, &run->fetch, err); /* all passes see its snapshot */
	if (rc != 0) {
		return rc;
	}
	uint64_t leaf_count = store_leaf_count(run->store);
	run->result->gaps = calloc(RUN_GAPS_MAX, sizeof(*run->result->gaps));
	if (marks_init(&run->marks, leaf_count, run->plan->atom_count) != 0 ||
	    run->result->gaps == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to look at %llu records",
				 (unsigned long long)leaf_count);
	}
	return 0;
}

static int scan_trails(struct run *run, struct error *err)
{
	const unsigned trail = 1u << RECORD_STATEMENT | 1u << RECORD_REQUEST;
	const unsigned rest = 1u << RECORD_VERDICT | 1u << RECORD_GAP;
	const struct plan *plan = run->plan;
	struct scan_options all = {.kinds = trail | rest,
				   .from_ns = INT64_MIN,
				   .to_ns = INT64_MAX,
				   .blocks = run->part->blocks,
				   .apart = run->part->apart,
				   .apart_count = run->part->apart_count};
	run->one_pass =
		plan->from_ns == INT64_MIN && plan->to_ns == INT64_MAX && !plan->lone_requests;
	if (run->one_pass) {
		int result = pass(run, &all, err);
		run->one_pass = false;
		return result != 0 ? result : run_take_early(run, err);
	}
	/* Verdicts and gaps are dated by when they were said, so the bounds skip only blocks of the others. */
	struct scan_options bounded = all;
	bounded.kinds = trail;
	bounded.from_ns = plan->from_ns;
	bounded.to_ns = plan->to_ns;
	int result = pass(run, &bounded, err);
	if (result == 0 && plan->lone_requests) {
		run->stage = RUN_ON_REQUESTS;
		all.kinds = 1u << RECORD_VERDICT;
		result = pass(run, &all, err);
		run->stage = RUN_ON_STATEMENTS;
	}
	all.kinds = rest;
	return result != 0 ? result : pass(run, &all, err);
}

static int scan_all(struct run *run, struct error *err)
{
	/* Gaps concern every part. */
	struct scan_options gaps = {.kinds = 1u << RECORD_GAP,
				    .from_ns = INT64_MIN,
				    .to_ns = INT64_MAX,
				    .blocks = SCAN_WHOLE,
				    .apart = run->part->apart,
				    .apart_count = run->part->apart_count};
	int result = scan_trails(run, err);
	return result != 0 || run->part->blocks != SCAN_NOT_WHOLE ? result : pass(run, &gaps, err);
}

int run_plan_part(struct store *store, const struct plan *plan, const struct run_part *part,
		  struct run_result *out_result, struct error *err)
{
	*out_result = (struct run_result){0};
	struct run run = {.store = store, .plan = plan, .part = part, .result = out_result};
	int result = allocate(&run, err);
	if (result == 0) {
		result = scan_all(&run, err);
	}
	if (result == 0) {
		result = finish(&run, err);
	}
	marks_done(&run.marks);
	free(run.grades);
	free(run.late);
	free(run.early);
	scan_fetch_close(run.fetch);
	u64map_done(&run.revision_of);
	u64map_done(&run.lone_of);
	u64map_done(&run.late_of);
	block_atoms_done(&run.atoms);
	if (result != 0) {
		run_result_clear(out_result);
	}
	return result;
}

int run_plan(struct store *store, const struct plan *plan, struct run_result *out_result,
	     struct error *err)
{
	static const struct run_part everything = {.blocks = SCAN_ALL};
	return run_plan_part(store, plan, &everything, out_result, err);
}

void run_result_clear(struct run_result *result)
{
	free(result->rows);
	free(result->gaps);
	*result = (struct run_result){0};
}
