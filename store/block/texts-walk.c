#include "store/block/texts-walk.h"

#include <stdlib.h>

/* The rows of a column, one after another, as far as their templates do not decide. */

static int no_memory(const struct walk *walk)
{
	return error_set(walk->err, ERR_NOMEM, "There is no memory for a search.");
}

static int move_number(struct walk *walk, size_t index, uint16_t *state)
{
	struct texts *texts = walk->texts;
	char text[24];
	char *end = text + sizeof(text);
	int result = texts->is_resolved ? 0 : texts_resolve(texts, walk->err);
	uint64_t value;

	if (result != 0) {
		return result;
	}
	value = texts->numbers[index] < 0 ? 0 - (uint64_t)texts->numbers[index]
					  : (uint64_t)texts->numbers[index];
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	if (texts->numbers[index] < 0) {
		*--end = '-';
	}
	*state = dfa_run(walk->automaton, *state,
			 str_make(end, (size_t)(text + sizeof(text) - end)));
	return 0;
}

static int move_word(struct walk *walk, size_t index, uint16_t *state)
{
	struct texts *texts = walk->texts;
	int result = texts_load_group(texts, TEXTS_WORDS, walk->err);
	int64_t code = result == 0 ? texts->values[TEXTS_WORDS][index] : 0;

	if (result == 0 && code < 0) {
		return texts_blame(texts, "a text has a word that is not there", walk->err);
	}
	return result != 0 ? result : walk_word(walk, (size_t)code, state);
}

static int move_id(struct walk *walk, size_t row, uint8_t number, uint16_t *state)
{
	struct texts *texts = walk->texts;
	uint32_t family = texts->about.family != NULL ? texts->about.family[row] : TEXTS_NO_FAMILY;
	struct str ids[TEXTS_IDS_MAX];
	int64_t seed;
	uint16_t *kept = NULL;
	size_t count;

	if (family != walk->family) {
		memset(walk->behind_id, 0xff, sizeof(walk->behind_id));
		walk->family = family;
	}
	if (number < TEXTS_IDS_MAX && *state < WALK_KNOWN) {
		kept = &walk->behind_id[number][*state];
	}
	if (kept != NULL && *kept != DFA_UNKNOWN) {
		*state = *kept;
		return 0;
	}
	count = texts_part_of_family(texts, row, number < TEXTS_IDS_MAX ? 1u << number : 0, ids,
				     &seed);
	if (number >= count) {
		return texts_blame(texts, "a text has an id that its request has not", walk->err);
	}
	*state = walk_move(walk, kept, ids[number], *state);
	return 0;
}

/* A value that is put together. */
static int move_value(struct walk *walk, const struct texts_at *at, uint16_t *state)
{
	struct texts *texts = walk->texts;
	int result;

	buf_clear(&texts->text);
	result = at->place->pattern->slots[at->slot].kind == PATTERN_DECIMAL && !texts->is_resolved
			 ? texts_resolve(texts, walk->err)
			 : 0;
	if (result == 0) {
		result = texts_put_token(texts, at, &texts->text, walk->err);
	}
	if (result == 0 && texts->text.failed) {
		result = no_memory(walk);
	}
	*state = dfa_run(walk->automaton, *state, buf_str(&texts->text));
	return result;
}

static int walk_place(struct walk *walk, const struct texts_at *at, uint32_t chunk,
		      uint16_t *state);

/* What stands in a slot. */
static int look_at(struct walk *walk, const struct texts_at *at, uint16_t *state)
{
	struct texts *texts = walk->texts;
	struct pattern_slot slot = at->place->pattern->slots[at->slot];
	size_t index = texts->starts[at->place->first_start + at->slot] + at->at;

	switch (slot.kind) {
	case PATTERN_TEXT: {
		const struct texts_place *place = &texts->places[texts->entries[index].place];
		struct texts_at child = {
			.place = place, .at = texts->entries[index].at, .row = at->row};
		uint32_t chunk = walk->sub_chunk[place->pattern - texts->sub_pattern];

		*state = walk_chunk(walk, chunk, place->pattern->chunks[0], *state);
		return walk_place(walk, &child, chunk, state);
	}
	case PATTERN_NUMBER:
		return move_number(walk, index, state);
	case PATTERN_WORD:
		return move_word(walk, index, state);
	case PATTERN_ID:
		return move_id(walk, at->row, slot.arg, state);
	default:
		return move_value(walk, at, state);
	}
}

/* Moves over a place, from slot at->slot on; chunk is the number of the place's first one. */
static int walk_place(struct walk *walk, const struct texts_at *from, uint32_t chunk,
		      uint16_t *state)
{
	const struct pattern *pattern = from->place->pattern;
	struct texts_at at = *from;

	for (; at.slot < pattern->slot_count && !walk_is_over(*state); at.slot++) {
		uint16_t behind;
		struct walk_step step = {pattern, chunk, at.slot};
		int result = walk_slot_of_all(walk, &step, *state, &behind);

		if (result == 0 && behind == WALK_LOOK) {
			result = look_at(walk, &at, state);
			behind = walk_chunk(walk, chunk + at.slot + 1, pattern->chunks[at.slot + 1],
					    *state);
		}
		if (result != 0) {
			return result;
		}
		*state = behind;
	}
	return 0;
}

