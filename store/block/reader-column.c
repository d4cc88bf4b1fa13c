#include "store/block/opened.h"

#include "store/block/family.h"
#include "store/block/ints.h"
#include "store/block/ranks.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

int opened_no_memory(const struct block *block, struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for %s", block->name);
}

void opened_column_done(struct opened_column *column)
{
	free(column->rows);
	free(column->value_of);
	texts_close(column->texts);
	free(column->context);
	free(column->family);
	wordlist_done(&column->words);
}

static uint16_t stream_of(uint16_t column)
{
	return (uint16_t)(LAYOUT_FIRST + column);
}

/* Reads what a column is coded given. */
static int load_context(struct block *block, uint16_t number, struct error *err)
{
	struct layout_column *column = &block->layout.columns[number];
	struct opened_column *opened = &block->columns[number];
	const struct layout_given given = {column->kind, column->context, column->given};
	size_t rows = block->layout.runs[column->kind].count;
	bool needs = column->context == LAYOUT_GIVEN_COLUMN ||
		     column->context == LAYOUT_GIVEN_PARENT_COLUMN ||
		     column->context == LAYOUT_GIVEN_PLACE;
	int rc = needs ? opened_load(block, column->given, err) : 0;
	if (rc < 0) {
		return rc;
	}
	opened->rows = malloc((rows + 1) * sizeof opened->rows[0]);
	opened->context = malloc((rows + 1) * sizeof opened->context[0]);
	if (opened->rows == NULL || opened->context == NULL) {
		return opened_no_memory(block, err);
	}
	opened->count = layout_rows(&block->layout, column, opened->rows);
	if (!layout_context(&block->layout, &given, opened->rows, opened->count, opened->context)) {
		free(opened->context);
		opened->context = NULL;
	}
	return 0;
}

/* Puts the codes of values where they belong. */
static int spread_codes(struct block *block, uint16_t number, const uint32_t *codes,
			struct error *err)
{
	struct layout_column *column = &block->layout.columns[number];
	const struct opened_column *opened = &block->columns[number];
	size_t rows = block->layout.runs[column->kind].count;
	column->code = malloc((rows + 1) * sizeof column->code[0]);
	if (column->code == NULL) {
		return opened_no_memory(block, err);
	}
	memset(column->code, 0xff, rows * sizeof column->code[0]);
	for (size_t i = 0; i < opened->count; i++) {
		column->code[opened->rows[i]] = codes[i];
	}
	return 0;
}

static int spread_numbers(struct block *block, uint16_t number, const int64_t *numbers,
			  struct error *err)
{
	struct layout_column *column = &block->layout.columns[number];
	const struct opened_column *opened = &block->columns[number];
	size_t rows = block->layout.runs[column->kind].count;
	column->number = malloc((rows + 1) * sizeof column->number[0]);
	if (column->number == NULL) {
		return opened_no_memory(block, err);
	}
	for (size_t i = 0; opened->count < rows && i < rows; i++) {
		column->number[i] = INT64_MIN;
	}
	for (size_t i = 0; i < opened->count; i++) {
		column->number[opened->rows[i]] = numbers[i];
	}
	return 0;
}

/* The list of a column's numbers, and from it the number of each row. */
static int load_list(struct block *block, uint16_t number, const uint32_t *codes, size_t distinct,
		     struct error *err)
{
	const struct opened_column *opened = &block->columns[number];
	const struct ints_column about = {
		.column = stream_of(number), .part = LAYOUT_WORDS, .count = distinct};
	int64_t *list = malloc((distinct + 1) * sizeof list[0]);
	int64_t *numbers = malloc((opened->count + 1) * sizeof numbers[0]);
	int rc = list != NULL && numbers != NULL ? ints_get(block->streams, &about, list, err)
						 : opened_no_memory(block, err);
	for (size_t i = 0; rc == 0 && i < opened->count; i++) {
		numbers[i] = list[codes[i]];
	}
	rc = rc < 0 ? rc : spread_numbers(block, number, numbers, err);
	free(list);
	free(numbers);
	return rc;
}

