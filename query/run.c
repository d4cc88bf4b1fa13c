#include "query/run.h"

#include "base/hash.h"
#include "query/block-atoms.h"
#include "query/marks.h"
#include "query/row-order.h"

#include <assert.h>
#include <stdlib.h>

struct late { /* a verdict whose request was not met in the scan */
	uint64_t leaf, verdict_leaf, request_leaf;
	uint64_t atoms; /* of the statement and the verdict */
};

struct run {
	struct store *store;
	const struct plan *plan;
	struct run_result *result;
	struct block_atoms atoms;
	struct marks marks;
	struct u64map row_of; /* leaf -> index in rows */
	size_t row_room;
	struct late *late;
	size_t late_count, late_room;
	struct u64map late_of; /* leaf -> index in late */
	enum grade *grades;    /* of the dictionary at hand */
	size_t grade_room;
};

static int grow(void **memory, size_t *room, size_t count, size_t size)
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

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the rows found; narrow the query");
}

/* Makes the trail of leaf a row, or changes what its row names. */
static int set_row(struct run *run, const struct run_row *row, struct error *err)
{
	struct run_result *result = run->result;
	uint64_t *index = u64map_get(&run->row_of, row->leaf);
	if (index != NULL) {
		result->rows[*index] = *row;
		run->marks.mark[row->leaf] |= MARKS_ROW;
		return 0;
	}
	void *rows = result->rows;
	if (grow(&rows, &run->row_room, result->row_count, sizeof(*result->rows)) != 0) {
		return no_memory(err);
	}
	result->rows = rows;
	if (u64map_put(&run->row_of, row->leaf, result->row_count) != 0) {
		return no_memory(err);
	}
	result->rows[result->row_count++] = *row;
	run->marks.mark[row->leaf] |= MARKS_ROW;
	return 0;
}

/* The row of leaf, if there is one, no longer counts; it keeps its place until the end. */
static void unset_row(struct run *run, uint64_t leaf)
{
	run->marks.mark[leaf] &= (uint8_t)~MARKS_ROW;
	uint64_t *index = u64map_get(&run->late_of, leaf);
	if (index != NULL) {
		run->late[*index].leaf = RUN_NO_LEAF;
		(void)u64map_remove(&run->late_of, leaf); /* it is there */
	}
}

static int put_late(struct run *run, const struct late *late, struct error *err)
{
	void *memory = run->late;
	if (grow(&memory, &run->late_room, run->late_count, sizeof(*run->late)) != 0) {
		return no_memory(err);
	}
	run->late = memory;
	if (u64map_put(&run->late_of, late->leaf, run->late_count) != 0) {
		return no_memory(err);
	}
	run->late[run->late_count++] = *late;
	return 0;
}

/* A statement whose verdict is not known yet. */
static int take_pending(struct run *run, uint64_t leaf, uint64_t bits, struct error *err)
{
	const struct plan *plan = run->plan;
	if (marks_kind(&run->marks, leaf) != MARK_STATEMENT ||
	    !plan_holds(plan, bits | plan->pending_bits)) {
		return 0;
	}
	struct run_row row = {marks_time(&run->marks, leaf), leaf, RUN_NO_LEAF, RUN_NO_LEAF, 0};
	return set_row(run, &row, err);
}

/* The row's own words (time, leaf) of requests that may be rows themselves. */
static int add_lone_atoms(struct run *run, const struct scan_block *block, struct error *err)
{
	struct scan_rows requests;
	int result = scan_rows_of(block, RECORD_REQUEST, &requests, err);
	for (size_t i = 0; result == 0 && i < requests.count; i++) {
		uint64_t leaf = scan_first_leaf(block) + requests.row[i];
		int64_t time_ns = scan_times(block)[requests.row[i]];
		marks_add_bits(&run->marks, leaf, plan_lone_atoms(run->plan, time_ns, leaf));
	}
	return result;
}

