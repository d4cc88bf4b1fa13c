#include "store/block/coder.h"

#include "store/block/family.h"
#include "store/block/groups.h"
#include "store/block/ranks.h"
#include "store/block/texts.h"
#include "store/block/wordlist.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE 2048
#define ADOPT_BITS \
	64 /* a column that takes fewer than a bit in so many values follows from another one */
#define BASES_TRIED 6

/* How a column may be coded, and what that takes. */
struct choice {
	struct layout_given given;
	uint16_t base;
	uint64_t bits;
};

static size_t sample_of(const struct gathered *column)
{
	return column->count < SAMPLE ? column->count : SAMPLE;
}

/* Where the sample begins: in the middle, where a block is most like itself. */
static size_t sample_start(const struct gathered *column)
{
	return (column->count - sample_of(column)) / 2;
}

/* All that a column may be given. */
struct givens {
	struct layout_given item[2 * CODER_GIVEN_MAX + 2];
	size_t count;
};

static void add_given(struct givens *givens, uint8_t kind, enum layout_context context,
		      uint16_t column)
{
	givens->item[givens->count++] = (struct layout_given){kind, (uint8_t)context, column};
}

static void find_givens(const struct coder *coder, uint8_t kind, struct givens *out)
{
	uint8_t parent = kind == RECORD_STATEMENT ? RECORD_REQUEST
			 : kind == RECORD_VERDICT ? RECORD_STATEMENT
						  : 0;
	out->count = 0;
	add_given(out, kind, LAYOUT_GIVEN_NOTHING, LAYOUT_NONE);
	for (size_t i = 0; i < coder->given_count[kind]; i++) {
		add_given(out, kind, LAYOUT_GIVEN_COLUMN, coder->given[kind][i]);
	}
	if (parent == RECORD_REQUEST) {
		add_given(out, kind, LAYOUT_GIVEN_PARENT, LAYOUT_NONE);
	}
	for (size_t i = 0; parent != 0 && i < coder->given_count[parent]; i++) {
		add_given(out, kind, LAYOUT_GIVEN_PARENT_COLUMN, coder->given[parent][i]);
	}
}

/* The cheapest context of a sample of codes. */
static void choose_context(const struct coder *coder, const struct gathered *column,
			   struct choice *out)
{
	uint32_t context[SAMPLE];
	struct givens givens;
	size_t start = sample_start(column), count = sample_of(column);
	find_givens(coder, column->column.kind, &givens);
	*out = (struct choice){.given = givens.item[0], .base = LAYOUT_NONE, .bits = UINT64_MAX};
	for (size_t i = 0; i < givens.count && out->bits * ADOPT_BITS > count; i++) {
		bool has = layout_context(coder->layout, &givens.item[i], column->rows + start,
					  count, context);
		uint64_t bits = ranks_cost(column->codes + start, has ? context : NULL, count);
		if (i == 0 || bits + bits / 32 < out->bits) {
			out->given = givens.item[i];
			out->bits = bits;
		}
	}
}

static int add_to_layout(struct coder *coder, const struct gathered *column)
{
	if (coder->layout->count == LAYOUT_COLUMNS_MAX) {
		return -ERR_LIMIT;
	}
	coder->layout->columns[coder->layout->count++] = column->column;
	return 0;
}

static uint16_t stream_of(const struct coder *coder)
{
	return (uint16_t)(LAYOUT_FIRST + coder->layout->count - 1);
}

/* The context of all values; *out is NULL when there is none. */
static int make_context(const struct coder *coder, const struct gathered *column, uint32_t **out)
{
	const struct layout_given given = {column->column.kind, column->column.context,
					   column->column.given};
	uint32_t *context = malloc((column->count + 1) * sizeof context[0]);
	if (context == NULL) {
		return -ERR_NOMEM;
	}
	if (!layout_context(coder->layout, &given, column->rows, column->count, context)) {
		free(context);
		context = NULL;
	}
	*out = context;
	return 0;
}

