/* Most records are like one before: the rules of its recipe are followed along their texts, without reading these as JSON. */
#include "base/json.h"
#include "store/block/recipe-set.h"

#include <assert.h>
#include <string.h>

struct match {
	struct recipes *recipes;
	struct recipe *recipe;
	const struct record *record;
	const struct recipe_links *links;
	struct recipe_fit *fit;
	uint64_t filled[(RECIPE_SLOTS_MAX + 63) / 64]; /* slots that have their value */
	struct str text;                               /* what a rule must give */
	size_t at;                                     /* how much of it was given */
};

static bool take_bytes(struct match *match, struct str bytes)
{
	if (bytes.len > match->text.len - match->at ||
	    (bytes.len > 0 && memcmp(match->text.ptr + match->at, bytes.ptr, bytes.len) != 0)) {
		return false;
	}
	match->at += bytes.len;
	return true;
}

/* A text as it is written in one of three forms. */
static bool take_text(struct match *match, unsigned form, struct str text)
{
	if (form == 0 || recipe_is_plain(text)) {
		return take_bytes(match, text);
	}
	struct buf *written = &match->recipes->text;
	buf_clear(written);
	if (form == 1) {
		recipe_put_json(text, written);
	} else {
		recipe_put_plain(text, written);
	}
	return !written->failed && take_bytes(match, buf_str(written));
}

