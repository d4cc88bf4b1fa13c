#include "query/group-blocks.h"

#include "base/clock.h"
#include "query/block-atoms.h"
#include "store/rollup.h"
#include "store/summary.h"

#include <assert.h>
#include <stdlib.h>

#define TRAIL (1u << RECORD_STATEMENT | 1u << RECORD_REQUEST | 1u << RECORD_VERDICT)

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the groups; narrow the question");
}

/* The one kind and field of a question that summaries can answer; false when there is none. */
static bool summary_answers(const struct group_set *groups, const struct plan *plan,
			    enum record_kind *out_kind, enum field *out_field)
{
	const struct group_field *field = &groups->fields[0];
	bool all = plan->from_ns == INT64_MIN && plan->to_ns == INT64_MAX &&
		   plan->atom_count == 0 && !plan->lone_requests;
	for (enum grade grade = 0; all && grade < GRADE_COUNT; grade++) {
		all = plan_grade(plan, grade);
	}
	if (!all || groups->field_count != 1 || field->column[0].field >= FIELD_LIMIT ||
	    field->column[0].side == SIDE_VERDICT) {
		return false;
	}
	*out_kind = side_kind(field->column[0].side);
	*out_field = (enum field)field->column[0].field;
	return true;
}

/* The statements by standing grade; false when the block's verdicts are more than one a statement. */
static bool add_grades(const struct summary *summary, uint64_t statements,
		       uint64_t by_grade[GRADE_COUNT])
{
	struct summary_field grades;
	uint64_t sum = 0;
	uint64_t counts[GRADE_COUNT] = {0};
	if (!summary_field(summary, RECORD_VERDICT, FIELD_grade, &grades)) {
		return false;
	}
	for (size_t i = 0; i < grades.count; i++) {
		enum grade grade = grade_of(grades.values[i]);
		if (grade != GRADE_U2) {
			counts[grade] += (uint64_t)grades.rows[i];
			sum += (uint64_t)grades.rows[i];
		}
	}
	if (sum != statements || grades.absent_rows != 0) {
		return false;
	}
	for (enum grade grade = 0; grade < GRADE_COUNT; grade++) {
		by_grade[grade] += counts[grade];
	}
	return true;
}

static int add_summary(struct group_set *groups, const struct summary *summary,
		       const struct summary_field *field, bool of_requests, struct error *err)
{
	struct str none = {0};
	uint64_t absent = of_requests ? field->absent_statements + summary_lone_statements(summary)
				      : field->absent_rows;
	int result = absent > 0 ? group_set_add(groups, &none, absent, err) : 0;
	for (size_t i = 0; result == 0 && i < field->count; i++) {
		int64_t statements = of_requests ? field->statements[i] : field->rows[i];
		struct str value = field->values[i];
		value.ptr = value.ptr != NULL ? value.ptr : "";
		if (statements > 0) {
			result = group_set_add(groups, &value, (uint64_t)statements, err);
		}
	}
	return result;
}

static uint64_t count_statements(const struct summary_field *field, const struct summary *summary,
				 bool of_requests)
{
	uint64_t sum = of_requests ? field->absent_statements + summary_lone_statements(summary)
				   : field->absent_rows;
	for (size_t i = 0; i < field->count; i++) {
		sum += (uint64_t)(of_requests ? field->statements[i] : field->rows[i]);
	}
	return sum;
}

struct counting {
	struct group_set *groups;
	struct store *store;
	const struct plan *plan;
	struct run_result *result;
	enum record_kind kind;
	enum field field;
	bool has_others; /* where the field is absent another one stands for it, of which the summary does not tell enough */
};

/* Counts by a summary, of one block or of several; *out_done false: it does not tell enough. */
static int count_summary(struct counting *counting, const struct summary *summary, bool *out_done,
			 struct error *err)
{
	struct summary_field field;
	bool of_requests = counting->kind == RECORD_REQUEST;
	*out_done = false;
	if (!summary_field(summary, counting->kind, counting->field, &field)) {
		return 0;
	}
	uint64_t absent = of_requests ? field.absent_statements + summary_lone_statements(summary)
				      : field.absent_rows;
	if (counting->has_others && absent > 0) {
		return 0;
	}
	uint64_t statements = count_statements(&field, summary, of_requests);
	if (!add_grades(summary, statements, counting->result->statements)) {
		return 0;
	}
	*out_done = true;
	return add_summary(counting->groups, summary, &field, of_requests, err);
}

