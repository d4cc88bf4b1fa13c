#include "query/run.h"

#include "base/hash.h"
#include "query/block-atoms.h"

#include <assert.h>
#include <stdlib.h>

/* What is known of a leaf, one byte: the low bits below, the standing grade above. */
#define IS_STATEMENT 1u /* within the time bounds */
#define IS_REQUEST   2u
#define IN_RANGE     4u /* a request within the time bounds */
#define IS_ROW       8u
#define GRADE_SHIFT  4

struct late { /* a verdict whose request was not met in the scan */
	uint64_t leaf, verdict_leaf, request_leaf;
	uint64_t atoms; /* of the statement and the verdict */
};

struct run {
	struct store *store;
	const struct plan *plan;
	struct run_result *result;
	struct block_atoms atoms;
	uint64_t leaf_count;
	uint8_t *state; /* per leaf */
	uint8_t *bits;  /* per leaf, bits_size bytes each */
	size_t bits_size;
	int64_t *times;       /* per leaf: of statements and requests in range */
	struct u64map row_of; /* leaf -> index in rows */
	size_t row_room;
	struct late *late;
	size_t late_count, late_room;
	struct u64map late_of; /* leaf -> index in late */
};

static void put_bits(struct run *run, uint64_t leaf, uint64_t bits)
{
	uint8_t *at = run->bits + leaf * run->bits_size;
	for (size_t i = 0; i < run->bits_size; i++) {
		at[i] = (uint8_t)(bits >> (8 * i));
	}
}

static uint64_t get_bits(const struct run *run, uint64_t leaf)
{
	const uint8_t *at = run->bits + leaf * run->bits_size;
	uint64_t bits = 0;
	for (size_t i = 0; i < run->bits_size; i++) {
		bits |= (uint64_t)at[i] << (8 * i);
	}
	return bits;
}

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
		run->state[row->leaf] |= IS_ROW;
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
	run->state[row->leaf] |= IS_ROW;
	return 0;
}

