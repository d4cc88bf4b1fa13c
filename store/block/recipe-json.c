/* How the steps of a rule for JSON text are found: each value is looked up among the fields of the record. */
#include "base/json.h"
#include "model/auditrow/column.h"
#include "store/block/recipe-set.h"

#include <string.h>

struct token {
	uint32_t name;
	struct str raw;  /* between the quotes, or the number's digits, or the word */
	struct str text; /* without escapes */
	uint8_t escape; /* 0: raw is text as it is written; 1: in JSON of ours; 2: plain; 3: only raw gives it back */
	bool is_string, is_number;
	int64_t number;
};

struct cut {
	struct recipes *recipes;
	struct str all;
	size_t from; /* what stands before is in the steps */
	bool extra;
};

/* Whether text is a whole number as buf_put_i64 writes it. */
static bool read_number(struct str text, int64_t *out)
{
	uint64_t value = 0;
	size_t i = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
	bool negative = i == 1;
	if (text.len == i || text.len - i > 18 ||
	    (text.ptr[i] == '0' && (negative || text.len > 1))) {
		return false;
	}
	for (; i < text.len; i++) {
		unsigned digit = (unsigned)(uint8_t)text.ptr[i] - '0';
		if (digit > 9) {
			return false;
		}
		value = value * 10 + digit;
	}
	*out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

/* Finds the way of writing that gives raw again. */
static void find_escape(struct recipes *recipes, struct token *token, bool has_escapes)
{
	token->text = token->raw;
	if (!has_escapes && recipe_is_plain(token->raw)) {
		token->escape = 1;
		return;
	}
	if (has_escapes) {
		buf_clear(&recipes->text);
		(void)json_unescape(
			token->raw, true,
			&recipes->text); /* lone halves come back as they were, or the check fails */
		if (recipes->text.failed ||
		    arena_str(&recipes->scratch, buf_str(&recipes->text), &token->text) < 0) {
			recipes->failed = true;
			return;
		}
	}
	for (token->escape = 1; token->escape < 3; token->escape++) {
		buf_clear(&recipes->text);
		if (token->escape == 1) {
			recipe_put_json(token->text, &recipes->text);
		} else {
			recipe_put_plain(token->text, &recipes->text);
		}
		if (!recipes->text.failed && str_equal(buf_str(&recipes->text), token->raw)) {
			return;
		}
	}
	token->text = token->raw;
}

static bool field_fits(const struct record *record, unsigned field, const struct token *token)
{
	bool is_made = field == FIELD_raw || field == FIELD_extra || field == FIELD_rows ||
		       field == FIELD_table || field == FIELD_statement_id;
	if (!record_has(record, field) || is_made) {
		return false; /* what rules make may not be known yet when raw is made */
	}
	switch (field_info(field)->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		return token->is_string && token->escape < 3 &&
		       str_equal(record->value[field].text, token->text);
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME:
		return token->is_number && record->value[field].number == token->number;
	case FIELD_TYPE_BOOL:
		return !token->is_string &&
		       str_is(token->raw, record->value[field].number != 0 ? "true" : "false");
	}
	return false;
}

static bool tail_fits(const struct record *record, const struct token *token)
{
	struct str route = record_has(record, FIELD_route) ? record_text(record, FIELD_route)
							   : (struct str){0};
	ptrdiff_t blank = str_find_byte(route, ' ', 0);
	return blank >= 0 && token->is_string && token->escape == 1 &&
	       str_equal(str_slice(route, (size_t)blank + 1, route.len), token->text);
}

static bool suffix_fits(const struct record *record, unsigned field, const struct token *token)
{
	if (!token->is_string || !record_has(record, field)) {
		return false;
	}
	struct str text = record_text(record, field);
	return text.len >= 4 && text.len < token->raw.len && recipe_is_plain(text) &&
	       str_has_suffix(token->raw, text);
}

static bool guess_fits(const struct record *record, const struct recipe_guess *guess,
		       const struct token *token)
{
	switch ((enum guess_kind)guess->kind) {
	case GUESS_FIELD:
		return field_fits(record, guess->arg, token);
	case GUESS_TAIL:
		return tail_fits(record, token);
	case GUESS_SUFFIX:
		return suffix_fits(record, guess->arg, token);
	case GUESS_TIME:
		return recipe_time_form(record->time_ns, token->raw) == guess->arg;
	}
	return false;
}

static bool add_guess(struct recipes *recipes, struct recipe_memory *memory, enum guess_kind kind,
		      unsigned arg)
{
	if (memory->guess_count == RECIPE_GUESSES) {
		return false;
	}
	memory->guess[memory->guess_count++] =
		(struct recipe_guess){(uint8_t)kind, (uint16_t)arg, recipes->fit_number, 0};
	return true;
}

/* Looks for a field that holds the value; numbers that are small are held by too many. */
static bool look(struct recipes *recipes, struct recipe_memory *memory, const struct token *token)
{
	const struct record *record = recipes->record;
	unsigned form = recipe_time_form(record->time_ns, token->raw);
	if (form != 0) {
		return add_guess(recipes, memory, GUESS_TIME, form);
	}
	for (unsigned field = 3; field < FIELD_LIMIT; field++) {
		if (field_fits(record, field, token)) {
			return add_guess(recipes, memory, GUESS_FIELD, field);
		}
	}
	if (tail_fits(record, token)) {
		return add_guess(recipes, memory, GUESS_TAIL, 0);
	}
	if (record->kind == RECORD_STATEMENT && suffix_fits(record, FIELD_file, token)) {
		return add_guess(recipes, memory, GUESS_SUFFIX, FIELD_file);
	}
	return false;
}

static void drop_guess(struct recipe_memory *memory, size_t at)
{
	memory->guess_count--;
	for (size_t i = at; i < memory->guess_count; i++) {
		memory->guess[i] = memory->guess[i + 1];
	}
}

/* A number that once was another one than the field's is a chance likeness; a text may be so now and then. */
static bool is_chance(const struct recipes *recipes, const struct recipe_guess *guess,
		      const struct token *token)
{
	uint32_t tries = recipes->fit_number - guess->since;
	return guess->kind == GUESS_FIELD &&
	       (token->is_number || (tries >= 8 && guess->misses > tries / 8));
}

/* Which guess fits, or NULL. The one that failed least often is tried first. */
static const struct recipe_guess *find_guess(struct recipes *recipes, struct recipe_memory *memory,
					     const struct token *token)
{
	const struct record *record = recipes->record;
	for (size_t i = 0; i < memory->guess_count; i++) {
		struct recipe_guess *guess = &memory->guess[i];
		if (guess_fits(record, guess, token)) {
			if (i > 0 && guess->misses < memory->guess[i - 1].misses) {
				struct recipe_guess moved = *guess;
				*guess = memory->guess[i - 1];
				memory->guess[i - 1] = moved;
				guess = &memory->guess[i - 1];
			}
			return guess;
		}
		guess->misses++;
		if (!memory->told && is_chance(recipes, guess, token)) {
			drop_guess(memory, i--);
		}
	}
	if (!memory->told && memory->looked < RECIPE_LEARN) {
		memory->looked++;
		if (look(recipes, memory, token)) {
			return &memory->guess[memory->guess_count - 1];
		}
	}
	return NULL;
}

/* The columns of audit rows are known by name. */
static void tell_name(struct recipes *recipes, uint32_t name, struct str key)
{
	struct recipe_memory *memory = &recipes->memories[name];
	if (memory->looked > 0 || memory->told) {
		return;
	}
	unsigned column = recipes->record->kind == RECORD_STATEMENT ? auditcolumn_find(key, 0)
								    : (unsigned)AUDITCOLUMN_COUNT;
	if (column == AUDITCOLUMN_COUNT || column == AUDITCOLUMN_event_time ||
	    column == AUDITCOLUMN_file_name) {
		return;
	}
	memory->told = true;
	if (auditcolumn_info(column)->field != 0) {
		(void)add_guess(recipes, memory, GUESS_FIELD, auditcolumn_info(column)->field);
	}
}

/* The name of a key; the place in the line says which one it will be. */
static uint32_t name_of(struct cut *cut, struct str key)
{
	struct recipes *recipes = cut->recipes;
	uint32_t *known = recipes->place < RECIPE_ORDER_MAX
				  ? &recipes->order[recipes->record->kind][recipes->place]
				  : NULL;
	recipes->place++;
	if (known != NULL && *known != 0) {
		struct str name = recipes->names[*known - 1];
		if (name.len == key.len + 2 && name.ptr[1] == (cut->extra ? '+' : ' ') &&
		    memcmp(name.ptr + 2, key.ptr, key.len) == 0) {
			return *known - 1;
		}
	}
	buf_clear(&recipes->text);
	buf_put_byte(&recipes->text, (uint8_t)('0' + recipes->record->kind));
	buf_put_byte(&recipes->text, cut->extra ? '+' : ' ');
	buf_put_str(&recipes->text, key);
	if (recipes->text.failed) {
		recipes->failed = true;
		return UINT32_MAX;
	}
	uint32_t name = recipes_name_number(recipes, buf_str(&recipes->text));
	if (name != UINT32_MAX) {
		tell_name(recipes, name, key);
		if (known != NULL) {
			*known = name + 1;
		}
	}
	return name;
}

/* Writes what stands between the last value and offset as bytes. */
static bool push_bytes(struct cut *cut, size_t to)
{
	bool done = to == cut->from || recipe_push(cut->recipes, RECIPE_BYTES, 0,
						   str_slice(cut->all, cut->from, to - cut->from));
	cut->from = to;
	return done;
}

static bool push_value(struct cut *cut, const struct token *token, enum recipe_op op, unsigned arg)
{
	size_t start = (size_t)(token->raw.ptr - cut->all.ptr);
	if (!push_bytes(cut, start) || !recipe_push(cut->recipes, op, arg, (struct str){0})) {
		return false;
	}
	cut->from = start + token->raw.len;
	if (!cut->extra) {
		struct recipe_memory *memory = &cut->recipes->memories[token->name];
		memory->seen_in = cut->recipes->fit_number;
		memory->op = (uint8_t)op;
		memory->arg = (uint16_t)arg;
	}
	return true;
}

static bool push_guess(struct cut *cut, const struct recipe_guess *guess, const struct token *token)
{
	struct token part = *token;
	bool is_text = field_info(guess->arg)->type <= FIELD_TYPE_BYTES;
	switch ((enum guess_kind)guess->kind) {
	case GUESS_FIELD:
		return push_value(cut, token,
				  !is_text             ? RECIPE_FIELD
				  : token->escape == 1 ? RECIPE_FIELD_JSON
						       : RECIPE_FIELD_PLAIN,
				  guess->arg);
	case GUESS_TAIL:
		return push_value(cut, token, RECIPE_ROUTE_TAIL, 0);
	case GUESS_SUFFIX:
		part.raw.len = record_text(cut->recipes->record, guess->arg).len;
		part.raw.ptr = token->raw.ptr + token->raw.len - part.raw.len;
		return push_value(cut, &part, RECIPE_FIELD_JSON, guess->arg);
	case GUESS_TIME:
		return push_value(cut, token, RECIPE_TIME_AS, guess->arg);
	}
	return false;
}

static bool slot_is_taken(const struct recipes *recipes, uint32_t name)
{
	for (size_t i = 0; i < recipes->slot_count; i++) {
		if (recipes->slots[i].name == name) {
			return true;
		}
	}
	return false;
}

/* A name for the same key once more in one record. */
static uint32_t another_name(struct recipes *recipes, uint32_t name)
{
	for (unsigned i = 2; name != UINT32_MAX && slot_is_taken(recipes, name); i++) {
		buf_clear(&recipes->text);
		buf_put_str(&recipes->text, recipes->names[name]);
		buf_putf(&recipes->text, "#%u", i);
		name = recipes_name_number(recipes, buf_str(&recipes->text));
	}
	return name;
}

static bool push_slot(struct cut *cut, const struct token *token)
{
	struct recipes *recipes = cut->recipes;
	static const enum recipe_op ops[] = {RECIPE_SLOT, RECIPE_SLOT_JSON, RECIPE_SLOT_PLAIN,
					     RECIPE_SLOT};
	if (recipes->slot_count == RECIPE_SLOTS_MAX) {
		return false;
	}
	uint32_t name = another_name(recipes, token->name);
	if (name == UINT32_MAX) {
		return false;
	}
	size_t slot = recipes->slot_count++;
	recipes->slots[slot] = (struct recipe_slot){name, token->is_number};
	if (token->is_number) {
		recipes->fit->slot[slot].number = token->number;
		return push_value(cut, token, RECIPE_SLOT, (unsigned)slot);
	}
	recipes->fit->slot[slot].text = token->text;
	return push_value(cut, token, token->is_string ? ops[token->escape] : RECIPE_SLOT,
			  (unsigned)slot);
}

/* The value that the same key has in raw, if it is the same. */
static bool push_again(struct cut *cut, const struct token *token,
		       const struct recipe_memory *memory)
{
	struct recipes *recipes = cut->recipes;
	if (memory->op == RECIPE_FIELD_JSON) {
		return token->escape == 1 && field_fits(recipes->record, memory->arg, token) &&
		       push_value(cut, token, RECIPE_FIELD_JSON, memory->arg);
	}
	if (memory->op < RECIPE_SLOT || memory->op > RECIPE_SLOT_PLAIN) {
		return false;
	}
	if (memory->arg >= recipes->slot_count) {
		return false; /* of a rule that was given up */
	}
	if (recipes->slots[memory->arg].is_number) {
		return token->is_number &&
		       recipes->fit->slot[memory->arg].number == token->number &&
		       push_value(cut, token, RECIPE_SLOT, memory->arg);
	}
	return token->is_string && memory->op != RECIPE_SLOT && token->escape == 1 &&
	       str_equal(recipes->fit->slot[memory->arg].text, token->text) &&
	       push_value(cut, token, RECIPE_SLOT_JSON, memory->arg);
}

/* In extra: the value that raw has under the same name, as it is written there. */
static bool push_seen(struct cut *cut, const struct token *token, struct str key)
{
	struct recipes *recipes = cut->recipes;
	buf_clear(&recipes->text);
	buf_put_byte(&recipes->text, (uint8_t)('0' + recipes->record->kind));
	buf_put_byte(&recipes->text, ' ');
	buf_put_str(&recipes->text, key);
	const uint64_t *name = strmap_get(&recipes->by_name, buf_str(&recipes->text));
	ptrdiff_t dot = str_find_byte(key, '.', 0);
	if ((name == NULL || recipes->memories[*name].seen_in != recipes->fit_number) && dot >= 0) {
		return push_seen(cut, token, str_slice(key, (size_t)dot + 1, key.len));
	}
	const struct recipe_memory *memory = name != NULL ? &recipes->memories[*name] : NULL;
	if (memory == NULL || memory->seen_in != recipes->fit_number) {
		return false;
	}
	return push_again(cut, token, memory);
}

static bool take_token(struct cut *cut, struct token *token, struct str key)
{
	struct recipes *recipes = cut->recipes;
	size_t steps = recipes->step_count;
	size_t from = cut->from;
	if (cut->extra && push_seen(cut, token, key)) {
		return true;
	}
	if (recipes->step_count != steps || cut->from != from) {
		return false; /* no room */
	}
	token->name = name_of(cut, key);
	if (token->name == UINT32_MAX) {
		return false;
	}
	const struct recipe_guess *guess =
		cut->extra ? NULL : find_guess(recipes, &recipes->memories[token->name], token);
	return guess != NULL ? push_guess(cut, guess, token) : push_slot(cut, token);
}

/* Takes the value that an event tells. */
static bool take_event(struct cut *cut, const struct json_scanner *scanner, enum json_event event,
		       struct str key)
{
	struct token token = {.raw = scanner->text, .text = scanner->text};
	token.is_string = event == JSON_STRING;
	if (token.is_string) {
		find_escape(cut->recipes, &token, scanner->has_escapes);
	}
	token.is_number = (event == JSON_STRING || event == JSON_NUMBER) &&
			  read_number(token.raw, &token.number);
	return take_token(cut, &token, key);
}

/* Takes one value, an object mostly. False: it is none, or there is no room. */
static bool cut_value(struct cut *cut, struct json_scanner *scanner)
{
	struct str key = STR_LIT("");
	enum json_event event = json_next(scanner);
	for (; event != JSON_END; event = json_next(scanner)) {
		if (event == JSON_ERROR || cut->recipes->failed) {
			return false;
		}
		if (event == JSON_KEY) {
			key = scanner->text;
		}
		bool is_value = event >= JSON_STRING && event != JSON_NULL;
		if (is_value && !take_event(cut, scanner, event, key)) {
			return false;
		}
	}
	return true;
}

bool recipe_cut_json(struct recipes *recipes, struct str text, bool extra)
{
	struct cut cut = {.recipes = recipes, .all = text, .extra = extra};
	size_t pos = 0;
	while (pos < text.len) { /* one object behind the other */
		struct json_scanner scanner = json_scanner(text);
		scanner.pos = pos;
		if (!cut_value(&cut, &scanner)) {
			return false;
		}
		pos = scanner.pos;
		while (pos < text.len &&
		       (text.ptr[pos] == '\n' || text.ptr[pos] == '\r' || text.ptr[pos] == ' ')) {
			pos++;
		}
	}
	return push_bytes(&cut, text.len);
}