static int count_rollup(void *owner, const struct summary *summary, size_t block_count,
			bool *out_taken, struct error *err)
{
	struct counting *counting = owner;
	int result = count_summary(counting, summary, out_taken, err);
	if (*out_taken) {
		counting->result->stats.blocks += block_count;
		counting->result->stats.blocks_skipped += block_count;
	}
	return result;
}

/* Counts a block by its summary; *out_done false: its columns are needed. */
static int count_block(struct counting *counting, uint64_t number,
		       const struct summary_asked *asked, bool *out_done, struct error *err)
{
	struct summary *summary = NULL;
	*out_done = false;
	int result = scan_summary(counting->store, number, asked, &summary, err);
	if (result == 0) {
		result = count_summary(counting, summary, out_done, err);
		summary_close(summary);
	}
	return result;
}

/* Counts what summaries answer; the numbers of the other blocks stay in numbers. */
static int count_summaries(struct counting *counting, struct buf *numbers, struct error *err)
{
	const struct summary_column columns[] = {{counting->kind, counting->field},
						 {RECORD_VERDICT, FIELD_grade}};
	const struct summary_asked asked = {.columns = columns, .column_count = 2};
	const struct rollup_ask many = {
		.numbers = numbers, .asked = asked, .each = count_rollup, .owner = counting};
	int result = scan_rollups(counting->store, &many, err);
	uint64_t *number = (uint64_t *)(void *)numbers->ptr;
	size_t count = numbers->len / sizeof(*number);
	size_t kept = 0;
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct error local;
		bool done = false;
		result = count_block(counting, number[i], &asked, &done, &local);
		if (result == -ERR_CORRUPT || result == -ERR_GONE) {
			result = 0; /* the block itself can still be counted */
		} else if (result != 0) {
			result = error_set(err, (enum error_code)local.code, "%s", local.text);
		}
		counting->result->stats.blocks += done ? 1 : 0;
		counting->result->stats.blocks_skipped += done ? 1 : 0;
		if (!done) {
			number[kept++] = number[i];
		}
	}
	numbers->len = kept * sizeof(*number);
	return result;
}

/* One column of a group field in the block at hand. */
struct value_column {
	const struct trail_column *column;
	struct scan_codes codes; /* of texts */
	const int64_t *numbers;  /* of the others; NULL: texts, or a part */
	uint32_t first;          /* row of the kind's first */
};

struct judged_block {
	struct counting *counting;
	const struct scan_block *block;
	struct block_atoms atoms;
	const uint32_t *parents;
	uint32_t *standing; /* per row: the verdict that stands, or SCAN_ABSENT */
	size_t standing_room;
	struct value_column values[GROUP_FIELDS_MAX][WORD_PLACES_MAX];
	enum grade *grades;
	size_t grade_room;
	struct scan_codes grade_codes;
	uint32_t first_verdict;
	struct buf text[GROUP_FIELDS_MAX];
};

static uint32_t first_row(const struct scan_block *block, enum record_kind kind)
{
	struct scan_rows rows;
	int result = scan_rows_of(block, kind, &rows, NULL);
	return result == 0 && rows.count > 0 ? rows.row[0] : 0;
}

static int load_value(struct judged_block *judged, struct value_column *value, struct error *err)
{
	const struct trail_column *column = value->column;
	enum record_kind kind = side_kind(column->side);
	value->first = first_row(judged->block, kind);
	value->numbers = NULL;
	value->codes = (struct scan_codes){0};
	if (column->field == PART_SOURCE) {
		return scan_source_of(judged->block, kind, &value->codes, err);
	}
	if (column->field >= FIELD_LIMIT) {
		return 0; /* time and leaf: of every row */
	}
	enum field_type type = field_info(column->field)->type;
	if (type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES) {
		return scan_text_of(judged->block, kind, (enum field)column->field, &value->codes,
				    err);
	}
	return scan_number_of(judged->block, kind, (enum field)column->field, &value->numbers, err);
}

