#include "store/block/opened.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct opened_row *opened_row_new(void)
{
	struct opened_row *row = calloc(1, sizeof *row);
	if (row != NULL) {
		row->row = BLOCK_NO_ROW;
		buf_init(&row->texts, RECORD_MAX_BYTES);
		for (size_t i = 0; i < RECIPE_RULES_MAX; i++) {
			buf_init(&row->made[i], RECORD_MAX_BYTES);
		}
	}
	return row;
}

void opened_row_free(struct opened_row *row)
{
	if (row == NULL) {
		return;
	}
	buf_done(&row->texts);
	for (size_t i = 0; i < RECIPE_RULES_MAX; i++) {
		buf_done(&row->made[i]);
	}
	free(row);
}

static int damaged(struct block *block, const char *what, struct error *err)
{
	return streams_blame(block->streams, LAYOUT_RECIPES, what, err);
}

static uint16_t find_slot(const struct block *block, const struct recipe *recipe, size_t slot)
{
	for (size_t c = 0; c < block->layout.count; c++) {
		const struct layout_column *column = &block->layout.columns[c];
		if (column->kind == recipe->kind && column->what == LAYOUT_WHAT_SLOT &&
		    column->name == recipe->slots[slot].name &&
		    column->is_number == recipe->slots[slot].is_number) {
			return (uint16_t)c;
		}
	}
	return LAYOUT_NONE;
}

static uint64_t kept_fields(const struct recipe *recipe, unsigned word)
{
	return recipe->present[word] & ~recipe->ruled[word];
}

static void add_part(struct opened_recipe *out, size_t what, uint16_t column, enum field_type type)
{
	out->parts[out->part_count++] = (struct opened_part){.what = (uint16_t)what,
							     .column = column,
							     .is_number = type > FIELD_TYPE_BYTES,
							     .is_bool = type == FIELD_TYPE_BOOL};
}

/* Finds the columns of a recipe. False: one is missing. */
static bool find_columns(const struct block *block, const struct recipe *recipe,
			 struct opened_recipe *out)
{
	for (size_t field = 0; field < FIELD_LIMIT; field++) {
		out->column_of[field] = LAYOUT_NONE;
	}
	for (size_t c = 0; c < block->layout.count; c++) {
		const struct layout_column *column = &block->layout.columns[c];
		if (column->kind == recipe->kind && column->what < LAYOUT_WHAT_SLOT) {
			out->column_of[column->what] = (uint16_t)c;
		}
	}
	bool found = recipe->makes_key || out->column_of[LAYOUT_WHAT_KEY] != LAYOUT_NONE;
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		bool is_kept = (kept_fields(recipe, field / 64) >> field % 64 & 1) != 0;
		found = found && (!is_kept || out->column_of[field] != LAYOUT_NONE);
		out->column_of[field] = is_kept ? out->column_of[field] : LAYOUT_NONE;
		if (is_kept) {
			add_part(out, field, out->column_of[field], field_info(field)->type);
		}
	}
	for (size_t i = 0; i < recipe->slot_count; i++) {
		out->slot_column[i] = find_slot(block, recipe, i);
		found = found && out->slot_column[i] != LAYOUT_NONE;
		add_part(out, OPENED_SLOT + i, out->slot_column[i],
			 recipe->slots[i].is_number ? FIELD_TYPE_INT : FIELD_TYPE_TEXT);
	}
	if (!recipe->makes_key) {
		add_part(out, LAYOUT_WHAT_KEY, out->column_of[LAYOUT_WHAT_KEY], FIELD_TYPE_BYTES);
	}
	return found;
}

struct opened_recipe *opened_recipe(struct block *block, uint32_t number, struct error *err)
{
	if (block->known[number] == NULL) {
		struct opened_recipe *recipe = calloc(1, sizeof *recipe);
		if (recipe == NULL) {
			(void)opened_no_memory(block, err); /* told by NULL */
			return NULL;
		}
		if (!find_columns(block, recipes_at(block->recipes, number), recipe)) {
			free(recipe);
			(void)damaged(block, "a recipe lacks a column", err); /* told by NULL */
			return NULL;
		}
		block->known[number] = recipe;
	}
	return block->known[number];
}

