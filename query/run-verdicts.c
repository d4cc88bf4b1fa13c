#include "query/run-state.h"

#include <stdlib.h>

static int put_late(struct run *run, const struct late *late, struct error *err)
{
	void *memory = run->late;
	if (run_grow(&memory, &run->late_room, run->late_count, sizeof(*run->late)) != 0) {
		return run_no_memory(err);
	}
	run->late = memory;
	if (u64map_put(&run->late_of, late->leaf, run->late_count) != 0) {
		return run_no_memory(err);
	}
	run->late[run->late_count++] = *late;
	return 0;
}

/* Whether nothing newer was met on what the verdict is about: then it stands. */
static int is_newest(struct run *run, const struct said *said, bool *out_is, struct error *err)
{
	uint64_t about =
		said->statement_leaf != RUN_NO_LEAF ? said->statement_leaf : said->request_leaf;
	const uint64_t *met = u64map_get(&run->revision_of, about);
	*out_is = met == NULL || said->revision > (int64_t)*met;
	if (!*out_is || said->revision <= 0) {
		return 0;
	}
	int result = u64map_put(&run->revision_of, about, (uint64_t)said->revision);
	return result != 0 ? run_no_memory(err) : 0;
}

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
		return run_set_row(run, &row, err);
	}
	run_unset_row(run, leaf);
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
	return run_set_row(run, &row, err);
}

/* A request that was said to be without a statement before this verdict named it. */
static void end_lone(struct run *run, const struct said *said)
{
	const uint64_t *index = u64map_get(&run->lone_of, said->request_leaf);
	if (index != NULL && run->result->rows[*index].verdict_leaf < said->verdict_leaf) {
		run_unset_row(run, said->request_leaf);
	}
}

static int take_on_statement(struct run *run, const struct said *said, struct error *err)
{
	struct marks *marks = &run->marks;
	uint64_t leaf = said->statement_leaf;
	enum mark request = marks_kind(marks, said->request_leaf);
	bool request_known = request == MARK_REQUEST || request == MARK_REQUEST_IN_RANGE;
	if (marks_kind(marks, leaf) != MARK_STATEMENT) {
		return 0;
	}
	run->result->statements[marks_grade(marks, leaf)]--;
	run->result->statements[said->grade]++;
	marks_set_grade(marks, leaf, said->grade);
	if (said->grade == GRADE_PENDING && /* of a verdict that says nothing that is known here */
	    u64map_put(&run->revision_of, leaf, (uint64_t)said->revision) != 0) {
		return run_no_memory(err);
	}
	if ((marks->mark[leaf] & MARKS_ROW) != 0 || run->late_count > 0) {
		run_unset_row(run, leaf);
	}
	return plan_grade(run->plan, said->grade) ? take_standing(run, said, request_known, err)
						  : 0;
}

static int take_verdict(struct run *run, const struct said *said, struct error *err)
{
	bool on_request = said->statement_leaf == RUN_NO_LEAF;
	bool is_newest_yet = false;
	if ((run->stage == RUN_ON_REQUESTS && !on_request) ||
	    (run->stage == RUN_ON_STATEMENTS && on_request) ||
	    (on_request && !run->plan->lone_requests)) {
		return 0;
	}
	if (!on_request && run->plan->lone_requests) { /* also by one that was revised since */
		end_lone(run, said);
	}
	int result = is_newest(run, said, &is_newest_yet, err);
	if (result != 0 || !is_newest_yet) {
		return result;
	}
	return on_request ? take_lone(run, said, err) : take_on_statement(run, said, err);
}

/* Keeps a verdict until all that it may name was met. */
static int put_early(struct run *run, const struct said *said, struct error *err)
{
	void *memory = run->early;
	if (run_grow(&memory, &run->early_room, run->early_count, sizeof(*run->early)) != 0) {
		return run_no_memory(err);
	}
	run->early = memory;
	run->early[run->early_count++] = *said;
	return 0;
}

int run_take_early(struct run *run, struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < run->early_count; i++) {
		result = take_verdict(run, &run->early[i], err);
	}
	run->early_count = 0;
	return result;
}

struct verdict_columns {
	struct scan_rows rows;
	const int64_t *revision;
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
		result = scan_number_of(block, RECORD_VERDICT, FIELD_revision, &columns->revision,
					err);
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
			return run_no_memory(err);
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

int run_take_verdicts(struct run *run, const struct scan_block *block, struct error *err)
{
	struct verdict_columns columns;
	int result = load_verdicts(block, &columns, err);
	if (result == 0) {
		result = read_grades(run, &columns.grade, err);
	}
	size_t absent = result == 0 ? columns.grade.dict_count : 0;
	for (size_t i = 0; result == 0 && i < columns.rows.count; i++) {
		uint32_t row = columns.rows.row[i];
		uint32_t code = columns.grade.code[i];
		struct said said = {
			.verdict_leaf = scan_leaves(block)[row],
			.statement_leaf = leaf_or_none(columns.statement_leaf[i]),
			.request_leaf = leaf_or_none(columns.request_leaf[i]),
			.revision = columns.revision[i],
			.grade = run->grades[code == SCAN_ABSENT ? absent : code],
			.bits = run->atoms.bits[row],
		};
		bool is_early = run->one_pass && said.statement_leaf != RUN_NO_LEAF &&
				marks_kind(&run->marks, said.statement_leaf) == MARK_NONE;
		result = is_early ? put_early(run, &said, err) : take_verdict(run, &said, err);
	}
	return result;
}

static int compare_late(const void *left, const void *right)
{
	const struct late *a = left;
	const struct late *b = right;
	return (a->request_leaf > b->request_leaf) - (a->request_leaf < b->request_leaf);
}

/* The atoms of a request that was not met before its statement's verdict; perhaps it was met since. */
static uint64_t late_atoms(struct run *run, struct scan_fetch *fetch, uint64_t leaf)
{
	struct record request;
	int64_t ingest_ns;
	struct error local;
	enum mark mark = marks_kind(&run->marks, leaf);
	if (mark == MARK_REQUEST || mark == MARK_REQUEST_IN_RANGE) {
		return marks_bits(&run->marks, leaf) & run->plan->side_bits[SIDE_REQUEST];
	}
	int result = scan_fetch_record(fetch, leaf, &request, &ingest_ns, &local);
	if (result != 0) {
		if (result != -ERR_GONE) { /* what was removed is no damage */
			run_note_damage(run, &local);
		}
		return 0;
	}
	return plan_record_atoms(run->plan, SIDE_REQUEST, &request, leaf);
}

int run_take_late(struct run *run, struct error *err)
{
	int result = 0;
	if (run->late_count > 0) {
		qsort(run->late, run->late_count, sizeof(*run->late), compare_late);
	}
	for (size_t i = 0; result == 0 && i < run->late_count; i++) {
		const struct late *late = &run->late[i];
		if (late->leaf == RUN_NO_LEAF) {
			continue;
		}
		uint64_t bits = late->atoms | late_atoms(run, run->fetch, late->request_leaf);
		if (plan_holds(run->plan, bits)) {
			struct run_row row = {marks_time(&run->marks, late->leaf), late->leaf,
					      late->verdict_leaf, late->request_leaf, 0};
			result = run_set_row(run, &row, err);
		}
	}
	return result;
}