/* The value of a column at a row as text, or ptr NULL. */
static struct str text_at(const struct judged_block *judged, const struct value_column *value,
			  uint32_t row, struct buf *room)
{
	const struct trail_column *column = value->column;
	buf_clear(room);
	if (column->field == PART_TIME) {
		clock_put_rfc3339(room, scan_times(judged->block)[row], 9);
		return buf_str(room);
	}
	if (column->field == PART_LEAF) {
		buf_put_u64(room, scan_leaves(judged->block)[row]);
		return buf_str(room);
	}
	if (value->numbers == NULL) {
		uint32_t code = value->codes.code[row - value->first];
		struct str text = {0};
		if (code != SCAN_ABSENT) {
			text = value->codes.dict[code];
			text.ptr = text.ptr != NULL ? text.ptr : "";
		}
		return text;
	}
	int64_t number = value->numbers[row - value->first];
	if (number == INT64_MIN) {
		return (struct str){0};
	}
	enum field_type type = field_info(column->field)->type;
	if (type == FIELD_TYPE_BOOL) {
		return number != 0 ? STR_LIT("true") : STR_LIT("false");
	}
	if (type == FIELD_TYPE_TIME) {
		clock_put_rfc3339(room, number, 9);
	} else {
		buf_put_i64(room, number);
	}
	return buf_str(room);
}

static int load_fields(struct judged_block *judged, struct error *err)
{
	const struct group_set *groups = judged->counting->groups;
	int result = 0;
	for (size_t f = 0; result == 0 && f < groups->field_count; f++) {
		for (size_t c = 0; result == 0 && c < groups->fields[f].column_count; c++) {
			judged->values[f][c].column = &groups->fields[f].column[c];
			result = load_value(judged, &judged->values[f][c], err);
		}
	}
	return result;
}

/* The rows of a trail. */
struct trail_rows {
	uint32_t statement, request, verdict; /* SCAN_ABSENT: none */
};

static uint32_t row_on(const struct trail_rows *rows, enum side side)
{
	switch (side) {
	case SIDE_STATEMENT:
		return rows->statement;
	case SIDE_REQUEST:
		return rows->request;
	case SIDE_VERDICT:
		return rows->verdict;
	}
	return SCAN_ABSENT;
}

/* As value_of in group.c for a trail that was put together: the lone request's own time and leaf stand for the statement's. */
static int count_trail(struct judged_block *judged, const struct trail_rows *rows,
		       struct error *err)
{
	struct group_set *groups = judged->counting->groups;
	struct str values[GROUP_FIELDS_MAX];
	for (size_t f = 0; f < groups->field_count; f++) {
		values[f] = (struct str){0};
		for (size_t c = 0; c < groups->fields[f].column_count && values[f].ptr == NULL;
		     c++) {
			const struct value_column *value = &judged->values[f][c];
			uint32_t row = row_on(rows, value->column->side);
			bool own = value->column->field == PART_TIME ||
				   value->column->field == PART_LEAF;
			row = row == SCAN_ABSENT && own && rows->statement == SCAN_ABSENT
				      ? rows->request
				      : row;
			if (row != SCAN_ABSENT) {
				values[f] = text_at(judged, value, row, &judged->text[f]);
			}
		}
	}
	return group_set_add(groups, values, 1, err);
}

static enum grade grade_at(const struct judged_block *judged, uint32_t verdict)
{
	uint32_t code = judged->grade_codes.code[verdict - judged->first_verdict];
	return code == SCAN_ABSENT ? GRADE_PENDING : judged->grades[code];
}

static int load_grades(struct judged_block *judged, struct error *err)
{
	struct scan_codes *codes = &judged->grade_codes;
	int result = scan_text_of(judged->block, RECORD_VERDICT, FIELD_grade, codes, err);
	judged->first_verdict = first_row(judged->block, RECORD_VERDICT);
	if (result == 0 && codes->dict_count > judged->grade_room) {
		enum grade *larger =
			realloc(judged->grades, codes->dict_count * sizeof(judged->grades[0]));
		if (larger == NULL) {
			return no_memory(err);
		}
		judged->grades = larger;
		judged->grade_room = codes->dict_count;
	}
	for (size_t i = 0; result == 0 && i < codes->dict_count; i++) {
		judged->grades[i] = grade_of(codes->dict[i]);
	}
	return result;
}