/* A text that stands in texts until all are there: its place in them. */
static int take_text(struct block *block, struct opened_row *row, uint16_t number,
		     union field_value *out, struct error *err)
{
	uint32_t at = row->row - block->layout.runs[block->layout.columns[number].kind].first;
	int rc = opened_load(block, number, err);
	if (rc < 0) {
		return rc;
	}
	const struct opened_column *opened = &block->columns[number];
	if (opened->texts == NULL) {
		uint32_t code = block->layout.columns[number].code[at];
		if (code >= opened->words.count) {
			return damaged(block, "a record lacks a value", err);
		}
		out->text = opened->words.texts[code];
		return 0;
	}
	size_t start = row->texts.len;
	row->has_texts = true;
	rc = opened_text(block, number, at, &row->texts, err);
	if (rc == -ERR_GONE) {
		return damaged(block, "a record lacks a value", err);
	}
	if (rc == -ERR_LIMIT) {
		return damaged(block, "a record is too large", err);
	}
	out->text = (struct str){.ptr = NULL, .len = row->texts.len - start};
	return rc;
}

static int take_value(struct block *block, struct opened_row *row, uint16_t number,
		      union field_value *out, struct error *err)
{
	const struct layout_column *column = &block->layout.columns[number];
	if (!column->is_number) {
		return take_text(block, row, number, out, err);
	}
	int rc = opened_load(block, number, err);
	if (rc == 0) {
		out->number = column->number[row->row - block->layout.runs[column->kind].first];
	}
	return rc;
}

static union field_value *place_of(struct opened_row *row, const struct opened_part *part)
{
	return part->what == LAYOUT_WHAT_KEY ? &row->key
	       : part->what < OPENED_SLOT    ? &row->record.value[part->what]
					     : &row->slots[part->what - OPENED_SLOT];
}

/* Texts that were waiting for the buffer to stand still, in the order in which they were taken. */
static void settle(const struct opened_recipe *known, struct opened_row *row)
{
	size_t at = 0;
	for (size_t i = 0; i < known->part_count; i++) {
		struct str *text = &place_of(row, &known->parts[i])->text;
		if (!known->parts[i].is_number && text->ptr == NULL) {
			text->ptr = row->texts.ptr != NULL ? row->texts.ptr + at : "";
			at += text->len;
		}
	}
}

static int take_part(struct block *block, struct opened_row *row, const struct opened_part *part,
		     union field_value *out, struct error *err)
{
	const struct layout_column *column = &block->layout.columns[part->column];
	const struct opened_column *opened = &block->columns[part->column];
	uint32_t at = row->row - block->layout.runs[column->kind].first;
	int rc = opened->is_loaded ? 0 : opened_load(block, part->column, err);
	if (rc < 0) {
		return rc;
	}
	if (!part->is_number) {
		uint32_t code = opened->texts == NULL ? column->code[at] : UINT32_MAX;
		if (code < opened->words.count) {
			out->text = opened->words.texts[code];
			return 0;
		}
		return take_text(block, row, part->column, out, err);
	}
	out->number = column->number[at];
	return part->is_bool && (uint64_t)out->number > 1
		       ? damaged(block, "a record lacks a value", err)
		       : 0;
}

static int take_values(struct block *block, const struct recipe *recipe,
		       const struct opened_recipe *known, struct opened_row *row, struct error *err)
{
	int rc = 0;
	buf_clear(&row->texts);
	row->has_texts = false;
	for (size_t i = 0; rc == 0 && i < known->part_count; i++) {
		const struct opened_part *part = &known->parts[i];
		rc = take_part(block, row, part, place_of(row, part), err);
	}
	row->record.present[0] = kept_fields(recipe, 0);
	row->record.present[1] = kept_fields(recipe, 1);
	if (rc == 0 && row->has_texts) {
		settle(known, row);
	}
	if (!recipe->makes_key) {
		row->record.key = rc == 0 ? row->key.text : row->record.key;
	}
	return rc;
}

static bool is_digest(const struct recipe_input *input, const struct recipe_rule *rule)
{
	unsigned op = rule->count == 1 ? input->recipe->steps[rule->first].op : 0;
	return op == RECIPE_LINE_KEY || op == RECIPE_AUDIT_KEY;
}

/* The key by its rule, or as it is expected by a rule that is known to hold. */
static int make_key(struct block *block, struct opened_row *row, const struct recipe_input *input,
		    size_t number, struct error *err)
{
	const struct recipe_rule *rule = &input->recipe->rules[number];
	struct str expected = row == block->row ? block->expected_key : (struct str){0};
	struct opened_recipe *known = block->known[block->layout.recipe_of[row->row]];
	struct buf *out = &row->made[number];
	bool may = expected.len > 0 && is_digest(input, rule);
	buf_clear(out);
	if (may && known->is_key_proven) {
		buf_put_str(out, expected);
	} else if (!recipe_write(input, rule, out)) {
		return damaged(block, "a rule of a recipe can't be followed", err);
	}
	row->record.key = out->len > 0 ? buf_str(out) : STR_LIT("");
	known->is_key_proven =
		known->is_key_proven || (may && str_equal(row->record.key, expected));
	return 0;
}

