#include "store/block/opened.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define KEY_PARTS 4 /* columns of which a text made by rule can be told apart by codes */

static struct opened_answer *answer_of(struct block *block, enum record_kind kind, unsigned what,
				       struct error *err)
{
	struct opened_answer **answer = &block->answers[(size_t)kind * OPENED_ANSWERS + what];
	if (*answer == NULL) {
		*answer = calloc(1, sizeof **answer);
		if (*answer == NULL) {
			(void)opened_no_memory(block, err); /* told by NULL */
			return NULL;
		}
		buf_init(&(*answer)->texts, (size_t)1 << 31);
	}
	return *answer;
}

static bool allocate(struct opened_answer *answer, size_t rows)
{
	free(answer->own_code); /* of a try that failed */
	free(answer->own_dict);
	buf_clear(&answer->texts);
	answer->own_code = malloc((rows + 1) * sizeof answer->own_code[0]);
	answer->own_dict = malloc((rows + 1) * sizeof answer->own_dict[0]);
	return answer->own_code != NULL && answer->own_dict != NULL;
}

/* Lets the dictionary point into the texts, which no longer move. */
static void finish(struct opened_answer *answer, size_t count)
{
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		answer->own_dict[i].ptr = answer->texts.ptr != NULL ? answer->texts.ptr + at : "";
		at += answer->own_dict[i].len;
	}
	answer->codes = (struct block_codes){answer->own_code, answer->own_dict, count};
	answer->is_known = true;
}

int opened_only_column(const struct block *block, enum record_kind kind, unsigned field)
{
	for (uint32_t i = 0; i < recipes_count(block->recipes); i++) {
		const struct recipe *recipe = recipes_at(block->recipes, i);
		if (recipe->kind == kind && recipe_rule_for(recipe, field) != NULL) {
			return -1;
		}
	}
	for (size_t c = 0; c < block->layout.count; c++) {
		const struct layout_column *column = &block->layout.columns[c];
		if (column->kind == kind && column->what == field) {
			return (int)c;
		}
	}
	return LAYOUT_NONE;
}

/* Each row's text on its own. */
static int put_row(struct block *block, uint32_t row, unsigned field, int column,
		   struct opened_answer *answer)
{
	struct error err;
	if (column >= 0) {
		uint32_t first = block->layout.runs[block->layout.columns[column].kind].first;
		return opened_text(block, (uint16_t)column, row - first, &answer->texts, &err);
	}
	int rc = opened_record(block, row, block->row, &err);
	if (rc < 0) {
		return rc;
	}
	if (!record_has(&block->row->record, field)) {
		return -ERR_GONE;
	}
	buf_put_str(&answer->texts, record_text(&block->row->record, field));
	return answer->texts.failed ? -ERR_NOMEM : 0;
}

static int fill_rows(struct block *block, enum record_kind kind, unsigned field, int column,
		     struct opened_answer *answer)
{
	struct block_run run = block->layout.runs[kind];
	size_t count = 0;
	for (uint32_t i = 0; i < run.count; i++) {
		size_t start = answer->texts.len;
		int rc = put_row(block, run.first + i, field, column, answer);
		if (rc < 0 && rc != -ERR_GONE) {
			return rc;
		}
		answer->own_code[i] = rc == 0 ? (uint32_t)count : UINT32_MAX;
		if (rc == 0) {
			answer->own_dict[count++] = (struct str){NULL, answer->texts.len - start};
		}
	}
	finish(answer, count);
	return 0;
}

/* The columns that a rule made of fields and fixed bytes reads; false: it is another one, or they have no codes. */
static bool parts_of(struct block *block, uint32_t number, unsigned field,
		     uint16_t out_parts[KEY_PARTS], size_t *out_count)
{
	struct error err;
	const struct recipe *recipe = recipes_at(block->recipes, number);
	const struct recipe_rule *rule = recipe_rule_for(recipe, field);
	const struct opened_recipe *known = opened_recipe(block, number, &err);
	*out_count = 0;
	for (size_t i = 0; rule != NULL && i < rule->count; i++) {
		const struct recipe_step *step = &recipe->steps[rule->first + i];
		if (step->op == RECIPE_BYTES) {
			continue;
		}
		uint16_t column =
			step->op == RECIPE_FIELD && step->arg < FIELD_LIMIT && known != NULL
				? known->column_of[step->arg]
				: LAYOUT_NONE;
		if (column == LAYOUT_NONE || *out_count == KEY_PARTS ||
		    opened_load(block, column, &err) < 0 ||
		    block->layout.columns[column].coding != LAYOUT_WORDS_RANKS) {
			return false;
		}
		out_parts[(*out_count)++] = column;
	}
	return rule != NULL;
}