/* The verdict that stands on each statement and request: the last of its run. */
static int load_standing(struct judged_block *judged, struct error *err)
{
	size_t count = scan_row_count(judged->block);
	struct scan_rows verdicts;
	int result = scan_parents(judged->block, &judged->parents, err);
	if (result == 0) {
		result = scan_rows_of(judged->block, RECORD_VERDICT, &verdicts, err);
	}
	if (result != 0) {
		return result;
	}
	if (count > judged->standing_room) {
		free(judged->standing);
		judged->standing_room = 0;
		judged->standing = malloc(count * sizeof(judged->standing[0]));
		if (judged->standing == NULL) {
			return no_memory(err);
		}
		judged->standing_room = count;
	}
	memset(judged->standing, 0xff, count * sizeof(judged->standing[0]));
	for (size_t i = 0; i < verdicts.count; i++) {
		uint32_t subject = judged->parents[verdicts.row[i]];
		if (subject < count) {
			judged->standing[subject] = verdicts.row[i];
		}
	}
	return 0;
}

static uint64_t atoms_at(const struct judged_block *judged, uint32_t row)
{
	return row == SCAN_ABSENT ? 0 : judged->atoms.bits[row];
}

static int judge_statements(struct judged_block *judged, struct error *err)
{
	const struct plan *plan = judged->counting->plan;
	uint64_t *by_grade = judged->counting->result->statements;
	struct scan_rows statements;
	int result = scan_rows_of(judged->block, RECORD_STATEMENT, &statements, err);
	for (size_t i = 0; result == 0 && i < statements.count; i++) {
		struct trail_rows rows = {.statement = statements.row[i]};
		rows.request = judged->parents[rows.statement];
		rows.verdict = judged->standing[rows.statement];
		if (!plan_time(plan, scan_times(judged->block)[rows.statement])) {
			continue;
		}
		enum grade grade = rows.verdict == SCAN_ABSENT ? GRADE_PENDING
							       : grade_at(judged, rows.verdict);
		uint64_t bits = atoms_at(judged, rows.statement) | atoms_at(judged, rows.request) |
				atoms_at(judged, rows.verdict);
		bits |= rows.verdict == SCAN_ABSENT ? plan->pending_bits : 0;
		by_grade[grade]++;
		if (plan_grade(plan, grade) && plan_holds(plan, bits)) {
			result = count_trail(judged, &rows, err);
		}
	}
	return result;
}

/* The newest verdict that names each request, as its leaf + 1; 0: none does. Those that were revised count too. */
static int find_named(struct judged_block *judged, uint64_t *named, struct error *err)
{
	const uint64_t *leaves = scan_leaves(judged->block);
	const int64_t *request;
	const int64_t *statement;
	struct scan_rows requests, verdicts;
	struct u64map row_of;
	u64map_init(&row_of, SIZE_MAX / 64);
	int result = scan_rows_of(judged->block, RECORD_REQUEST, &requests, err);
	for (size_t i = 0; result == 0 && i < requests.count; i++) {
		result = u64map_put(&row_of, leaves[requests.row[i]], i) == 0 ? 0 : no_memory(err);
	}
	if (result == 0) {
		result = scan_rows_of(judged->block, RECORD_VERDICT, &verdicts, err);
	}
	if (result == 0) {
		result = scan_number_of(judged->block, RECORD_VERDICT, FIELD_request_leaf, &request,
					err);
	}
	if (result == 0) {
		result = scan_number_of(judged->block, RECORD_VERDICT, FIELD_statement_leaf,
					&statement, err);
	}
	for (size_t i = 0; result == 0 && i < verdicts.count; i++) {
		const uint64_t *at = u64map_get(&row_of, (uint64_t)request[i]);
		uint64_t leaf = leaves[verdicts.row[i]] + 1;
		if (statement[i] >= 0 && at != NULL && leaf > named[*at]) {
			named[*at] = leaf;
		}
	}
	u64map_done(&row_of);
	return result;
}