int opened_words(struct block *block, uint16_t number, struct error *err)
{
	struct opened_column *opened = &block->columns[number];
	int rc = opened->has_words ? 0
				   : wordlist_get(block->streams, stream_of(number), LAYOUT_WORDS,
						  &opened->words, err);
	opened->has_words = rc == 0;
	return rc;
}

/* One more than the largest code; 0 without any. */
static size_t end_of(const uint32_t *codes, size_t count)
{
	uint32_t most = 0;
	for (size_t i = 0; i < count; i++) {
		most = codes[i] > most ? codes[i] : most;
	}
	return count > 0 ? (size_t)most + 1 : 0;
}

static int load_ranks(struct block *block, uint16_t number, struct error *err)
{
	const struct layout_column *column = &block->layout.columns[number];
	struct opened_column *opened = &block->columns[number];
	const struct ranks_column about = {.column = stream_of(number),
					   .part = LAYOUT_RANKS,
					   .count = opened->count,
					   .context = opened->context};
	uint32_t *codes = malloc((opened->count + 1) * sizeof codes[0]);
	size_t distinct = 0;
	int rc = codes != NULL ? 0 : opened_no_memory(block, err);
	if (rc == 0 && opened->count > 0) {
		rc = ranks_get(block->streams, &about, codes, err);
	}
	distinct = rc == 0 ? end_of(codes, opened->count) : 0;
	if (distinct > opened->count) {
		rc = streams_blame(block->streams, about.column, "a code is too large", err);
	}
	if (rc == 0 && column->coding == LAYOUT_LIST_RANKS) {
		rc = load_list(block, number, codes, distinct, err);
	} else if (rc == 0) {
		rc = opened_words(block, number, err);
		if (rc == 0 && opened->words.count < distinct) {
			rc = streams_blame(block->streams, about.column, "a word is missing", err);
		}
	}
	rc = rc < 0 ? rc : spread_codes(block, number, codes, err);
	free(codes);
	return rc;
}

/* Puts numbers that stand in the order of leaves into that of rows. */
static int order_numbers(struct block *block, uint16_t number, int64_t *numbers, struct error *err)
{
	const struct layout_column *column = &block->layout.columns[number];
	const struct opened_column *opened = &block->columns[number];
	struct block_run run = block->layout.runs[column->kind];
	int rc = opened_rows(block, column->kind, err);
	if (rc < 0) {
		return rc;
	}
	uint32_t *rows = malloc((opened->count + 1) * sizeof rows[0]);
	int64_t *by_row = malloc(((size_t)run.count + 1) * sizeof by_row[0]);
	bool done = rows != NULL && by_row != NULL;
	if (done) {
		memcpy(rows, opened->rows, opened->count * sizeof rows[0]);
		done = layout_sort(block->layout.leaves + run.first, rows, opened->count);
	}
	for (size_t i = 0; done && i < opened->count; i++) {
		by_row[rows[i]] = numbers[i];
	}
	for (size_t i = 0; done && i < opened->count; i++) {
		numbers[i] = by_row[opened->rows[i]];
	}
	free(rows);
	free(by_row);
	return done ? 0 : opened_no_memory(block, err);
}

static int load_ints(struct block *block, uint16_t number, struct error *err)
{
	const struct layout_column *column = &block->layout.columns[number];
	const struct opened_column *opened = &block->columns[number];
	const struct ints_column about = {.column = stream_of(number),
					  .part = LAYOUT_WORDS,
					  .count = opened->count,
					  .bucket = opened->context};
	int rc = column->base != LAYOUT_NONE ? opened_load(block, column->base, err) : 0;
	int64_t *numbers = malloc((opened->count + 1) * sizeof numbers[0]);
	if (rc == 0) {
		rc = numbers != NULL ? ints_get(block->streams, &about, numbers, err)
				     : opened_no_memory(block, err);
	}
	if (rc == 0 && column->context == LAYOUT_BY_LEAF) {
		rc = order_numbers(block, number, numbers, err);
	}
	for (size_t i = 0; rc == 0 && column->base != LAYOUT_NONE && i < opened->count; i++) {
		uint64_t base =
			(uint64_t)block->layout.columns[column->base].number[opened->rows[i]];
		numbers[i] = (int64_t)((uint64_t)numbers[i] + base);
	}
	rc = rc < 0 ? rc : spread_numbers(block, number, numbers, err);
	free(numbers);
	return rc;
}

