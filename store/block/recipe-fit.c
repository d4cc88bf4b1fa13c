#include "base/digest.h"
#include "base/wire.h"
#include "store/block/recipe-set.h"

#include <assert.h>
#include <string.h>

#define ALERT_AROUND_MAX 3 /* what stands around the id in the keys of many alerts */
#define CUT_MAX          ((size_t)1 << 20) /* longer raw bytes are kept as they are */

bool recipe_push(struct recipes *recipes, enum recipe_op op, unsigned arg, struct str bytes)
{
	if (recipes->step_count == RECIPE_STEPS_MAX) {
		return false;
	}
	recipes->steps[recipes->step_count++] =
		(struct recipe_step){.op = (uint8_t)op, .arg = (uint16_t)arg, .bytes = bytes};
	return true;
}

struct recipe_mark recipe_begin(const struct recipes *recipes)
{
	return (struct recipe_mark){recipes->step_count, recipes->slot_count};
}

void recipe_give_up(struct recipes *recipes, struct recipe_mark mark)
{
	recipes->step_count = mark.steps;
	recipes->slot_count = mark.slots;
}

bool recipe_end(struct recipes *recipes, struct recipe_mark mark, unsigned target)
{
	if (recipes->rule_count == RECIPE_RULES_MAX) {
		recipe_give_up(recipes, mark);
		return false;
	}
	recipes->rules[recipes->rule_count++] = (struct recipe_rule){
		.target = (uint16_t)target,
		.first = (uint16_t)mark.steps,
		.count = (uint16_t)(recipes->step_count - mark.steps),
	};
	return true;
}

/* raw, and extra that mostly says what raw says. */
static void fit_json(struct recipes *recipes, unsigned field)
{
	struct recipe_mark mark = recipe_begin(recipes);
	if (!record_has(recipes->record, field)) {
		return;
	}
	struct str text = record_text(recipes->record, field);
	if (text.len == 0 || text.len > CUT_MAX || text.ptr[0] != '{' ||
	    !recipe_cut_json(recipes, text, field == FIELD_extra) ||
	    !recipe_end(recipes, mark, field)) {
		recipe_give_up(recipes, mark);
	}
}

static void fit_table(struct recipes *recipes)
{
	const struct record *record = recipes->record;
	if (!record_has(record, FIELD_table) || !record_has(record, FIELD_schema) ||
	    !record_has(record, FIELD_object)) {
		return;
	}
	struct str schema = record_text(record, FIELD_schema);
	struct str object = record_text(record, FIELD_object);
	struct str table = record_text(record, FIELD_table);
	struct recipe_mark mark = recipe_begin(recipes);
	if (table.len == schema.len + 1 + object.len && str_has_prefix(table, schema) &&
	    str_has_suffix(table, object) && table.ptr[schema.len] == '.' &&
	    recipe_push(recipes, RECIPE_FIELD, FIELD_schema, (struct str){0}) &&
	    recipe_push(recipes, RECIPE_BYTES, 0, STR_LIT(".")) &&
	    recipe_push(recipes, RECIPE_FIELD, FIELD_object, (struct str){0}) &&
	    recipe_end(recipes, mark, FIELD_table)) {
		return;
	}
	recipe_give_up(recipes, mark);
}

/* The slot of a column of the audit row, or -1. */
static int slot_of(const struct recipes *recipes, const char *name)
{
	for (size_t i = 0; i < recipes->slot_count; i++) {
		if (recipes->slots[i].is_number &&
		    str_is(recipes->names[recipes->slots[i].name], name)) {
			return (int)i;
		}
	}
	return -1;
}

static void fit_rows(struct recipes *recipes)
{
	int slots[2] = {slot_of(recipes, "2 response_rows"), slot_of(recipes, "2 affected_rows")};
	struct recipe_mark mark = recipe_begin(recipes);
	if (!record_has(recipes->record, FIELD_rows) || (slots[0] < 0 && slots[1] < 0)) {
		return;
	}
	int64_t number = 0;
	for (size_t i = 0; i < 2 && number <= 0; i++) {
		if (slots[i] >= 0) {
			number = recipes->fit->slot[slots[i]].number;
		}
	}
	if (number != record_number(recipes->record, FIELD_rows, 0)) {
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		if (slots[i] >= 0 &&
		    !recipe_push(recipes, RECIPE_POSITIVE, (unsigned)slots[i], (struct str){0})) {
			recipe_give_up(recipes, mark);
			return;
		}
	}
	if (!recipe_end(recipes, mark, FIELD_rows)) {
		recipe_give_up(recipes, mark);
	}
}