/* Requests that no statement names, when they are asked for. */
static int judge_lone(struct judged_block *judged, struct error *err)
{
	const struct plan *plan = judged->counting->plan;
	const uint64_t *leaves = scan_leaves(judged->block);
	struct scan_rows requests;
	int result = scan_rows_of(judged->block, RECORD_REQUEST, &requests, err);
	uint64_t *named = result == 0 ? calloc(requests.count + 1, sizeof(*named)) : NULL;
	if (named == NULL) {
		return result != 0 ? result : no_memory(err);
	}
	result = find_named(judged, named, err);
	for (size_t i = 0; result == 0 && i < requests.count; i++) {
		uint32_t row = requests.row[i];
		struct trail_rows rows = {SCAN_ABSENT, row, judged->standing[row]};
		int64_t time_ns = scan_times(judged->block)[row];
		if (rows.verdict == SCAN_ABSENT || !plan_time(plan, time_ns) ||
		    grade_at(judged, rows.verdict) != GRADE_U2 || !plan_grade(plan, GRADE_U2) ||
		    named[i] > leaves[rows.verdict] + 1) {
			continue;
		}
		uint64_t bits = atoms_at(judged, row) | atoms_at(judged, rows.verdict) |
				plan_lone_atoms(plan, time_ns, leaves[row]);
		if (plan_holds(plan, bits)) {
			result = count_trail(judged, &rows, err);
		}
	}
	free(named);
	return result;
}

static int judge_block(struct judged_block *judged, struct error *err)
{
	const struct plan *plan = judged->counting->plan;
	int result = block_atoms_load(&judged->atoms, plan, TRAIL, judged->block, err);
	if (result == 0) {
		result = load_standing(judged, err);
	}
	if (result == 0) {
		result = load_grades(judged, err);
	}
	if (result == 0) {
		result = load_fields(judged, err);
	}
	if (result == 0) {
		result = judge_statements(judged, err);
	}
	return result == 0 && plan->lone_requests ? judge_lone(judged, err) : result;
}

static bool is_listed(const struct buf *numbers, uint64_t number)
{
	for (size_t at = 0; at < numbers->len; at += sizeof(number)) {
		if (memcmp(numbers->ptr + at, &number, sizeof(number)) == 0) {
			return true;
		}
	}
	return false;
}

static int count_columns(struct counting *counting, const struct scan_options *options,
			 const struct buf *numbers, struct error *err)
{
	struct judged_block judged = {.counting = counting};
	struct scan *scan;
	struct error local;
	int result = scan_open(counting->store, options, &scan, err);
	if (result != 0) {
		return result;
	}
	for (size_t i = 0; i < GROUP_FIELDS_MAX; i++) {
		buf_init(&judged.text[i], 0);
	}
	do {
		result = scan_next(scan, &judged.block, &local);
		if (result == 0 && is_listed(numbers, scan_number(judged.block))) {
			result = judge_block(&judged, &local);
			if (result == -ERR_CORRUPT) {
				scan_tell_loss(judged.block, &local);
			}
		}
		if (result == -ERR_CORRUPT) {
			run_result_note_damage(counting->result, &local);
		}
	} while (result == 0 || result == -ERR_CORRUPT);
	struct scan_stats stats = scan_stats(scan);
	counting->result->stats.blocks += stats.blocks;
	counting->result->stats.blocks_skipped += stats.blocks_skipped;
	counting->result->stats.rows += stats.rows;
	counting->result->stats.bytes_read += stats.bytes_read;
	scan_close(scan);
	for (size_t i = 0; i < GROUP_FIELDS_MAX; i++) {
		buf_done(&judged.text[i]);
	}
	block_atoms_done(&judged.atoms);
	free(judged.standing);
	free(judged.grades);
	return result == -ERR_GONE ? 0
				   : error_set(err, (enum error_code)local.code, "%s", local.text);
}

int group_blocks_run(struct group_set *groups, const struct group_ask *ask,
		     struct run_result *result, struct error *err)
{
	const struct plan *plan = ask->plan;
	struct store *store = ask->store;
	const struct scan_options options = {.kinds = TRAIL,
					     .from_ns = plan->from_ns,
					     .to_ns = plan->to_ns,
					     .blocks = SCAN_WHOLE,
					     .apart = ask->part->apart,
					     .apart_count = ask->part->apart_count};
	struct counting counting = {
		.groups = groups, .store = store, .plan = plan, .result = result};
	struct buf numbers;
	buf_init(&numbers, 0);
	int rc = scan_sealed_numbers(store, &options, &numbers, err);
	counting.has_others = groups->fields[0].column_count > 1;
	if (rc == 0 && summary_answers(groups, plan, &counting.kind, &counting.field)) {
		rc = count_summaries(&counting, &numbers, err);
	}
	if (rc == 0 && numbers.len > 0) {
		rc = count_columns(&counting, &options, &numbers, err);
	}
	buf_done(&numbers);
	return rc;
}