/* Whether a column that was read has a text in a row. */
static bool has_text(const struct block *block, uint16_t number, uint32_t row)
{
	const struct opened_column *opened = &block->columns[number];
	if (opened->texts == NULL) {
		uint32_t code = block->layout.columns[number].code[row];
		return code != UINT32_MAX && code < opened->words.count;
	}
	uint32_t value = opened->value_of != NULL ? opened->value_of[row] : row;
	return value != UINT32_MAX && texts_has(opened->texts, value);
}

/* The ids that the statements of a request share, and the number of its path, as far as they are wanted. What can't be read is missing: then texts
 * are damaged. */
static size_t part_of(void *owner, uint32_t family, unsigned wanted,
		      struct str out_ids[TEXTS_IDS_MAX], int64_t *out_seed)
{
	struct block *block = owner;
	size_t ends[FAMILY_IDS + 1] = {0};
	size_t count = 0;
	struct error err;
	*out_seed = INT64_MIN;
	buf_clear(&block->id_texts);
	const struct opened_recipe *recipe =
		opened_recipe(block, block->layout.recipe_of[family], &err);
	for (size_t i = 0; recipe != NULL && i < FAMILY_IDS; i++) {
		uint16_t column = recipe->column_of[family_fields[i]];
		bool is_there = column != LAYOUT_NONE && block->columns[column].is_loaded;
		bool is_wanted = (wanted >> count & 1) != 0;
		is_there = is_there && (is_wanted ? opened_text(block, column, family,
								&block->id_texts, &err) == 0
						  : has_text(block, column, family));
		if (is_there) {
			ends[++count] = block->id_texts.len;
		}
	}
	uint16_t path = recipe != NULL && (wanted & TEXTS_WANT_SEED) != 0
				? recipe->column_of[FIELD_path]
				: LAYOUT_NONE;
	if (path != LAYOUT_NONE && block->columns[path].is_loaded &&
	    opened_text(block, path, family, &block->id_texts, &err) == 0) {
		*out_seed = family_seed(str_make(block->id_texts.ptr + ends[count],
						 block->id_texts.len - ends[count]));
	}
	for (size_t i = 0; i < count; i++) {
		out_ids[i] = str_make(block->id_texts.ptr + ends[i], ends[i + 1] - ends[i]);
	}
	return count;
}

static size_t ids_of(void *owner, uint32_t family, struct str out_ids[TEXTS_IDS_MAX],
		     int64_t *out_seed)
{
	return part_of(owner, family, UINT_MAX, out_ids, out_seed);
}

/* Reads the columns that ids_of looks at. */
static int load_families(struct block *block, struct error *err)
{
	int rc = 0;
	for (uint16_t c = 0; rc == 0 && c < block->layout.count; c++) {
		const struct layout_column *column = &block->layout.columns[c];
		bool is_part = column->what == FIELD_path;
		for (size_t i = 0; i < FAMILY_IDS; i++) {
			is_part = is_part || column->what == family_fields[i];
		}
		if (column->kind == RECORD_REQUEST && is_part) {
			rc = opened_load(block, c, err);
		}
	}
	return rc;
}

static int make_families(struct block *block, uint16_t number, struct error *err)
{
	const struct layout_column *column = &block->layout.columns[number];
	struct opened_column *opened = &block->columns[number];
	uint32_t first = block->layout.runs[column->kind].first;
	opened->family = malloc((opened->count + 1) * sizeof opened->family[0]);
	if (opened->family == NULL) {
		return opened_no_memory(block, err);
	}
	for (size_t i = 0; i < opened->count; i++) {
		opened->family[i] = block->layout.parents[first + opened->rows[i]];
	}
	return load_families(block, err);
}

