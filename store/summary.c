#include "store/summary.h"

#include "base/wire.h"
#include "store/block/ints.h"
#include "store/summary-inner.h"

#include <assert.h>
#include <stdlib.h>

#define TOGETHER_MOST (INT64_C(1) << 48) /* rows of a value in many blocks */

static const struct summary_column shown[] = {
#define SUMMARY(kind_, field_) {RECORD_##kind_, FIELD_##field_},
#include "store/summary.def"
#undef SUMMARY
};
#define SHOWN_COUNT (sizeof shown / sizeof shown[0])
_Static_assert(SHOWN_COUNT == SUMMARY_COLUMNS,
	       "summary.def is counted once more in summary-inner.h");

struct summary_column summary_column_at(size_t index)
{
	return shown[index];
}

/* One column while it is made: by code, the last one for "absent". */
struct tally {
	int64_t *rows, *statements;
	size_t count; /* dict_count + 1 */
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the summary of a block");
}

static void tally_done(struct tally *tally)
{
	free(tally->rows);
	free(tally->statements);
}

static int tally_init(struct tally *tally, size_t dict_count)
{
	tally->count = dict_count + 1;
	tally->rows = calloc(tally->count, sizeof tally->rows[0]);
	tally->statements = calloc(tally->count, sizeof tally->statements[0]);
	if (tally->rows == NULL || tally->statements == NULL) {
		tally_done(tally);
		return -ERR_NOMEM;
	}
	return 0;
}

static size_t place_of(const struct tally *tally, uint32_t code)
{
	return code < tally->count - 1 ? code : tally->count - 1;
}

static void count_statements(struct tally *tally, struct block *block, const uint32_t *parents,
			     const struct block_codes *codes)
{
	struct block_run statements = block_run(block, RECORD_STATEMENT);
	struct block_run requests = block_run(block, RECORD_REQUEST);
	for (uint32_t i = 0; i < statements.count; i++) {
		uint32_t parent = parents[statements.first + i];
		if (parent != BLOCK_NO_ROW) {
			size_t at = place_of(tally, codes->code[parent - requests.first]);
			tally->statements[at]++;
		}
	}
}

static int compare_values(const void *left, const void *right)
{
	const struct summary_value *a = left;
	const struct summary_value *b = right;
	return str_compare(a->value, b->value);
}

/* A column may give one text under several codes, as when masked statements have the object that others name. Returns how many are left. */
static size_t join_equal(struct summary_value *values, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && str_equal(values[kept - 1].value, values[i].value)) {
			values[kept - 1].rows += values[i].rows;
			values[kept - 1].statements += values[i].statements;
		} else {
			values[kept++] = values[i];
		}
	}
	return kept;
}

/* The values that occur, sorted; rows without one are not among them. */
static size_t gather(const struct tally *tally, const struct str *dict, struct summary_value *out)
{
	size_t count = 0;
	for (size_t i = 0; i + 1 < tally->count; i++) {
		if (tally->rows[i] > 0) {
			out[count++] = (struct summary_value){dict[i], tally->rows[i],
							      tally->statements[i]};
		}
	}
	if (count > 1) {
		qsort(out, count, sizeof out[0], compare_values);
	}
	return join_equal(out, count);
}

static int put_numbers(struct streams_writer *writer, const struct ints_column *about,
		       const struct summary_value *values, bool statements)
{
	int64_t *numbers = malloc((about->count + 1) * sizeof numbers[0]);
	if (numbers == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < about->count; i++) {
		numbers[i] = statements ? values[i].statements : values[i].rows;
	}
	int rc = ints_put(writer, about, numbers);
	free(numbers);
	return rc;
}

int summary_put_column(struct streams_writer *writer, size_t index,
		       const struct summary_value *values, size_t count)
{
	struct ints_column about = {
		.column = (uint16_t)(index + 1), .part = SUMMARY_PART_ROWS, .count = count};
	struct str *texts = malloc((count + 1) * sizeof texts[0]);
	if (texts == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		texts[i] = values[i].value;
	}
	int rc = wordlist_put(writer, about.column, SUMMARY_PART_VALUES, texts, count);
	free(texts);
	rc = rc < 0 ? rc : put_numbers(writer, &about, values, false);
	about.part = SUMMARY_PART_STATEMENTS;
	return rc < 0 || shown[index].kind != RECORD_REQUEST
		       ? rc
		       : put_numbers(writer, &about, values, true);
}