/* Puts what a rule makes into the record. */
static int make(struct block *block, struct opened_row *row, const struct recipe_input *input,
		size_t number, struct error *err)
{
	const struct recipe_rule *rule = &input->recipe->rules[number];
	struct record *record = &row->record;
	struct buf *out = &row->made[number];
	if (rule->target == RECIPE_TIME) {
		return 0; /* is in the times already */
	}
	if (rule->target == RECIPE_KEY) {
		return make_key(block, row, input, number, err);
	}
	enum field_type type = field_info(rule->target)->type;
	union field_value *value = &record->value[rule->target];
	bool done = true;
	if (type > FIELD_TYPE_BYTES) {
		done = recipe_number(input, rule, &value->number) &&
		       (type != FIELD_TYPE_BOOL || (uint64_t)value->number <= 1);
	} else {
		buf_clear(out);
		done = recipe_write(input, rule, out);
		value->text = out->len > 0 ? buf_str(out) : STR_LIT("");
	}
	record->present[rule->target / 64] |= UINT64_C(1) << rule->target % 64;
	return done ? 0 : damaged(block, "a rule of a recipe can't be followed", err);
}

/* Keeps the stable id of a record, for the verdicts on it: they would put it together once more. */
static void keep_id(struct block *block, uint32_t row, const struct record *record)
{
	uint32_t subjects = block->layout.runs[RECORD_VERDICT].first;
	if (block->ids == NULL) {
		block->ids = calloc((size_t)subjects + 1, sizeof block->ids[0]);
	}
	if (block->ids != NULL && row < subjects && block->ids[row] == 0) {
		block->ids[row] = record_stable_number(record->source, record->key);
	}
}

/* The stable id of a subject, which is put together. */
static int find_subject(struct block *block, uint32_t row, char id[RECORD_ID_DIGITS + 1],
			struct error *err)
{
	if (block->subject->row != row) {
		block->subject->row = BLOCK_NO_ROW;
		int rc = opened_record(block, row, block->subject, err);
		if (rc < 0) {
			return rc;
		}
	}
	record_stable_id(block->subject->record.source, block->subject->record.key, id);
	return 0;
}

/* What the rules of a verdict's recipe ask for. */
static int find_links(struct block *block, uint32_t row, char id[RECORD_ID_DIGITS + 1],
		      struct recipe_links *out, struct error *err)
{
	const struct layout *layout = &block->layout;
	uint32_t parent = layout->parents[row];
	uint32_t request =
		parent < layout->runs[RECORD_REQUEST].count ? parent : layout->parents[parent];
	if (block->ids != NULL && block->ids[parent] != 0) {
		record_stable_digits(block->ids[parent], id);
	} else {
		int rc = find_subject(block, parent, id, err);
		if (rc < 0) {
			return rc;
		}
	}
	*out = (struct recipe_links){
		.subject_id = str_make(id, RECORD_ID_DIGITS),
		.subject_leaf = layout->leaves[parent],
		.request_leaf = request != BLOCK_NO_ROW ? layout->leaves[request] : RECIPE_NO_LEAF,
		.subject_time_ns = layout->times[parent],
	};
	return 0;
}

int opened_record(struct block *block, uint32_t number, struct opened_row *row, struct error *err)
{
	const struct layout *layout = &block->layout;
	const struct recipe *recipe = recipes_at(block->recipes, layout->recipe_of[number]);
	const struct opened_recipe *known = opened_recipe(block, layout->recipe_of[number], err);
	char id[RECORD_ID_DIGITS + 1];
	struct recipe_links links;
	if (known == NULL) {
		return -err->code;
	}
	int rc = opened_rows(block, recipe->kind, err);
	if (rc < 0) {
		return rc;
	}
	row->row = number;
	record_init(&row->record, (enum record_kind)recipe->kind);
	row->record.source = recipe->source;
	row->record.time_ns = layout->times[number];
	rc = take_values(block, recipe, known, row, err);
	bool is_verdict = recipe->kind == RECORD_VERDICT && layout->parents[number] != BLOCK_NO_ROW;
	if (rc == 0 && is_verdict && recipe->rule_count > 0) {
		rc = find_links(block, number, id, &links, err);
	}
	const struct recipe_input input = {.recipe = recipe,
					   .record = &row->record,
					   .slots = row->slots,
					   .links = is_verdict ? &links : NULL};
	for (size_t i = 0; rc == 0 && i < recipe->rule_count; i++) {
		rc = make(block, row, &input, i, err);
	}
	if (rc < 0) {
		row->row = BLOCK_NO_ROW;
	}
	return rc;
}