/* Numbers codes by first use in the order in which ranks are written, so that a new code is always the next one. */
static int renumber(struct gathered *column, const uint32_t *context)
{
	struct groups groups;
	int rc = groups_make(context, column->count, &groups);
	uint32_t *new_code = malloc((column->distinct + 1) * sizeof new_code[0]);
	uint32_t *firsts = malloc((column->count + 1) * sizeof firsts[0]);
	uint32_t next = 0;
	if (rc < 0 || new_code == NULL || firsts == NULL) {
		groups_done(&groups);
		free(new_code);
		free(firsts);
		return -ERR_NOMEM;
	}
	memset(new_code, 0xff, (column->distinct + 1) * sizeof new_code[0]);
	for (size_t i = 0; i < column->count; i++) {
		size_t at = groups.order != NULL ? groups.order[i] : i;
		uint32_t code = column->codes[at];
		if (new_code[code] == UINT32_MAX) {
			firsts[next] = column->firsts[code];
			new_code[code] = next++;
		}
		column->codes[at] = new_code[code];
	}
	free(column->firsts);
	column->firsts = firsts;
	free(new_code);
	groups_done(&groups);
	return 0;
}

/* Puts codes where other columns find them: by row. */
static int publish(struct coder *coder, const struct gathered *column, const uint32_t *codes)
{
	struct layout_column *published = &coder->layout->columns[coder->layout->count - 1];
	size_t rows = coder->layout->runs[column->column.kind].count;
	published->code = malloc((rows + 1) * sizeof published->code[0]);
	if (published->code == NULL) {
		return -ERR_NOMEM;
	}
	memset(published->code, 0xff, rows * sizeof published->code[0]);
	for (size_t i = 0; i < column->count; i++) {
		published->code[column->rows[i]] = codes[i];
	}
	return 0;
}

static void offer(struct coder *coder, uint8_t kind)
{
	if (coder->given_count[kind] < CODER_GIVEN_MAX) {
		coder->given[kind][coder->given_count[kind]++] =
			(uint16_t)(coder->layout->count - 1);
	}
}

static int put_dictionary(struct coder *coder, const struct gathered *column)
{
	int rc = -ERR_NOMEM;
	uint16_t stream = stream_of(coder);
	if (column->column.is_number) {
		int64_t *list = malloc((column->distinct + 1) * sizeof list[0]);
		const struct ints_column about = {
			.column = stream, .part = LAYOUT_WORDS, .count = column->distinct};
		for (size_t i = 0; list != NULL && i < column->distinct; i++) {
			list[i] = column->numbers[column->firsts[i]];
		}
		rc = list != NULL ? ints_put(coder->streams, &about, list) : rc;
		free(list);
		return rc;
	}
	struct str *list = malloc((column->distinct + 1) * sizeof list[0]);
	for (size_t i = 0; list != NULL && i < column->distinct; i++) {
		list[i] = column->texts[column->firsts[i]];
	}
	if (list != NULL) {
		rc = wordlist_put(coder->streams, stream, LAYOUT_WORDS, list, column->distinct);
	}
	free(list);
	return rc;
}

static int put_ranks(struct coder *coder, struct gathered *column, const struct choice *choice)
{
	uint32_t *context = NULL;
	column->column.coding = column->column.is_number ? LAYOUT_LIST_RANKS : LAYOUT_WORDS_RANKS;
	column->column.context = choice->given.context;
	column->column.given = choice->given.given;
	int rc = add_to_layout(coder, column);
	rc = rc < 0 ? rc : make_context(coder, column, &context);
	rc = rc < 0 ? rc : renumber(column, context);
	rc = rc < 0 ? rc : put_dictionary(coder, column);
	if (rc == 0) {
		const struct ranks_column about = {.column = stream_of(coder),
						   .part = LAYOUT_RANKS,
						   .count = column->count,
						   .context = context};
		rc = ranks_put(coder->streams, &about, column->codes);
	}
	free(context);
	rc = rc < 0 ? rc : publish(coder, column, column->codes);
	if (rc == 0 && column->distinct > 1 && choice->bits * ADOPT_BITS > sample_of(column)) {
		offer(coder, column->column.kind);
	}
	if (column->column.kind == RECORD_REQUEST && column->column.what == FIELD_route) {
		coder->route = (uint16_t)(coder->layout->count - 1);
	}
	return rc;
}