struct making {
	struct block *block;
	const uint8_t *key;
	const uint32_t *parents;
	struct streams_writer *writer;
	struct buf head;
};

/* One column: its values into streams; into the head whether they are known, how many there are, and what has none. */
static int make_column(struct making *making, size_t index, struct error *err)
{
	struct block_codes codes;
	struct tally tally;
	struct block_run run = block_run(making->block, shown[index].kind);
	int rc = block_text_column(making->block, shown[index].kind, shown[index].field, &codes,
				   err);
	if (rc < 0) {
		return rc;
	}
	bool known = codes.dict_count <= SUMMARY_VALUES_MAX;
	wire_put_u8(&making->head, known ? 1 : 0);
	if (!known) {
		return 0;
	}
	struct summary_value *values = calloc(codes.dict_count + 1, sizeof values[0]);
	if (values == NULL || tally_init(&tally, codes.dict_count) < 0) {
		free(values);
		return no_memory(err);
	}
	for (uint32_t i = 0; i < run.count; i++) {
		tally.rows[place_of(&tally, codes.code[i])]++;
	}
	if (shown[index].kind == RECORD_REQUEST) {
		count_statements(&tally, making->block, making->parents, &codes);
	}
	size_t count = gather(&tally, codes.dict, values);
	wire_put_varint(&making->head, count);
	wire_put_varint(&making->head, (uint64_t)tally.rows[tally.count - 1]);
	wire_put_varint(&making->head, (uint64_t)tally.statements[tally.count - 1]);
	if (summary_put_column(making->writer, index, values, count) < 0) {
		rc = no_memory(err);
	}
	tally_done(&tally);
	free(values);
	return rc;
}

/* What the verdicts of a block say, for is_whole. */
struct verdicts {
	const int64_t *request_leaf;
	struct block_codes settled;
	struct block_run run;
};

static bool is_final(const struct verdicts *verdicts, uint32_t i)
{
	uint32_t code = verdicts->settled.code[i];
	return code < verdicts->settled.dict_count && str_is(verdicts->settled.dict[code], "final");
}

/* Whether the request that a verdict on a statement names, if it does, is the statement's own. */
static bool names_own_request(const struct making *making, int64_t request_leaf, uint32_t statement)
{
	uint32_t request = making->parents[statement];
	return request_leaf < 0 || (request != BLOCK_NO_ROW &&
				    block_leaves(making->block)[request] == (uint64_t)request_leaf);
}

/* Marks what the verdicts judge; false when one of them leads out of the block, or one that stands on a statement may still change. One that was revised may have
 * named another request, maybe of another block, which was not alone then. */
static bool mark_judged(const struct making *making, const struct verdicts *verdicts,
			uint8_t *judged)
{
	const uint32_t *parents = making->parents;
	for (uint32_t i = 0; i < verdicts->run.count; i++) {
		uint32_t subject = parents[verdicts->run.first + i];
		bool stands = i + 1 == verdicts->run.count ||
			      parents[verdicts->run.first + i + 1] != subject;
		if (subject == BLOCK_NO_ROW) {
			return false;
		}
		judged[subject] = 1; /* the last one of its verdicts stands */
		if (block_kinds(making->block)[subject] != RECORD_STATEMENT) {
			continue;
		}
		if ((stands && !is_final(verdicts, i)) ||
		    !names_own_request(making, verdicts->request_leaf[i], subject)) {
			return false;
		}
	}
	return true;
}

static int look_whether_whole(const struct making *making, bool *out_whole, struct error *err)
{
	struct block *block = making->block;
	struct verdicts verdicts = {.run = block_run(block, RECORD_VERDICT)};
	int rc = block_number_column(block, RECORD_VERDICT, FIELD_request_leaf,
				     &verdicts.request_leaf, err);
	rc = rc < 0 ? rc
		    : block_text_column(block, RECORD_VERDICT, FIELD_settled, &verdicts.settled,
					err);
	if (rc < 0) {
		return rc;
	}
	uint8_t *judged = calloc((size_t)block_about(block)->row_count + 1, 1);
	if (judged == NULL) {
		return no_memory(err);
	}
	bool whole = mark_judged(making, &verdicts, judged);
	struct block_run run = block_run(block, RECORD_STATEMENT);
	for (uint32_t i = 0; whole && i < run.count; i++) {
		whole = judged[run.first + i] != 0;
	}
	free(judged);
	*out_whole = whole;
	return 0;
}