void block_expect_key(struct block *block, struct str key)
{
	block->expected_key = key;
}

uint64_t block_last_stable(const struct block *block)
{
	uint32_t row = block->row->row;
	bool may = block->ids != NULL && row < block->layout.runs[RECORD_VERDICT].first;
	return may ? block->ids[row] : 0;
}

int block_record(struct block *block, uint32_t row, struct buf *out, struct error *err)
{
	assert(row < block->layout.row_count);
	int rc = opened_record(block, row, block->row, err);
	block->expected_key = (struct str){0};
	if (rc < 0) {
		return rc;
	}
	if (row < block->layout.runs[RECORD_VERDICT].first) {
		keep_id(block, row, &block->row->record);
	}
	rc = record_encode(&block->row->record, out, err);
	if (rc == -ERR_INPUT) {
		return damaged(block, "a record has no key", err);
	}
	return rc;
}

const struct record *block_last_record(const struct block *block)
{
	return &block->row->record;
}

/* The leaves that rules for numbers may ask for. False: the row has no subject. */
static bool find_leaves(const struct layout *layout, uint32_t row, struct recipe_links *out)
{
	uint32_t parent = layout->parents[row];
	if (parent == BLOCK_NO_ROW) {
		return false;
	}
	bool is_request = parent < layout->runs[RECORD_REQUEST].count;
	uint32_t request = is_request ? parent : layout->parents[parent];
	*out = (struct recipe_links){
		.subject_leaf = layout->leaves[parent],
		.request_leaf = request != BLOCK_NO_ROW ? layout->leaves[request] : RECIPE_NO_LEAF,
		.subject_time_ns = layout->times[parent],
	};
	return true;
}

/* What a rule for a number gives, with no more of the row than it reads. */
static int follow_number(struct block *block, uint32_t row, const struct recipe_rule *rule,
			 int64_t *out_number, struct error *err)
{
	uint32_t number = block->layout.recipe_of[row];
	const struct recipe *recipe = recipes_at(block->recipes, number);
	struct recipe_links links;
	bool has_links = find_leaves(&block->layout, row, &links);
	const struct recipe_input input = {.recipe = recipe,
					   .record = &block->row->record,
					   .slots = block->row->slots,
					   .links = has_links ? &links : NULL};
	for (size_t i = 0; i < rule->count; i++) {
		const struct recipe_step *step = &recipe->steps[rule->first + i];
		bool reads = step->op == RECIPE_POSITIVE && step->arg < recipe->slot_count &&
			     recipe->slots[step->arg].is_number;
		int rc = reads ? take_value(block, block->row,
					    block->known[number]->slot_column[step->arg],
					    &block->row->slots[step->arg], err)
			       : 0;
		if (rc < 0) {
			return rc;
		}
	}
	return recipe_number(&input, rule, out_number)
		       ? 0
		       : damaged(block, "a rule of a recipe can't be followed", err);
}

int opened_number(struct block *block, uint32_t row, unsigned field, int64_t *out_number,
		  struct error *err)
{
	uint32_t number = block->layout.recipe_of[row];
	const struct recipe_rule *rule = recipe_rule_for(recipes_at(block->recipes, number), field);
	const struct opened_recipe *known = opened_recipe(block, number, err);
	union field_value value = {.number = INT64_MIN};
	*out_number = INT64_MIN;
	if (known == NULL) {
		return -err->code;
	}
	int rc = rule != NULL ? opened_rows(block, block->kinds[row], err) : 0;
	if (rc < 0) {
		return rc;
	}
	block->row->row = row;
	if (rule != NULL) {
		return follow_number(block, row, rule, out_number, err);
	}
	uint16_t column = known->column_of[field];
	rc = column != LAYOUT_NONE ? take_value(block, block->row, column, &value, err) : 0;
	*out_number = rc == 0 ? value.number : INT64_MIN;
	return rc;
}