struct folding {
	struct strmap codes; /* recipe and codes: code + 1 */
	uint32_t recipe;
	uint16_t parts[KEY_PARTS];
	size_t part_count;
	bool is_made, is_known;
	size_t count;
};

/* The text of a row that is made of codes: put together once for each combination. */
static int fold_row(struct block *block, uint32_t row, unsigned field, struct folding *folding,
		    struct opened_answer *answer)
{
	uint32_t key[KEY_PARTS + 1] = {block->layout.recipe_of[row]};
	uint32_t at = row - block->layout.runs[block->layout.columns[folding->parts[0]].kind].first;
	for (size_t i = 0; i < folding->part_count; i++) {
		key[i + 1] = block->layout.columns[folding->parts[i]].code[at];
	}
	struct str bytes = str_make(key, sizeof key);
	const uint64_t *known = strmap_get(&folding->codes, bytes);
	if (known != NULL) {
		answer->own_code[at] = (uint32_t)*known;
		return 0;
	}
	size_t start = answer->texts.len;
	int rc = put_row(block, row, field, -1, answer);
	if (rc == 0) {
		answer->own_code[at] = (uint32_t)folding->count;
		answer->own_dict[folding->count++] = (struct str){NULL, answer->texts.len - start};
		rc = strmap_put(&folding->codes, bytes, answer->own_code[at]);
	}
	return rc;
}

/* Texts made by rule of few distinct ones. Returns 0, 1 (not so: row by row) or an error. */
static int fold(struct block *block, enum record_kind kind, unsigned field,
		struct opened_answer *answer)
{
	struct block_run run = block->layout.runs[kind];
	struct folding folding = {.recipe = UINT32_MAX};
	int rc = 0;
	strmap_init(&folding.codes, (size_t)run.count + 1);
	for (uint32_t row = run.first; rc == 0 && row < run.first + run.count; row++) {
		uint32_t recipe = block->layout.recipe_of[row];
		const struct recipe *about = recipes_at(block->recipes, recipe);
		if (recipe != folding.recipe) {
			folding.recipe = recipe;
			folding.is_made = (about->present[field / 64] >> field % 64 & 1) != 0;
			folding.is_known = folding.is_made &&
					   parts_of(block, recipe, field, folding.parts,
						    &folding.part_count) &&
					   folding.part_count > 0;
		}
		if (!folding.is_made) {
			answer->own_code[row - run.first] = UINT32_MAX;
		} else if (folding.is_known) {
			rc = fold_row(block, row, field, &folding, answer);
		} else {
			rc = 1;
		}
	}
	if (rc == 0) {
		finish(answer, folding.count);
	}
	strmap_done(&folding.codes);
	return rc;
}

static int make_text(struct block *block, enum record_kind kind, unsigned field,
		     struct opened_answer *answer, struct error *err)
{
	int column = opened_only_column(block, kind, field);
	size_t rows = block->layout.runs[kind].count;
	int rc = column >= 0 && column != LAYOUT_NONE ? opened_load(block, (uint16_t)column, err)
						      : 0;
	if (rc < 0) {
		return rc;
	}
	if (column >= 0 && column != LAYOUT_NONE && block->columns[column].texts == NULL) {
		const struct wordlist *words = &block->columns[column].words;
		answer->codes = (struct block_codes){block->layout.columns[column].code,
						     words->texts, words->count};
		answer->is_known = true;
		return 0;
	}
	if (!allocate(answer, rows)) {
		return opened_no_memory(block, err);
	}
	if (column == LAYOUT_NONE) {
		memset(answer->own_code, 0xff, rows * sizeof answer->own_code[0]);
		finish(answer, 0);
		return 0;
	}
	rc = column < 0 ? fold(block, kind, field, answer) : 1;
	if (rc == 1) {
		buf_clear(&answer->texts);
		rc = fill_rows(block, kind, field, column, answer);
	}
	if (rc == -ERR_NOMEM) {
		return opened_no_memory(block, err);
	}
	return rc < 0 ? streams_blame(block->streams, LAYOUT_RECIPES,
				      "a column of texts can't be put together", err)
		      : 0;
}