static int number_values(struct block *block, uint16_t number, struct error *err)
{
	struct opened_column *opened = &block->columns[number];
	size_t rows = block->layout.runs[block->layout.columns[number].kind].count;
	if (opened->count == rows) {
		return 0;
	}
	opened->value_of = malloc((rows + 1) * sizeof opened->value_of[0]);
	if (opened->value_of == NULL) {
		return opened_no_memory(block, err);
	}
	memset(opened->value_of, 0xff, rows * sizeof opened->value_of[0]);
	for (size_t i = 0; i < opened->count; i++) {
		opened->value_of[opened->rows[i]] = (uint32_t)i;
	}
	return 0;
}

static int load_texts(struct block *block, uint16_t number, struct error *err)
{
	const struct layout_column *column = &block->layout.columns[number];
	struct opened_column *opened = &block->columns[number];
	bool has_families = column->kind == RECORD_STATEMENT;
	int rc = has_families ? make_families(block, number, err) : 0;
	rc = rc < 0 ? rc : number_values(block, number, err);
	if (rc < 0) {
		return rc;
	}
	const struct texts_column about = {
		.column = stream_of(number),
		.is_tsql = column->coding == LAYOUT_TSQL,
		.count = opened->count,
		.context = opened->context,
		.family = opened->family,
		.ids_of = has_families ? ids_of : NULL,
		.part_of = has_families ? part_of : NULL,
		.owner = block,
	};
	const uint32_t *codes;
	const struct str *templates;
	size_t template_count;
	rc = texts_open(block->streams, &about, &opened->texts, err);
	if (rc < 0) {
		return rc;
	}
	texts_templates(opened->texts, &codes, &templates, &template_count);
	return spread_codes(block, number, codes, err);
}

/* What only reading the column needed goes; a gauge looks at it later. */
static void forget_reading(const struct block *block, struct opened_column *opened)
{
	if (streams_gauge(block->streams) != NULL) {
		return;
	}
	free(opened->rows);
	free(opened->context);
	opened->rows = NULL;
	opened->context = NULL;
}

int opened_load(struct block *block, uint16_t number, struct error *err)
{
	const struct layout_column *column = &block->layout.columns[number];
	struct opened_column *opened = &block->columns[number];
	if (opened->is_loaded) {
		return 0;
	}
	if (opened->is_loading) { /* it failed before */
		return streams_blame(block->streams, stream_of(number), "it could not be read",
				     err);
	}
	opened->is_loading = true;
	int rc = column->kind != RECORD_REQUEST ? opened_parents(block, err) : 0;
	rc = rc < 0 ? rc : load_context(block, number, err);
	if (rc < 0) {
		return rc;
	}
	switch ((enum layout_coding)column->coding) {
	case LAYOUT_WORDS_RANKS:
	case LAYOUT_LIST_RANKS:
		rc = load_ranks(block, number, err);
		break;
	case LAYOUT_INTS:
		rc = load_ints(block, number, err);
		break;
	case LAYOUT_TEXTS:
	case LAYOUT_TSQL:
		rc = load_texts(block, number, err);
		break;
	}
	opened->is_loaded = rc == 0;
	if (rc == 0) {
		forget_reading(block, opened);
	}
	return rc;
}

int opened_text(struct block *block, uint16_t number, uint32_t row, struct buf *out,
		struct error *err)
{
	int rc = opened_load(block, number, err);
	const struct opened_column *opened = &block->columns[number];
	if (rc < 0) {
		return rc;
	}
	if (opened->texts == NULL) {
		uint32_t code = block->layout.columns[number].code[row];
		if (code == UINT32_MAX || code >= opened->words.count) {
			return -ERR_GONE;
		}
		buf_put_str(out, opened->words.texts[code]);
		return out->failed ? opened_no_memory(block, err) : 0;
	}
	uint32_t value = opened->value_of != NULL ? opened->value_of[row] : row;
	return value == UINT32_MAX ? -ERR_GONE : texts_put_text(opened->texts, value, out, err);
}