static size_t ids_of(void *owner, uint32_t family, struct str out_ids[TEXTS_IDS_MAX],
		     int64_t *out_seed)
{
	const struct gather *requests = owner;
	size_t count = 0;
	*out_seed = INT64_MIN;
	for (size_t i = 0; i < FAMILY_IDS; i++) {
		const struct gathered *column = gather_field(requests, family_fields[i]);
		struct str id =
			column != NULL ? gathered_text(column, family) : (struct str){NULL, 0};
		if (id.ptr != NULL) {
			out_ids[count++] = id;
		}
	}
	const struct gathered *path = gather_field(requests, FIELD_path);
	struct str text = path != NULL ? gathered_text(path, family) : (struct str){NULL, 0};
	if (text.ptr != NULL) {
		*out_seed = family_seed(text);
	}
	return count;
}

/* The family of each value: its row's parent. */
static uint32_t *make_families(const struct coder *coder, const struct gathered *column)
{
	uint32_t first = coder->layout->runs[column->column.kind].first;
	uint32_t *family = malloc((column->count + 1) * sizeof family[0]);
	for (size_t i = 0; family != NULL && i < column->count; i++) {
		family[i] = coder->layout->parents[first + column->rows[i]];
	}
	return family;
}

static void describe_texts(const struct coder *coder, struct layout_column *column)
{
	bool is_tsql = column->what == FIELD_statement;
	column->coding = is_tsql ? LAYOUT_TSQL : LAYOUT_TEXTS;
	if (coder->route != LAYOUT_NONE && (is_tsql || column->kind == RECORD_REQUEST)) {
		column->context = is_tsql ? LAYOUT_GIVEN_PLACE : LAYOUT_GIVEN_COLUMN;
		column->given = coder->route;
	}
}

/* Writes the texts given what was prepared, and lets others be given their templates. */
static int write_texts(struct coder *coder, const struct gathered *column, const uint32_t *context,
		       const uint32_t *family, uint32_t *codes)
{
	const struct texts_column about = {
		.column = stream_of(coder),
		.is_tsql = column->column.coding == LAYOUT_TSQL,
		.count = column->count,
		.context = context,
		.family = family,
		.ids_of = family != NULL ? ids_of : NULL,
		.owner = (void *)(uintptr_t)coder->requests,
		.out_codes = codes,
	};
	int rc = texts_put(coder->streams, &about, column->texts);
	rc = rc < 0 ? rc : publish(coder, column, codes);
	if (rc == 0 && about.is_tsql) {
		offer(coder, column->column.kind);
	}
	return rc;
}

static int put_texts(struct coder *coder, struct gathered *column)
{
	bool has_families = column->column.kind == RECORD_STATEMENT;
	uint32_t *context = NULL;
	uint32_t *codes = malloc((column->count + 1) * sizeof codes[0]);
	uint32_t *family = has_families ? make_families(coder, column) : NULL;
	describe_texts(coder, &column->column);
	int rc = codes == NULL || (has_families && family == NULL) ? -ERR_NOMEM
								   : add_to_layout(coder, column);
	rc = rc < 0 ? rc : make_context(coder, column, &context);
	rc = rc < 0 ? rc : write_texts(coder, column, context, family, codes);
	free(family);
	free(context);
	free(codes);
	return rc;
}