int opened_folded(struct block *block, enum record_kind kind, unsigned field,
		  struct block_codes *out, struct error *err)
{
	struct opened_answer *answer = answer_of(block, kind, field, err);
	int rc = answer == NULL ? -ERR_NOMEM : 0;
	if (rc == 0 && !answer->is_known) {
		if (!allocate(answer, block->layout.runs[kind].count)) {
			return opened_no_memory(block, err);
		}
		rc = fold(block, kind, field, answer);
		if (rc < 0) {
			return rc == -ERR_NOMEM
				       ? opened_no_memory(block, err)
				       : streams_blame(block->streams, LAYOUT_RECIPES,
						       "a column of texts can't be put together",
						       err);
		}
	}
	if (rc == 0) {
		*out = answer->codes;
	}
	return rc;
}

int block_text_column(struct block *block, enum record_kind kind, enum field field,
		      struct block_codes *out, struct error *err)
{
	struct opened_answer *answer = answer_of(block, kind, field, err);
	int rc = answer == NULL     ? -ERR_NOMEM
		 : answer->is_known ? 0
				    : make_text(block, kind, field, answer, err);
	if (rc == 0) {
		*out = answer->codes;
	}
	return rc;
}

static int make_sources(struct block *block, enum record_kind kind, struct opened_answer *answer,
			struct error *err)
{
	struct block_run run = block->layout.runs[kind];
	size_t recipes = recipes_count(block->recipes), count = 0;
	uint32_t *codes = malloc((recipes + 1) * sizeof codes[0]);
	if (codes == NULL || !allocate(answer, recipes > run.count ? recipes : run.count)) {
		free(codes);
		return opened_no_memory(block, err);
	}
	for (uint32_t i = 0; i < recipes; i++) {
		struct str source = recipes_at(block->recipes, i)->source;
		size_t code = 0;
		while (code < count && !str_equal(answer->own_dict[code], source)) {
			code++;
		}
		if (code == count) {
			answer->own_dict[count++] = source;
		}
		codes[i] = (uint32_t)code;
	}
	for (uint32_t i = 0; i < run.count; i++) {
		answer->own_code[i] = codes[block->layout.recipe_of[run.first + i]];
	}
	free(codes);
	answer->codes = (struct block_codes){answer->own_code, answer->own_dict, count};
	answer->is_known = true;
	return 0;
}

int block_source_column(struct block *block, enum record_kind kind, struct block_codes *out,
			struct error *err)
{
	struct opened_answer *answer = answer_of(block, kind, OPENED_SOURCE, err);
	int rc = answer == NULL     ? -ERR_NOMEM
		 : answer->is_known ? 0
				    : make_sources(block, kind, answer, err);
	if (rc == 0) {
		*out = answer->codes;
	}
	return rc;
}

int block_number_column(struct block *block, enum record_kind kind, enum field field,
			const int64_t **out_values, struct error *err)
{
	struct opened_answer *answer = answer_of(block, kind, field, err);
	struct block_run run = block->layout.runs[kind];
	int column = opened_only_column(block, kind, field);
	int rc = answer == NULL ? -ERR_NOMEM : 0;
	if (rc == 0 && column >= 0 && column != LAYOUT_NONE) {
		rc = opened_load(block, (uint16_t)column, err);
		*out_values = rc == 0 ? block->layout.columns[column].number : NULL;
		return rc;
	}
	if (rc == 0 && !answer->is_known) {
		free(answer->numbers);
		answer->numbers = malloc(((size_t)run.count + 1) * sizeof answer->numbers[0]);
		rc = answer->numbers != NULL ? 0 : opened_no_memory(block, err);
		for (uint32_t i = 0; rc == 0 && i < run.count; i++) {
			rc = opened_number(block, run.first + i, field, &answer->numbers[i], err);
		}
		answer->is_known = rc == 0;
	}
	if (rc == 0) {
		*out_values = answer->numbers;
	}
	return rc;
}