static uint64_t count_lone(const struct making *making)
{
	struct block_run run = block_run(making->block, RECORD_STATEMENT);
	uint64_t count = 0;
	for (uint32_t i = 0; i < run.count; i++) {
		count += making->parents[run.first + i] == BLOCK_NO_ROW ? 1 : 0;
	}
	return count;
}

static int make(struct making *making, struct buf *out, bool *out_is_whole, struct error *err)
{
	bool whole = false;
	int rc = block_parents(making->block, &making->parents, err);
	rc = rc < 0 ? rc : look_whether_whole(making, &whole, err);
	if (rc < 0) {
		return rc;
	}
	wire_put_u8(&making->head, SUMMARY_VERSION);
	wire_put_u8(&making->head, whole ? SUMMARY_IS_WHOLE : 0);
	wire_put_varint(&making->head, count_lone(making));
	wire_put_varint(&making->head, SHOWN_COUNT);
	for (size_t i = 0; rc == 0 && i < SHOWN_COUNT; i++) {
		rc = make_column(making, i, err);
	}
	if (rc < 0) {
		return rc;
	}
	if (making->head.failed) {
		return no_memory(err);
	}
	streams_put(making->writer, 0, SUMMARY_PART_HEAD, buf_str(&making->head), 0);
	*out_is_whole = whole;
	return streams_finish(making->writer, block_about(making->block)->number, making->key, out,
			      err);
}

int summary_make(struct block *block, const uint8_t *key, struct buf *out, bool *out_is_whole,
		 struct error *err)
{
	struct making making = {.block = block, .key = key};
	making.writer = streams_writer_new();
	if (making.writer == NULL) {
		return no_memory(err);
	}
	buf_init(&making.head, 4096);
	int rc = make(&making, out, out_is_whole, err);
	buf_done(&making.head);
	streams_writer_free(making.writer);
	return rc;
}

struct known {
	bool is_known;
	struct wordlist values;
	int64_t *rows; /* statements stand behind */
	size_t count;
	uint64_t absent_rows, absent_statements;
};

struct summary {
	bool is_whole;
	int64_t most; /* rows that a value can have */
	uint64_t lone_statements;
	struct known known[SHOWN_COUNT];
};

static int damaged(struct error *err)
{
	return error_set(err, ERR_CORRUPT, "the summary of a block is damaged");
}

static int read_head(struct summary *summary, struct streams *streams, struct error *err)
{
	struct str bytes;
	int rc = streams_get(streams, 0, SUMMARY_PART_HEAD, &bytes, err);
	if (rc < 0) {
		return rc;
	}
	struct wire_reader reader = wire_reader(bytes);
	uint8_t version = wire_u8(&reader);
	uint8_t flags = wire_u8(&reader);
	summary->lone_statements = wire_varint(&reader);
	uint64_t count = wire_varint(&reader);
	if (version != SUMMARY_VERSION ||
	    count > SHOWN_COUNT) { /* fewer were known to an older writer */
		return damaged(err);
	}
	summary->is_whole = (flags & SUMMARY_IS_WHOLE) != 0;
	summary->most = (flags & SUMMARY_IS_OF_MANY) != 0 ? TOGETHER_MOST : BLOCK_ROWS_MAX;
	for (size_t i = 0; i < count && !reader.failed; i++) {
		struct known *known = &summary->known[i];
		known->is_known = wire_u8(&reader) != 0;
		if (!known->is_known) {
			continue;
		}
		uint64_t values = wire_varint(&reader);
		known->absent_rows = wire_varint(&reader);
		known->absent_statements = wire_varint(&reader);
		if (values > SUMMARY_VALUES_MAX || known->absent_rows > (uint64_t)summary->most ||
		    known->absent_statements > (uint64_t)summary->most) {
			return damaged(err);
		}
		known->count = (size_t)values;
	}
	return reader.failed || wire_left(&reader) != 0 ? damaged(err) : 0;
}