static int take_pending_rows(struct run *run, const struct scan_block *block, struct error *err)
{
	const struct plan *plan = run->plan;
	const struct block_atoms *atoms = &run->atoms;
	uint64_t first = scan_first_leaf(block);
	struct scan_rows statements;
	int result = scan_rows_of(block, RECORD_STATEMENT, &statements, err);
	if (result != 0) {
		return result;
	}
	for (size_t i = 0; i < statements.count; i++) {
		uint64_t leaf = first + statements.row[i];
		run->result->statements[GRADE_PENDING] +=
			marks_kind(&run->marks, leaf) == MARK_STATEMENT;
	}
	if (!plan_grade(plan, GRADE_PENDING)) {
		return 0;
	}
	bool any = plan_holds(plan, plan->pending_bits); /* even one without atoms */
	for (size_t i = 0; any && result == 0 && i < statements.count; i++) {
		uint16_t row = statements.row[i];
		result = take_pending(run, first + row, atoms->bits[row], err);
	}
	for (size_t i = 0; !any && result == 0 && i < atoms->touched_count; i++) {
		uint16_t row = atoms->touched[i];
		result = take_pending(run, first + row, atoms->bits[row], err);
	}
	return result;
}

/* Statements and requests of a block, with the atoms that they make true. */
static int take_rows(struct run *run, const struct scan_block *block, struct error *err)
{
	const struct block_atoms *atoms = &run->atoms;
	struct marks *marks = &run->marks;
	struct marks_block marked = {scan_first_leaf(block), scan_row_count(block),
				     scan_kinds(block), scan_times(block)};
	marks_add_block(marks, run->plan, &marked);
	for (size_t i = 0; i < atoms->touched_count; i++) {
		uint64_t leaf = marked.first_leaf + atoms->touched[i];
		if (marks_kind(marks, leaf) != MARK_NONE) {
			marks_add_bits(marks, leaf, atoms->bits[atoms->touched[i]]);
		}
	}
	int result = run->plan->lone_requests ? add_lone_atoms(run, block, err) : 0;
	return result != 0 ? result : take_pending_rows(run, block, err);
}

struct said {                                                /* a verdict's row */
	uint64_t verdict_leaf, statement_leaf, request_leaf; /* RUN_NO_LEAF: absent */
	enum grade grade;
	uint64_t bits;
};

/* A request that no statement names. */
static int take_lone(struct run *run, const struct said *said, struct error *err)
{
	uint64_t leaf = said->request_leaf;
	if (!run->plan->lone_requests || marks_kind(&run->marks, leaf) != MARK_REQUEST_IN_RANGE) {
		return 0;
	}
	int64_t time_ns = marks_time(&run->marks, leaf);
	uint64_t bits = said->bits | marks_bits(&run->marks, leaf);
	if (said->grade == GRADE_U2 && plan_grade(run->plan, said->grade) &&
	    plan_holds(run->plan, bits)) {
		struct run_row row = {time_ns, leaf, said->verdict_leaf, leaf, 0};
		return set_row(run, &row, err);
	}
	unset_row(run, leaf);
	return 0;
}

/* The verdict of a statement within the bounds now stands. */
static int take_standing(struct run *run, const struct said *said, bool request_known,
			 struct error *err)
{
	const struct plan *plan = run->plan;
	uint64_t leaf = said->statement_leaf;
	uint64_t bits = marks_bits(&run->marks, leaf) | said->bits;
	if (said->request_leaf != RUN_NO_LEAF && !request_known &&
	    plan->side_bits[SIDE_REQUEST] != 0) {
		struct late late = {leaf, said->verdict_leaf, said->request_leaf, bits};
		return put_late(run, &late, err);
	}
	if (request_known) {
		bits |= marks_bits(&run->marks, said->request_leaf) & plan->side_bits[SIDE_REQUEST];
	}
	if (!plan_holds(plan, bits)) {
		return 0;
	}
	struct run_row row = {marks_time(&run->marks, leaf), leaf, said->verdict_leaf,
			      said->request_leaf, 0};
	return set_row(run, &row, err);
}

static int take_verdict(struct run *run, const struct said *said, struct error *err)
{
	struct marks *marks = &run->marks;
	uint64_t leaf = said->statement_leaf;
	if (leaf == RUN_NO_LEAF) {
		return take_lone(run, said, err);
	}
	enum mark request = marks_kind(marks, said->request_leaf);
	bool request_known = request == MARK_REQUEST || request == MARK_REQUEST_IN_RANGE;
	if (run->plan->lone_requests && request_known) {
		unset_row(run, said->request_leaf);
	}
	if (marks_kind(marks, leaf) != MARK_STATEMENT) {
		return 0;
	}
	run->result->statements[marks_grade(marks, leaf)]--;
	run->result->statements[said->grade]++;
	marks_set_grade(marks, leaf, said->grade);
	if ((marks->mark[leaf] & MARKS_ROW) != 0 || run->late_count > 0) {
		unset_row(run, leaf);
	}
	return plan_grade(run->plan, said->grade) ? take_standing(run, said, request_known, err)
						  : 0;
}