/* The row of leaf, if there is one, no longer counts; it keeps its place until the end. */
static void unset_row(struct run *run, uint64_t leaf)
{
	run->state[leaf] &= (uint8_t)~IS_ROW;
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

static int take_statement(struct run *run, uint64_t leaf, int64_t time_ns, uint64_t bits,
			  struct error *err)
{
	const struct plan *plan = run->plan;
	if (!plan_time(plan, time_ns)) {
		return 0;
	}
	run->state[leaf] |= IS_STATEMENT;
	run->times[leaf] = time_ns;
	put_bits(run, leaf, bits);
	run->result->statements[GRADE_PENDING]++;
	if (plan_grade(plan, GRADE_PENDING) && plan_holds(plan, bits | plan->pending_bits)) {
		struct run_row row = {time_ns, leaf, RUN_NO_LEAF, RUN_NO_LEAF, 0};
		return set_row(run, &row, err);
	}
	return 0;
}

static void take_request(struct run *run, uint64_t leaf, int64_t time_ns, uint64_t bits)
{
	run->state[leaf] |= IS_REQUEST;
	run->times[leaf] = time_ns;
	put_bits(run, leaf, bits);
	if (plan_time(run->plan, time_ns)) {
		run->state[leaf] |= IN_RANGE;
	}
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
	if (!run->plan->lone_requests || leaf >= run->leaf_count ||
	    (run->state[leaf] & IN_RANGE) == 0) {
		return 0;
	}
	uint64_t bits = said->bits | get_bits(run, leaf) |
			plan_lone_atoms(run->plan, run->times[leaf], leaf);
	if (said->grade == GRADE_U2 && plan_grade(run->plan, said->grade) &&
	    plan_holds(run->plan, bits)) {
		struct run_row row = {run->times[leaf], leaf, said->verdict_leaf, leaf, 0};
		return set_row(run, &row, err);
	}
	unset_row(run, leaf);
	return 0;
}

static int take_verdict(struct run *run, const struct said *said, struct error *err)
{
	uint64_t leaf = said->statement_leaf;
	if (leaf == RUN_NO_LEAF) {
		return take_lone(run, said, err);
	}
	uint64_t request = said->request_leaf;
	bool request_known = request < run->leaf_count && (run->state[request] & IS_REQUEST) != 0;
	if (run->plan->lone_requests && request_known) {
		unset_row(run, request);
	}
	if (leaf >= run->leaf_count || (run->state[leaf] & IS_STATEMENT) == 0) {
		return 0;
	}
	run->result->statements[run->state[leaf] >> GRADE_SHIFT]--;
	run->result->statements[said->grade]++;
	run->state[leaf] =
		(uint8_t)((run->state[leaf] & 15u) | (unsigned)said->grade << GRADE_SHIFT);
	unset_row(run, leaf);
	if (!plan_grade(run->plan, said->grade)) {
		return 0;
	}
	uint64_t bits = get_bits(run, leaf) | said->bits;
	if (request != RUN_NO_LEAF && !request_known && run->plan->side_bits[SIDE_REQUEST] != 0) {
		struct late late = {leaf, said->verdict_leaf, request, bits};
		return put_late(run, &late, err);
	}
	if (request_known) {
		bits |= get_bits(run, request);
	}
	if (!plan_holds(run->plan, bits)) {
		return 0;
	}
	struct run_row row = {run->times[leaf], leaf, said->verdict_leaf, request, 0};
	return set_row(run, &row, err);
}

struct verdict_columns {
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
	int result = scan_number_column(block, FIELD_statement_leaf, &columns->statement_leaf, err);
	if (result == 0) {
		result = scan_number_column(block, FIELD_request_leaf, &columns->request_leaf, err);
	}
	if (result == 0) {
		result = scan_text_column(block, FIELD_grade, &columns->grade, err);
	}
	return result;
}

static int take_verdicts(struct run *run, const struct scan_block *block, struct error *err)
{
	struct verdict_columns columns;
	int result = load_verdicts(block, &columns, err);
	const uint8_t *kinds = scan_kinds(block);
	for (size_t row = 0; result == 0 && row < scan_row_count(block); row++) {
		if (kinds[row] != RECORD_VERDICT) {
			continue;
		}
		uint32_t code = columns.grade.code[row];
		struct said said = {
			.verdict_leaf = scan_first_leaf(block) + row,
			.statement_leaf = leaf_or_none(columns.statement_leaf[row]),
			.request_leaf = leaf_or_none(columns.request_leaf[row]),
			.grade = code == SCAN_ABSENT ? GRADE_PENDING
						     : grade_of(columns.grade.dict[code]),
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
	int result = block_atoms_load(&run->atoms, run->plan, block, err);
	const uint8_t *kind = scan_kinds(block);
	const int64_t *times = scan_times(block);
	uint64_t first = scan_first_leaf(block);
	size_t row_count = scan_row_count(block);
	unsigned held = 0;
	if (first + row_count > run->leaf_count) {
		return 0; /* committed behind the moment of the question */
	}
	for (size_t row = 0; result == 0 && row < row_count; row++) {
		held |= 1u << kind[row];
		if ((kinds >> kind[row] & 1u) == 0) {
			continue;
		}
		if (kind[row] == RECORD_STATEMENT) {
			result = take_statement(run, first + row, times[row], run->atoms.bits[row],
						err);
		} else if (kind[row] == RECORD_REQUEST) {
			take_request(run, first + row, times[row], run->atoms.bits[row]);
		}
	}
	held &= kinds;
	/* A verdict stands behind what it names, in the same block at the earliest. */
	if (result == 0 && (held >> RECORD_VERDICT & 1u) != 0) {
		result = take_verdicts(run, block, err);
	}
	if (result == 0 && (held >> RECORD_GAP & 1u) != 0) {
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
			struct run_row row = {run->times[late->leaf], late->leaf,
					      late->verdict_leaf, late->request_leaf, 0};
			result = set_row(run, &row, err);
		}
	}
	scan_fetch_close(fetch);
	return result;
}

static int compare_rows(const void *left, const void *right)
{
	const struct run_row *a = left;
	const struct run_row *b = right;
	if (a->time_ns != b->time_ns) {
		return a->time_ns < b->time_ns ? -1 : 1;
	}
	if (a->id != b->id) {
		return a->id < b->id ? -1 : 1;
	}
	return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

static uint64_t id_number(const struct record *record)
{
	char text[RECORD_ID_DIGITS + 1];
	uint64_t id = 0;
	record_stable_id(record->source, record->key, text);
	for (size_t i = 0; i < RECORD_ID_DIGITS; i++) {
		uint64_t digit =
			text[i] <= '9' ? (uint64_t)(text[i] - '0') : (uint64_t)(text[i] - 'a' + 10);
		id = id << 4 | digit;
	}
	return id;
}

/* Gives rows of equal time their ids and sorts them by it. */
static int order_equal_times(struct run *run, struct error *err)
{
	struct run_row *rows = run->result->rows;
	size_t count = run->result->row_count;
	struct scan_fetch *fetch;
	int result = scan_fetch_open(run->store, &fetch, err);
	for (size_t begin = 0; result == 0 && begin < count;) {
		size_t end = begin + 1;
		while (end < count && rows[end].time_ns == rows[begin].time_ns) {
			end++;
		}
		for (size_t i = begin; end - begin > 1 && i < end; i++) {
			struct record record;
			int64_t ingest_ns;
			if (scan_fetch_record(fetch, rows[i].leaf, &record, &ingest_ns, NULL) ==
			    0) {
				rows[i].id = id_number(&record);
			}
		}
		if (end - begin > 1) {
			qsort(rows + begin, end - begin, sizeof(*rows), compare_rows);
		}
		begin = end;
	}
	if (result == 0) {
		scan_fetch_close(fetch);
	}
	return result;
}

static int finish(struct run *run, struct error *err)
{
	struct run_result *result = run->result;
	int rc = take_late(run, err);
	if (rc != 0) {
		return rc;
	}
	size_t kept = 0;
	for (size_t i = 0; i < result->row_count; i++) {
		if ((run->state[result->rows[i].leaf] & IS_ROW) != 0) {
			result->rows[kept++] = result->rows[i];
		}
	}
	result->row_count = kept;
	if (kept == 0) {
		return 0;
	}
	qsort(result->rows, kept, sizeof(*result->rows), compare_rows);
	return order_equal_times(run, err);
}

static int allocate(struct run *run, struct error *err)
{
	size_t count = run->leaf_count + 1; /* never of size 0 */
	run->bits_size = (run->plan->atom_count + 7) / 8;
	run->state = calloc(count, 1);
	run->times = calloc(count, sizeof(*run->times));
	run->bits = calloc(count, run->bits_size + 1);
	run->result->gaps = calloc(RUN_GAPS_MAX, sizeof(*run->result->gaps));
	u64map_init(&run->row_of, SIZE_MAX / 64);
	u64map_init(&run->late_of, SIZE_MAX / 64);
	if (run->state == NULL || run->times == NULL || run->bits == NULL ||
	    run->result->gaps == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to look at %llu records",
				 (unsigned long long)run->leaf_count);
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
	run.leaf_count = store_leaf_count(store);
	int result = allocate(&run, err);
	if (result == 0) {
		result = scan_all(&run, err);
	}
	if (result == 0) {
		result = finish(&run, err);
	}
	free(run.state);
	free(run.times);
	free(run.bits);
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