/* A rule of one step, if it gives what the record has. */
static bool try_step(struct recipes *recipes, enum recipe_op op, unsigned arg, unsigned target)
{
	const struct record *record = recipes->record;
	struct recipe recipe = {.kind = (uint8_t)record->kind, .steps = recipes->steps};
	struct recipe_mark mark = recipe_begin(recipes);
	if (!recipe_push(recipes, op, arg, (struct str){0})) {
		return false;
	}
	const struct recipe_rule rule = {0, (uint16_t)mark.steps, 1};
	const struct recipe_input input = {.recipe = &recipe, .record = record};
	buf_clear(&recipes->text);
	struct str wanted = target == RECIPE_KEY ? record->key : record_text(record, target);
	if (recipe_write(&input, &rule, &recipes->text) &&
	    str_equal(buf_str(&recipes->text), wanted) && recipe_end(recipes, mark, target)) {
		return true;
	}
	recipe_give_up(recipes, mark);
	return false;
}

static void fit_ids(struct recipes *recipes)
{
	const struct record *record = recipes->record;
	if (record->key.len == 20) {
		(void)try_step(recipes, RECIPE_LINE_KEY, 20, RECIPE_KEY);
	} else if (record->key.len == 16 && !try_step(recipes, RECIPE_AUDIT_KEY, 0, RECIPE_KEY)) {
		(void)try_step(recipes, RECIPE_LINE_KEY, 16, RECIPE_KEY);
	}
	if (record->kind == RECORD_STATEMENT && record_has(record, FIELD_statement_id)) {
		(void)try_step(recipes, RECIPE_STABLE_ID, 0, FIELD_statement_id);
	}
}

static void fit_number(struct recipes *recipes, enum recipe_op op, unsigned target, bool fits)
{
	struct recipe_mark mark = recipe_begin(recipes);
	if (fits &&
	    !(recipe_push(recipes, op, 0, (struct str){0}) && recipe_end(recipes, mark, target))) {
		recipe_give_up(recipes, mark);
	}
}

/* s or r, the subject's id, a dot and the revision. */
static void fit_verdict_key(struct recipes *recipes, const struct recipe_links *links)
{
	const struct record *record = recipes->record;
	struct recipe_mark mark = recipe_begin(recipes);
	buf_clear(&recipes->text);
	buf_put_str(&recipes->text, str_slice(record->key, 0, 1));
	buf_put_str(&recipes->text, links->subject_id);
	buf_put_byte(&recipes->text, '.');
	buf_put_i64(&recipes->text, record_number(record, FIELD_revision, 0));
	if (record_has(record, FIELD_revision) && str_equal(buf_str(&recipes->text), record->key) &&
	    recipe_push(recipes, RECIPE_BYTES, 0, str_slice(record->key, 0, 1)) &&
	    recipe_push(recipes, RECIPE_SUBJECT_ID, 0, (struct str){0}) &&
	    recipe_push(recipes, RECIPE_BYTES, 0, STR_LIT(".")) &&
	    recipe_push(recipes, RECIPE_FIELD, FIELD_revision, (struct str){0}) &&
	    recipe_end(recipes, mark, RECIPE_KEY)) {
		return;
	}
	recipe_give_up(recipes, mark);
}

/* Of an alert: its id is in the key. */
static void fit_alert_key(struct recipes *recipes)
{
	const struct record *record = recipes->record;
	struct str id = record_has(record, FIELD_alert_id) ? record_text(record, FIELD_alert_id)
							   : (struct str){0};
	ptrdiff_t at = id.len >= 8 ? str_find(record->key, id, 0) : -1;
	struct recipe_mark mark = recipe_begin(recipes);
	if (at < 0) {
		return;
	}
	struct str before = str_slice(record->key, 0, (size_t)at);
	struct str behind = str_slice(record->key, (size_t)at + id.len, record->key.len);
	if (before.len + behind.len <= ALERT_AROUND_MAX &&
	    recipe_push(recipes, RECIPE_BYTES, 0, before) &&
	    recipe_push(recipes, RECIPE_FIELD, FIELD_alert_id, (struct str){0}) &&
	    recipe_push(recipes, RECIPE_BYTES, 0, behind) &&
	    recipe_end(recipes, mark, RECIPE_KEY)) {
		return;
	}
	recipe_give_up(recipes, mark);
}

static bool has_number(const struct record *record, unsigned field, uint64_t number)
{
	return record_has(record, field) && (uint64_t)record_number(record, field, 0) == number;
}

static void fit_verdict(struct recipes *recipes, const struct recipe_links *links)
{
	const struct record *record = recipes->record;
	fit_verdict_key(recipes, links);
	if (record_has(record, FIELD_statement_id) &&
	    str_equal(record_text(record, FIELD_statement_id), links->subject_id)) {
		fit_number(recipes, RECIPE_SUBJECT_ID, FIELD_statement_id, true);
	}
	fit_number(recipes, RECIPE_SUBJECT_LEAF, FIELD_statement_leaf,
		   has_number(record, FIELD_statement_leaf, links->subject_leaf));
	fit_number(recipes, RECIPE_REQUEST_LEAF, FIELD_request_leaf,
		   links->request_leaf != RECIPE_NO_LEAF &&
			   has_number(record, FIELD_request_leaf, links->request_leaf));
	fit_number(recipes, RECIPE_SUBJECT_TIME, RECIPE_TIME,
		   record->time_ns == links->subject_time_ns);
}