struct verdict_columns {
	struct scan_rows rows;
	const int64_t *statement_leaf, *request_leaf;
	struct scan_codes grade;
};

static uint64_t leaf_or_none(int64_t value)
{
	return value < 0 ? RUN_NO_LEAF : (uint64_t)value;
}

static int load_verdicts(const struct scan_block *block, struct verdict_columns *columns,
			 struct error *err)
{
	int result = scan_rows_of(block, RECORD_VERDICT, &columns->rows, err);
	if (result == 0) {
		result = scan_number_of(block, RECORD_VERDICT, FIELD_statement_leaf,
					&columns->statement_leaf, err);
	}
	if (result == 0) {
		result = scan_number_of(block, RECORD_VERDICT, FIELD_request_leaf,
					&columns->request_leaf, err);
	}
	if (result == 0) {
		result = scan_text_of(block, RECORD_VERDICT, FIELD_grade, &columns->grade, err);
	}
	return result;
}

/* The grades of a dictionary; one behind its end for "absent". */
static int read_grades(struct run *run, const struct scan_codes *codes, struct error *err)
{
	size_t count = codes->dict_count + 1;
	if (count > run->grade_room) {
		enum grade *larger = realloc(run->grades, count * sizeof(*larger));
		if (larger == NULL) {
			return no_memory(err);
		}
		run->grades = larger;
		run->grade_room = count;
	}
	for (size_t i = 0; i < codes->dict_count; i++) {
		run->grades[i] = grade_of(codes->dict[i]);
	}
	run->grades[codes->dict_count] = GRADE_PENDING;
	return 0;
}

static int take_verdicts(struct run *run, const struct scan_block *block, struct error *err)
{
	struct verdict_columns columns;
	int result = load_verdicts(block, &columns, err);
	if (result == 0) {
		result = read_grades(run, &columns.grade, err);
	}
	size_t absent = result == 0 ? columns.grade.dict_count : 0;
	for (size_t i = 0; result == 0 && i < columns.rows.count; i++) {
		uint16_t row = columns.rows.row[i];
		uint32_t code = columns.grade.code[i];
		struct said said = {
			.verdict_leaf = scan_first_leaf(block) + row,
			.statement_leaf = leaf_or_none(columns.statement_leaf[i]),
			.request_leaf = leaf_or_none(columns.request_leaf[i]),
			.grade = run->grades[code == SCAN_ABSENT ? absent : code],
			.bits = run->atoms.bits[row],
		};
		result = take_verdict(run, &said, err);
	}
	return result;
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
			.leaf = scan_first_leaf(block) + row,
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
	if (scan_first_leaf(block) + scan_row_count(block) > run->marks.leaf_count) {
		return 0; /* committed behind the moment of the question */
	}
	int result = block_atoms_load(&run->atoms, run->plan, kinds, block, err);
	if (result != 0) {
		return result;
	}
	struct marks_block times = {scan_first_leaf(block), scan_row_count(block), NULL,
				    scan_times(block)};
	marks_keep_times(&run->marks, &times);
	if ((kinds >> RECORD_STATEMENT & 1u) != 0) {
		result = take_rows(run, block, err);
	}
	/* A verdict stands behind what it names, in the same block at the earliest. */
	if (result == 0 && (kinds & scan_held(block) & 1u << RECORD_VERDICT) != 0) {
		result = take_verdicts(run, block, err);
	}
	if (result == 0 && (kinds & scan_held(block) & 1u << RECORD_GAP) != 0) {
		result = take_gaps(run, block, err);
	}
	return result;
}