/* The cheapest bucket of a column of numbers, or their order by leaf. */
static int choose_bucket(const struct coder *coder, const struct gathered *column,
			 struct choice *out)
{
	uint32_t context[SAMPLE];
	struct givens givens;
	size_t start = sample_start(column), count = sample_of(column);
	find_givens(coder, column->column.kind, &givens);
	*out = (struct choice){.given = givens.item[0], .base = LAYOUT_NONE, .bits = UINT64_MAX};
	for (size_t i = 0; i < givens.count && out->bits * ADOPT_BITS > count; i++) {
		if (column->column.what == FIELD_duration_ms &&
		    givens.item[i].context == LAYOUT_GIVEN_COLUMN) {
			continue; /* each block_open reads it: not the templates besides */
		}
		bool has = layout_context(coder->layout, &givens.item[i], column->rows + start,
					  count, context);
		uint64_t bits = ints_cost(column->numbers + start, has ? context : NULL, count);
		if (i == 0 || bits + bits / 32 < out->bits) {
			out->given = givens.item[i];
			out->bits = bits;
		}
	}
	return 0;
}

/* The values in the order of their leaves, into out. False without memory. */
static bool by_leaf(const struct coder *coder, const struct gathered *column, int64_t *out)
{
	struct block_run run = coder->layout->runs[column->column.kind];
	uint32_t *rows = malloc((column->count + 1) * sizeof rows[0]);
	int64_t *by_row = malloc((run.count + 1) * sizeof by_row[0]);
	bool done = rows != NULL && by_row != NULL;
	if (done) {
		memcpy(rows, column->rows, column->count * sizeof rows[0]);
		for (size_t i = 0; i < column->count; i++) {
			by_row[column->rows[i]] = column->numbers[i];
		}
		done = layout_sort(coder->layout->leaves + run.first, rows, column->count);
	}
	for (size_t i = 0; done && i < column->count; i++) {
		out[i] = by_row[rows[i]];
	}
	free(rows);
	free(by_row);
	return done;
}

/* Whether both columns have values in the same rows. */
static bool same_rows(const struct gathered *a, const struct gathered *b)
{
	return a->count == b->count && memcmp(a->rows, b->rows, a->count * sizeof a->rows[0]) == 0;
}

/* The values of a column of numbers that is written already and stands in the same rows, or NULL. */
static const struct gathered *find_base(const struct gather *gather,
					const struct layout_column *known,
					const struct gathered *column)
{
	for (size_t i = 0; i < gather->count; i++) {
		const struct gathered *base = &gather->columns[i];
		bool is_it = known->kind == base->column.kind && known->is_number &&
			     base->column.is_number && known->what == base->column.what &&
			     known->name == base->column.name;
		if (is_it) {
			bool fits = base != column && base->column.coding == LAYOUT_INTS &&
				    same_rows(base, column);
			return fits ? base : NULL;
		}
	}
	return NULL;
}

/* A column written before whose difference is smaller than the value itself. */
static const struct gathered *choose_base(const struct coder *coder, const struct gather *gather,
					  const struct gathered *column, struct choice *io)
{
	int64_t left[SAMPLE];
	const struct gathered *best = NULL;
	size_t start = sample_start(column);
	size_t count = sample_of(column);
	size_t tried = 0;
	for (size_t c = 0; c < coder->layout->count && tried < BASES_TRIED; c++) {
		const struct layout_column *known = &coder->layout->columns[c];
		const struct gathered *base = find_base(gather, known, column);
		if (base == NULL) {
			continue;
		}
		tried++;
		for (size_t i = 0; i < count; i++) {
			left[i] = (int64_t)((uint64_t)column->numbers[start + i] -
					    (uint64_t)base->numbers[start + i]);
		}
		uint64_t bits = ints_cost(left, NULL, count);
		if (bits + bits / 16 < io->bits) {
			io->bits = bits;
			io->base = (uint16_t)c;
			io->given.context = LAYOUT_GIVEN_NOTHING;
			best = base;
		}
	}
	return best;
}