static bool is_sensible(const struct known *known, int64_t most)
{
	size_t count = known->count;
	bool fits = known->values.count == count;
	for (size_t i = 0; fits && i < count; i++) {
		const struct str *texts = known->values.texts;
		fits = (i == 0 || str_compare(texts[i - 1], texts[i]) < 0) && known->rows[i] > 0 &&
		       known->rows[i] <= most && known->rows[count + i] >= 0 &&
		       known->rows[count + i] <= most;
	}
	return fits;
}

static int read_column(struct summary *summary, struct streams *streams, size_t index,
		       struct error *err)
{
	struct known *known = &summary->known[index];
	size_t count = known->count;
	if (count == 0) {
		return 0;
	}
	known->rows = calloc(2 * count, sizeof known->rows[0]);
	if (known->rows == NULL) {
		return no_memory(err);
	}
	struct ints_column about = {
		.column = (uint16_t)(index + 1), .part = SUMMARY_PART_ROWS, .count = count};
	int rc = wordlist_get(streams, about.column, SUMMARY_PART_VALUES, &known->values, err);
	rc = rc < 0 ? rc : ints_get(streams, &about, known->rows, err);
	about.part = SUMMARY_PART_STATEMENTS;
	if (rc == 0 && shown[index].kind == RECORD_REQUEST) {
		rc = ints_get(streams, &about, known->rows + count, err);
	}
	if (rc == 0 && !is_sensible(known, summary->most)) {
		return damaged(err);
	}
	return rc;
}

static bool is_asked(const struct summary_asked *asked, size_t index)
{
	bool found = asked->columns == NULL;
	for (size_t i = 0; !found && i < asked->column_count; i++) {
		found = asked->columns[i].kind == shown[index].kind &&
			asked->columns[i].field == shown[index].field;
	}
	return found;
}

int summary_open_some(const struct summary_asked *asked, struct summary **out_summary,
		      struct error *err)
{
	struct streams *streams = NULL;
	struct streams_place place = {.fd = -1,
				      .bytes = asked->bytes,
				      .name = "a summary",
				      .number = asked->number,
				      .key = asked->key};
	struct summary *summary = calloc(1, sizeof *summary);
	if (summary == NULL) {
		return no_memory(err);
	}
	int rc = streams_open(&place, &streams, err);
	rc = rc < 0 ? rc : read_head(summary, streams, err);
	for (size_t i = 0; rc == 0 && i < SHOWN_COUNT; i++) {
		if (is_asked(asked, i)) {
			rc = read_column(summary, streams, i, err);
		} else {
			summary->known[i].is_known = false;
		}
	}
	streams_close(streams);
	if (rc < 0) {
		summary_close(summary);
		return rc;
	}
	*out_summary = summary;
	return 0;
}

int summary_open(uint64_t number, struct str bytes, const uint8_t *key,
		 struct summary **out_summary, struct error *err)
{
	const struct summary_asked asked = {.number = number, .bytes = bytes, .key = key};
	return summary_open_some(&asked, out_summary, err);
}

void summary_close(struct summary *summary)
{
	for (size_t i = 0; summary != NULL && i < SHOWN_COUNT; i++) {
		if (summary->known[i].values.texts != NULL) {
			wordlist_done(&summary->known[i].values);
		}
		free(summary->known[i].rows);
	}
	free(summary);
}

bool summary_is_whole(const struct summary *summary)
{
	return summary->is_whole;
}

uint64_t summary_lone_statements(const struct summary *summary)
{
	return summary->lone_statements;
}

bool summary_field(const struct summary *summary, enum record_kind kind, enum field field,
		   struct summary_field *out_field)
{
	for (size_t i = 0; i < SHOWN_COUNT; i++) {
		const struct known *known = &summary->known[i];
		if (shown[i].kind != kind || shown[i].field != field || !known->is_known) {
			continue;
		}
		*out_field = (struct summary_field){
			.values = known->values.texts,
			.rows = known->rows,
			.statements = kind == RECORD_REQUEST && known->count > 0
					      ? known->rows + known->count
					      : NULL,
			.count = known->count,
			.absent_rows = known->absent_rows,
			.absent_statements = known->absent_statements,
		};
		return true;
	}
	return false;
}