/* A whole number as buf_put_i64 writes it. */
static bool read_number(struct match *match, int64_t *out)
{
	const char *start = match->text.ptr + match->at;
	size_t left = match->text.len - match->at;
	size_t i = left > 0 && start[0] == '-' ? 1 : 0, first = i;
	uint64_t value = 0;
	while (i < left && i - first < 19 && start[i] >= '0' && start[i] <= '9') {
		value = value * 10 + (uint64_t)(start[i] - '0');
		i++;
	}
	size_t digits = i - first;
	if (digits == 0 || digits > 18 || (start[first] == '0' && (first == 1 || digits > 1))) {
		return false;
	}
	match->at += i;
	*out = first == 1 ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool take_number(struct match *match, int64_t number)
{
	int64_t read;
	if (read_number(match, &read)) {
		return read == number;
	}
	char room[32];
	struct buf out = {.ptr = room, .capacity = sizeof room, .max_bytes = sizeof room - 1};
	buf_put_i64(&out, number);
	return take_bytes(match, buf_str(&out));
}

static bool take_field(struct match *match, const struct recipe_step *step)
{
	const union field_value *value = &match->record->value[step->arg];
	if (step->arg == 0 || !record_has(match->record, step->arg)) {
		return false;
	}
	switch (field_info(step->arg)->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		return take_text(match, (unsigned)(step->op - RECIPE_FIELD), value->text);
	case FIELD_TYPE_BOOL:
		return take_bytes(match, value->number != 0 ? STR_LIT("true") : STR_LIT("false"));
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME:
		return take_number(match, value->number);
	}
	return false;
}

/* Up to the quote that ends a string of plain characters, or to the end of a word. False: the slow way must look at it. */
static bool read_text(struct match *match, unsigned form, struct str *out)
{
	const char *start = match->text.ptr + match->at;
	size_t left = match->text.len - match->at, len = 0;
	if (form != 1) {
		return false;
	}
	const char *quote = left > 0 ? memchr(start, '"', left) : NULL;
	len = quote != NULL ? (size_t)(quote - start) : 0;
	*out = str_make(start, len);
	if (quote == NULL || !recipe_is_plain(*out)) {
		return false;
	}
	match->at += len;
	return true;
}

/* Whether a field is known that may hold the value of a slot: then the slow way has to choose. */
static bool is_settled(const struct match *match, const struct recipe_slot *slot, size_t number)
{
	const struct recipe_memory *memory = &match->recipes->memories[slot->name];
	const struct record *record = match->record;
	if (match->recipes->names[slot->name].ptr[1] == '+') {
		return true; /* of extra */
	}
	if (!memory->told && memory->looked < RECIPE_LEARN) {
		return false;
	}
	for (size_t i = 0; i < memory->guess_count; i++) {
		const struct recipe_guess *guess = &memory->guess[i];
		if (guess->kind != GUESS_FIELD) {
			return false;
		}
		bool is_text = field_info(guess->arg)->type <= FIELD_TYPE_BYTES;
		bool fits = record_has(record, guess->arg) && is_text != slot->is_number &&
			    (is_text ? str_equal(record->value[guess->arg].text,
						 match->fit->slot[number].text)
				     : record->value[guess->arg].number ==
					       match->fit->slot[number].number);
		if (fits) {
			return false;
		}
	}
	return true;
}

static bool take_slot(struct match *match, const struct recipe_step *step)
{
	const struct recipe_slot *slot = &match->recipe->slots[step->arg];
	union field_value *value = &match->fit->slot[step->arg];
	uint64_t *filled = &match->filled[step->arg / 64];
	uint64_t bit = UINT64_C(1) << step->arg % 64;
	bool is_filled = (*filled & bit) != 0;
	unsigned form = (unsigned)(step->op - RECIPE_SLOT);
	*filled |= bit;
	if (is_filled) {
		return slot->is_number ? take_number(match, value->number)
				       : take_text(match, form, value->text);
	}
	bool done = slot->is_number ? read_number(match, &value->number)
				    : read_text(match, form, &value->text);
	return done && is_settled(match, slot, step->arg);
}

/* What a step for a text of another kind writes. */
static bool take_other(struct match *match, const struct recipe_rule *rule, size_t number)
{
	const struct recipe_input input = {.recipe = match->recipe,
					   .record = match->record,
					   .slots = match->fit->slot,
					   .links = match->links};
	const struct recipe_rule one = {rule->target, (uint16_t)(rule->first + number), 1};
	struct buf *written = &match->recipes->text;
	buf_clear(written);
	return recipe_write(&input, &one, written) && take_bytes(match, buf_str(written));
}

static bool take_rule(struct match *match, const struct recipe_rule *rule)
{
	match->at = 0;
	for (size_t i = 0; i < rule->count; i++) {
		const struct recipe_step *step = &match->recipe->steps[rule->first + i];
		bool done;
		if (step->op == RECIPE_BYTES) {
			done = take_bytes(match, step->bytes);
		} else if (step->op <= RECIPE_FIELD_PLAIN) {
			done = take_field(match, step);
		} else if (step->op <= RECIPE_SLOT_PLAIN) {
			done = take_slot(match, step);
		} else {
			done = take_other(match, rule, i);
		}
		if (!done) {
			return false;
		}
	}
	return match->at == match->text.len;
}

static bool follow_rule(struct match *match, const struct recipe_rule *rule)
{
	const struct record *record = match->record;
	bool is_field = rule->target != RECIPE_KEY && rule->target != RECIPE_TIME;
	int64_t number;
	if (is_field && field_info(rule->target)->type <= FIELD_TYPE_BYTES) {
		match->text = record->value[rule->target].text;
		return take_rule(match, rule);
	}
	if (rule->target == RECIPE_KEY) {
		match->text = record->key;
		return take_rule(match, rule);
	}
	const struct recipe_input input = {.recipe = match->recipe,
					   .record = record,
					   .slots = match->fit->slot,
					   .links = match->links};
	return recipe_number(&input, rule, &number) &&
	       number == (is_field ? record->value[rule->target].number : record->time_ns);
}

static bool is_ruled(const struct recipe *recipe, unsigned field)
{
	return (recipe->ruled[field / 64] >> field % 64 & 1) != 0;
}

/* Whether a recipe lacks no rule that a record of its shape may have; else the slow way may find more. */
static bool is_complete(const struct recipe *recipe, const struct record *record)
{
	static const uint8_t verdict_fields[] = {FIELD_statement_id, FIELD_statement_leaf,
						 FIELD_request_leaf};
	static const uint8_t record_fields[] = {FIELD_raw, FIELD_rows, FIELD_table,
						FIELD_statement_id, FIELD_extra};
	bool is_verdict = record->kind == RECORD_VERDICT;
	const uint8_t *fields = is_verdict ? verdict_fields : record_fields;
	size_t count = is_verdict ? sizeof verdict_fields : sizeof record_fields;
	for (size_t i = 0; i < count; i++) {
		if (record_has(record, fields[i]) && !is_ruled(recipe, fields[i])) {
			return false;
		}
	}
	if (is_verdict) {
		return recipe->makes_key && recipe->makes_time;
	}
	return recipe->makes_key || (record->key.len != 16 && record->key.len != 20);
}

/* Whether a key of raw may have a name, or what stands behind a dot of it. */
static bool may_stand_in_raw(struct recipes *recipes, struct str name)
{
	struct str key = str_slice(name, 2, name.len);
	for (;;) {
		buf_clear(&recipes->text);
		buf_put_byte(&recipes->text, (uint8_t)name.ptr[0]);
		buf_put_byte(&recipes->text, ' ');
		buf_put_str(&recipes->text, key);
		if (recipes->text.failed ||
		    strmap_get(&recipes->by_name, buf_str(&recipes->text)) != NULL) {
			return true;
		}
		ptrdiff_t dot = str_find_byte(key, '.', 0);
		if (dot < 0) {
			return false;
		}
		key = str_slice(key, (size_t)dot + 1, key.len);
	}
}

/* Whether each slot of extra has a key that raw has not: else the slow way looks whether the values are the same. */
static bool has_own_extra(struct recipes *recipes, struct recipe *recipe)
{
	if (recipe->extra == RECIPE_EXTRA_UNKNOWN) {
		recipe->extra = RECIPE_EXTRA_OWN;
		for (size_t i = 0; i < recipe->slot_count; i++) {
			struct str name = recipes->names[recipe->slots[i].name];
			if (name.ptr[1] == '+' && may_stand_in_raw(recipes, name)) {
				recipe->extra = RECIPE_EXTRA_SHARED;
			}
		}
	}
	return recipe->extra == RECIPE_EXTRA_OWN;
}

static bool follow(struct match *match)
{
	struct recipe *recipe = match->recipe;
	const struct record *record = match->record;
	if (recipe->present[0] != record->present[0] || recipe->present[1] != record->present[1] ||
	    !str_equal(recipe->source, record->source) || !is_complete(recipe, record) ||
	    !has_own_extra(match->recipes, recipe)) {
		return false;
	}
	memset(match->filled, 0, sizeof match->filled);
	for (size_t i = 0; i < recipe->rule_count; i++) {
		if (!follow_rule(match, &recipe->rules[i])) {
			return false;
		}
	}
	for (size_t i = 0; i < recipe->slot_count; i++) {
		if ((match->filled[i / 64] >> i % 64 & 1) == 0) {
			return false;
		}
	}
	return true;
}

bool recipe_match(struct recipes *recipes, const struct record *record,
		  const struct recipe_links *links, struct recipe_fit *out_fit)
{
	struct match match = {.recipes = recipes, .record = record, .links = links, .fit = out_fit};
	uint32_t *recent = recipes->recent[record->kind];
	if (record->kind > RECORD_VERDICT || (record->kind == RECORD_VERDICT && links == NULL)) {
		return false;
	}
	for (size_t i = 0; i < RECIPE_RECENT && recent[i] != 0; i++) {
		uint32_t number = recent[i] - 1;
		match.recipe = &recipes->items[number];
		if (follow(&match)) {
			memmove(recent + 1, recent, i * sizeof recent[0]);
			recent[0] = number + 1;
			out_fit->recipe = number;
			return true;
		}
	}
	return false;
}