static int put_ints(struct coder *coder, const struct gather *gather, struct gathered *column,
		    struct choice *choice)
{
	uint32_t *context = NULL;
	int64_t *values = malloc((column->count + 1) * sizeof values[0]);
	if (values == NULL || !by_leaf(coder, column, values)) {
		free(values);
		return -ERR_NOMEM;
	}
	size_t start = sample_start(column), count = sample_of(column);
	/* the times of statements follow from durations, leaves from times: these may not depend on leaves */
	bool is_first = column->column.what == FIELD_duration_ms;
	const struct gathered *base = is_first ? NULL : choose_base(coder, gather, column, choice);
	uint64_t bits = ints_cost(values + start, NULL, count);
	if (!is_first && bits + bits / 16 < choice->bits) {
		choice->given.context = LAYOUT_BY_LEAF;
		choice->base = LAYOUT_NONE;
		base = NULL;
	} else {
		memcpy(values, column->numbers, column->count * sizeof values[0]);
	}
	for (size_t i = 0; base != NULL && i < column->count; i++) {
		values[i] = (int64_t)((uint64_t)values[i] - (uint64_t)base->numbers[i]);
	}
	column->column.coding = LAYOUT_INTS;
	column->column.context = choice->given.context;
	column->column.given = choice->given.given;
	column->column.base = choice->base;
	int rc = add_to_layout(coder, column);
	rc = rc < 0 ? rc : make_context(coder, column, &context);
	if (rc == 0) {
		const struct ints_column about = {.column = stream_of(coder),
						  .part = LAYOUT_WORDS,
						  .count = column->count,
						  .bucket = context};
		rc = ints_put(coder->streams, &about, values);
	}
	free(context);
	free(values);
	return rc;
}

/* Numbers: as a list and ranks where that is smaller. */
static int put_numbers(struct coder *coder, const struct gather *gather, struct gathered *column)
{
	struct choice ints, ranks;
	int rc = choose_bucket(coder, column, &ints);
	if (rc == 0 && column->codes != NULL) {
		choose_context(coder, column, &ranks);
		size_t sample = sample_of(column);
		uint64_t whole = sample > 0 ? ranks.bits * column->count / sample : 0;
		uint64_t other = sample > 0 ? ints.bits * column->count / sample : 0;
		if (whole + 16 * column->distinct < other + 64) {
			return put_ranks(coder, column, &ranks);
		}
	}
	return rc < 0 ? rc : put_ints(coder, gather, column, &ints);
}

/* The order in which columns are written. */
static int order_of(const struct gathered *column)
{
	if (column->column.what == FIELD_statement) {
		return 0;
	}
	if (column->codes != NULL) {
		return 1;
	}
	return column->column.is_number ? 3 : 2;
}

static int compare(const void *left, const void *right)
{
	const struct gathered *a = left;
	const struct gathered *b = right;
	int order_a = order_of(a), order_b = order_of(b);
	if (order_a != order_b) {
		return order_a < order_b ? -1 : 1;
	}
	if (order_a == 1 && a->distinct != b->distinct) {
		return a->distinct > b->distinct ? -1 : 1;
	}
	if (a->column.what != b->column.what) {
		return a->column.what < b->column.what ? -1 : 1;
	}
	return (a->column.name > b->column.name) - (a->column.name < b->column.name);
}

int coder_put(struct coder *coder, struct gather *gather)
{
	int rc = 0;
	gather_distinct(gather);
	if (gather->count > 1) { /* the recipes' lists of columns are done with */
		qsort(gather->columns, gather->count, sizeof gather->columns[0], compare);
	}
	for (size_t i = 0; rc == 0 && i < gather->count; i++) {
		struct gathered *column = &gather->columns[i];
		struct choice choice;
		if (column->column.is_number) {
			rc = put_numbers(coder, gather, column);
		} else if (column->codes != NULL) {
			choose_context(coder, column, &choice);
			rc = put_ranks(coder, column, &choice);
		} else {
			rc = put_texts(coder, column);
		}
	}
	return rc;
}