static void note_damage(struct run *run, const struct error *err)
{
	run->result->stats.blocks_damaged++;
	if (run->result->damage[0] == '\0') {
		memcpy(run->result->damage, err->text, sizeof(err->text));
	}
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
		}
		if (result == -ERR_CORRUPT) {
			note_damage(run, &local);
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

static int compare_late(const void *left, const void *right)
{
	const struct late *a = left;
	const struct late *b = right;
	return (a->request_leaf > b->request_leaf) - (a->request_leaf < b->request_leaf);
}

/* Requests outside the time bounds, one by one. */
static int take_late(struct run *run, struct error *err)
{
	struct scan_fetch *fetch;
	if (run->late_count == 0) {
		return 0;
	}
	int result = scan_fetch_open(run->store, &fetch, err);
	if (result != 0) {
		return result;
	}
	qsort(run->late, run->late_count, sizeof(*run->late), compare_late);
	for (size_t i = 0; result == 0 && i < run->late_count; i++) {
		const struct late *late = &run->late[i];
		struct record request;
		int64_t ingest_ns;
		struct error local;
		if (late->leaf == RUN_NO_LEAF) {
			continue;
		}
		uint64_t bits = late->atoms;
		int rc = scan_fetch_record(fetch, late->request_leaf, &request, &ingest_ns, &local);
		if (rc == 0) {
			bits |= plan_record_atoms(run->plan, SIDE_REQUEST, &request,
						  late->request_leaf);
		} else {
			note_damage(run, &local);
		}
		if (plan_holds(run->plan, bits)) {
			struct run_row row = {marks_time(&run->marks, late->leaf), late->leaf,
					      late->verdict_leaf, late->request_leaf, 0};
			result = set_row(run, &row, err);
		}
	}
	scan_fetch_close(fetch);
	return result;
}

/* Moves the rows that still stand to the front; returns how many. */
static size_t keep_rows(const struct run *run)
{
	struct run_row *rows = run->result->rows;
	size_t kept = 0;
	for (size_t i = 0; i < run->result->row_count; i++) {
		if ((run->marks.mark[rows[i].leaf] & MARKS_ROW) != 0) {
			rows[kept++] = rows[i];
		}
	}
	return kept;
}

static int finish(struct run *run, struct error *err)
{
	struct run_result *result = run->result;
	struct error local;
	int rc = take_late(run, err);
	if (rc != 0) {
		return rc;
	}
	result->row_count = keep_rows(run);
	rc = row_order_times(run->store, result->rows, result->row_count, &local);
	if (rc == -ERR_CORRUPT) { /* a block that was read a moment ago */
		note_damage(run, &local);
		for (size_t i = 0; i < result->row_count; i++) {
			if (result->rows[i].time_ns == MARKS_TIME_UNKNOWN) {
				unset_row(run, result->rows[i].leaf);
			}
		}
		result->row_count = keep_rows(run);
	} else if (rc != 0) {
		return error_set(err, (enum error_code) - rc, "%s", local.text);
	}
	return row_order_sort(run->store, result->rows, result->row_count, err);
}

static int allocate(struct run *run, struct error *err)
{
	uint64_t leaf_count = store_leaf_count(run->store);
	u64map_init(&run->row_of, SIZE_MAX / 64);
	u64map_init(&run->late_of, SIZE_MAX / 64);
	run->result->gaps = calloc(RUN_GAPS_MAX, sizeof(*run->result->gaps));
	if (marks_init(&run->marks, leaf_count, run->plan->atom_count) != 0 ||
	    run->result->gaps == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to look at %llu records",
				 (unsigned long long)leaf_count);
	}
	return 0;
}

static int scan_all(struct run *run, struct error *err)
{
	const unsigned trail = 1u << RECORD_STATEMENT | 1u << RECORD_REQUEST;
	const unsigned rest = 1u << RECORD_VERDICT | 1u << RECORD_GAP;
	struct scan_options all = {trail | rest, INT64_MIN, INT64_MAX};
	if (run->plan->from_ns == INT64_MIN && run->plan->to_ns == INT64_MAX) {
		return pass(run, &all, err);
	}
	/* Verdicts and gaps are dated by when they were said, so the bounds skip only blocks of the others. */
	struct scan_options bounded = {trail, run->plan->from_ns, run->plan->to_ns};
	all.kinds = rest;
	int result = pass(run, &bounded, err);
	return result != 0 ? result : pass(run, &all, err);
}

int run_plan(struct store *store, const struct plan *plan, struct run_result *out_result,
	     struct error *err)
{
	*out_result = (struct run_result){0};
	struct run run = {.store = store, .plan = plan, .result = out_result};
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
	u64map_done(&run.row_of);
	u64map_done(&run.late_of);
	block_atoms_done(&run.atoms);
	if (result != 0) {
		run_result_clear(out_result);
	}
	return result;
}

void run_result_clear(struct run_result *result)
{
	free(result->rows);
	free(result->gaps);
	*result = (struct run_result){0};
}