/* Numbers the chunks of patterns. */
static void number_chunks(struct walk *walk, uint32_t *out_count)
{
	const struct texts *texts = walk->texts;
	uint32_t count = 0;

	for (size_t code = 0; code < texts->roots.count; code++) {
		walk->root_chunk[code] = count;
		count += (uint32_t)texts->root[code].pattern.slot_count + 1;
	}
	for (size_t sub = 0; sub < texts->subs.count; sub++) {
		walk->sub_chunk[sub] = count;
		count += (uint32_t)texts->sub_pattern[sub].slot_count + 1;
	}
	*out_count = count;
}

static int walk_init(struct walk *walk)
{
	struct texts *texts = walk->texts;
	uint32_t count;
	int result = texts_load_subs(texts, walk->err);

	walk->family = TEXTS_NO_FAMILY;
	memset(walk->behind_id, 0xff, sizeof(walk->behind_id));
	if (result != 0) {
		return result;
	}
	walk->root_chunk = calloc(texts->roots.count + 1, sizeof(*walk->root_chunk));
	walk->sub_chunk = calloc(texts->subs.count + 1, sizeof(*walk->sub_chunk));
	walk->roots = calloc(texts->roots.count + 1, sizeof(*walk->roots));
	if (walk->root_chunk == NULL || walk->sub_chunk == NULL || walk->roots == NULL) {
		return no_memory(walk);
	}
	number_chunks(walk, &count);
	return walk_moves_init(&walk->behind_chunk, count) &&
			       walk_moves_init(&walk->behind_slot, count)
		       ? 0
		       : no_memory(walk);
}

static void walk_done(struct walk *walk)
{
	arena_done(&walk->arena);
	free(walk->root_chunk);
	free(walk->sub_chunk);
	free(walk->roots);
	free(walk->behind_chunk.to);
	free(walk->behind_slot.to);
	free(walk->behind_word.to);
}

/* How far a template does the same in all its rows. */
static int plan_root(struct walk *walk, size_t code)
{
	const struct pattern *pattern = &walk->texts->root[code].pattern;
	struct walk_root *root = &walk->roots[code];
	uint32_t chunk = walk->root_chunk[code];
	uint16_t behind;
	int result = 0;

	root->state = walk_chunk(walk, chunk, pattern->chunks[0], walk->automaton->start);
	for (; root->slot < pattern->slot_count && !walk_is_over(root->state); root->slot++) {
		struct walk_step step = {pattern, chunk, root->slot};

		result = walk_slot_of_all(walk, &step, root->state, &behind);
		if (result != 0 || behind == WALK_LOOK) {
			return result;
		}
		root->state = behind;
	}
	root->is_decided = true;
	root->state = dfa_end(walk->automaton, root->state);
	return 0;
}

/* What a row comes to: DFA_FOUND, DFA_NEVER or DFA_DOUBT. */
static int walk_row(struct walk *walk, size_t row, uint16_t *out_state)
{
	struct texts *texts = walk->texts;
	uint32_t code = texts->codes[row];
	const struct walk_root *root = &walk->roots[code];
	int result;

	*out_state = root->state;
	if (root->is_decided) {
		return 0;
	}
	result = texts->has_places ? 0 : texts_load_places(texts, walk->err);
	if (result == 0) {
		struct texts_at at = {.place = &texts->places[code],
				      .slot = root->slot,
				      .at = texts->ordinals[row],
				      .row = row};

		result = walk_place(walk, &at, walk->root_chunk[code], out_state);
		*out_state = dfa_end(walk->automaton, *out_state);
	}
	return result;
}

/* Asks about a row that is in doubt. */
static int ask(struct walk *walk, size_t row, bool *out_matches)
{
	struct texts *texts = walk->texts;
	int result;

	buf_clear(&texts->text);
	result = texts_put_text(texts, row, &texts->text, walk->err);
	*out_matches =
		result == 0 && walk->needle->matches(walk->needle->owner, buf_str(&texts->text));
	return result;
}

static int walk_rows(struct walk *walk, uint64_t *out_rows)
{
	struct texts *texts = walk->texts;
	int result = 0;

	for (size_t code = 0; code < texts->roots.count && result == 0; code++) {
		result = texts->counts[code] > 0 ? plan_root(walk, code) : 0;
	}
	for (size_t row = 0; row < texts->about.count && result == 0; row++) {
		uint16_t state = DFA_NEVER;
		bool matches;

		if (texts->codes[row] != UINT32_MAX) {
			result = walk_row(walk, row, &state);
		}
		matches = state == DFA_FOUND;
		if (result == 0 && state == DFA_DOUBT) {
			result = ask(walk, row, &matches);
		}
		if (result == 0 && matches) {
			out_rows[row / 64] |= (uint64_t)1 << row % 64;
		}
	}
	return result;
}

int texts_walk(struct texts *texts, const struct texts_needle *needle, uint64_t *out_rows,
	       struct error *err)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int result;

	if (walk == NULL) {
		return error_set(err, ERR_NOMEM, "There is no memory for a search.");
	}
	walk->texts = texts;
	walk->needle = needle;
	walk->automaton = needle->automaton;
	walk->err = err;
	arena_init(&walk->arena, SIZE_MAX);
	result = walk_init(walk);
	if (result == 0) {
		result = walk_rows(walk, out_rows);
	}
	walk_done(walk);
	free(walk);
	return result;
}