static void put_step(const struct recipe_step *step, struct buf *out)
{
	wire_put_u8(out, step->op);
	wire_put_varint(out, step->arg);
	if (step->op == RECIPE_BYTES) {
		wire_put_block(out, step->bytes);
	}
}

/* The recipe as bytes. */
static void put_recipe(struct recipes *recipes)
{
	struct buf *out = &recipes->bytes;
	const struct record *record = recipes->record;
	buf_clear(out);
	wire_put_u8(out, (uint8_t)record->kind);
	wire_put_block(out, record->source);
	wire_put_u64(out, record->present[0]);
	wire_put_u64(out, record->present[1]);
	wire_put_varint(out, recipes->slot_count);
	for (size_t i = 0; i < recipes->slot_count; i++) {
		wire_put_u8(out, recipes->slots[i].is_number ? 1 : 0);
		wire_put_block(out, recipes->names[recipes->slots[i].name]);
	}
	wire_put_varint(out, recipes->rule_count);
	for (size_t i = 0; i < recipes->rule_count; i++) {
		wire_put_varint(out, recipes->rules[i].target);
		wire_put_varint(out, recipes->rules[i].count);
		for (size_t k = 0; k < recipes->rules[i].count; k++) {
			put_step(&recipes->steps[recipes->rules[i].first + k], out);
		}
	}
}

/* A record like one of those just before has the same recipe. */
static uint32_t find_recent(struct recipes *recipes)
{
	uint32_t *recent = recipes->recent[recipes->record->kind];
	for (size_t i = 0; i < RECIPE_RECENT && recent[i] != 0; i++) {
		uint32_t number = recent[i] - 1;
		if (str_equal(recipes->saved[number], buf_str(&recipes->bytes))) {
			memmove(recent + 1, recent, i * sizeof recent[0]);
			recent[0] = number + 1;
			return number;
		}
	}
	return UINT32_MAX;
}

static uint32_t find_or_add(struct recipes *recipes)
{
	uint32_t number = find_recent(recipes);
	if (number != UINT32_MAX) {
		return number;
	}
	const uint64_t *known = strmap_get(&recipes->by_bytes, buf_str(&recipes->bytes));
	if (known != NULL) {
		number = (uint32_t)*known;
	} else if (recipes->count >= (recipes->rule_count > 0 ? RECIPES_MAX : RECIPES_HARD_MAX)) {
		return UINT32_MAX;
	} else {
		number = recipes_add(recipes, buf_str(&recipes->bytes));
	}
	if (number != UINT32_MAX) {
		uint32_t *recent = recipes->recent[recipes->record->kind];
		memmove(recent + 1, recent, (RECIPE_RECENT - 1) * sizeof recent[0]);
		recent[0] = number + 1;
	}
	return number;
}

static void begin_fit(struct recipes *recipes, const struct record *record, struct recipe_fit *fit)
{
	recipes->record = record;
	recipes->fit = fit;
	recipes->step_count = 0;
	recipes->rule_count = 0;
	recipes->slot_count = 0;
	recipes->place = 0;
	recipes->fit_number++;
	arena_clear(&recipes->scratch);
}

int recipes_fit(struct recipes *recipes, const struct record *record,
		const struct recipe_links *links, struct recipe_fit *out_fit)
{
	begin_fit(recipes, record, out_fit);
	if (recipe_match(recipes, record, links, out_fit)) {
		return 0;
	}
	if (record->kind == RECORD_VERDICT) {
		if (links != NULL) {
			fit_verdict(recipes, links);
		}
	} else {
		fit_json(recipes, FIELD_raw);
		fit_json(recipes, FIELD_extra);
		fit_rows(recipes);
		fit_table(recipes);
		fit_ids(recipes);
		if (record->kind == RECORD_ALERT) {
			fit_alert_key(recipes);
		}
	}
	put_recipe(recipes);
	out_fit->recipe =
		recipes->bytes.failed || recipes->failed ? UINT32_MAX : find_or_add(recipes);
	if (out_fit->recipe == UINT32_MAX && !recipes->bytes.failed && !recipes->failed) {
		begin_fit(recipes, record, out_fit);
		put_recipe(recipes);
		out_fit->recipe = find_or_add(recipes);
	}
	if (out_fit->recipe != UINT32_MAX) {
		return 0;
	}
	return recipes->bytes.failed || recipes->failed ? -ERR_NOMEM : -ERR_LIMIT;
}
