#include "store/block/texts-find.h"

#include <stdlib.h>

/* Moving the states of a search over one text: chunks by their steps, values only where they can matter. */

/* Moves over a number in decimal. */
static void move_number(const struct find *find, int64_t number, uint64_t *states)
{
	char text[24];
	char *end = text + sizeof(text);
	uint64_t value = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	if (number < 0) {
		*--end = '-';
	}
	*states = find_move(find, *states, str_make(end, (size_t)(text + sizeof(text) - end)));
}

/* Moves over any other value, as text. */
static int move_text(struct find *find, const struct find_at *where, uint32_t slot,
		     uint64_t *states)
{
	struct texts *texts = find->texts;
	struct texts_at at = {
		.place = where->place, .slot = slot, .at = where->at, .row = where->row};
	int result;

	buf_clear(&texts->text);
	result = texts_put_token(texts, &at, &texts->text, find->err);
	if (result == 0 && texts->text.failed) {
		result = error_set(find->err, ERR_NOMEM, "There is no memory for a search.");
	}
	*states = find_move(find, *states, buf_str(&texts->text));
	return result;
}

static int move_pooled(struct find *find, const struct find_at *where, uint32_t slot,
		       uint64_t *states)
{
	struct texts *texts = find->texts;
	size_t index = texts->starts[where->place->first_start + slot] + where->at;
	int result = texts->is_resolved ? 0 : texts_resolve(texts, find->err);
	int64_t number;

	if (result != 0) {
		return result;
	}
	number = texts->numbers[index];
	/* one that is too short for the whole needle, where no part of it would go on, does nothing */
	if (*states == 0 && where->plan->alive[slot] == FIND_INSIDE && number >= 0 &&
	    (uint64_t)number < find->least) {
		return 0;
	}
	if (where->place->pattern->slots[slot].kind == PATTERN_DECIMAL) {
		return move_text(find, where, slot, states);
	}
	move_number(find, number, states);
	return 0;
}

static int move_word(struct find *find, const struct find_at *where, uint32_t slot,
		     uint64_t *states)
{
	struct texts *texts = find->texts;
	size_t index = texts->starts[where->place->first_start + slot] + where->at;
	int result = texts_load_group(texts, TEXTS_WORDS, find->err);
	int64_t code;

	if (result != 0) {
		return result;
	}
	code = texts->values[TEXTS_WORDS][index];
	if (code < 0 || (size_t)code >= texts->words.count || find->words == NULL) {
		return texts_blame(texts, "a text has a word that is not there", find->err);
	}
	*states = find_apply(find, &find->words[code], *states);
	return 0;
}

static int move_id(struct find *find, const struct find_at *where, uint32_t slot, uint64_t *states)
{
	struct texts *texts = find->texts;
	uint8_t number = where->place->pattern->slots[slot].arg;

	if (*states == 0 && find->live_ids != NULL && number < TEXTS_IDS_MAX &&
	    (find->live_ids[where->row] >> number & 1) == 0) {
		return 0;
	}
	texts_turn_to_family(texts, where->row);
	if (number >= texts->id_count) {
		return texts_blame(texts, "a text has an id that its request has not", find->err);
	}
	*states = find_move(find, *states, texts->ids[number]);
	return 0;
}

static int move_sub(struct find *find, const struct find_at *where, uint32_t slot, uint64_t *states)
{
	struct texts *texts = find->texts;
	size_t entry = texts->starts[where->place->first_start + slot] + where->at;
	const struct texts_place *place = &texts->places[texts->entries[entry].place];
	const struct find_plan *plan = &find->subs[place->pattern - texts->sub_pattern];
	struct find_at child = {
		.place = place, .plan = plan, .at = texts->entries[entry].at, .row = where->row};

	if (*states == 0 && !plan->reach.found &&
	    !find_survives(&where->plan->steps[slot + 1], plan->reach.states)) {
		return 0;
	}
	return find_move_place(find, &child, states);
}

static int move_slot(struct find *find, const struct find_at *where, uint32_t slot,
		     uint64_t *states)
{
	switch (where->place->pattern->slots[slot].kind) {
	case PATTERN_TEXT:
		return move_sub(find, where, slot, states);
	case PATTERN_NUMBER:
	case PATTERN_DECIMAL:
		return move_pooled(find, where, slot, states);
	case PATTERN_WORD:
		return move_word(find, where, slot, states);
	case PATTERN_ID:
		return move_id(find, where, slot, states);
	default: /* kinds that are put together */
		return move_text(find, where, slot, states);
	}
}

int find_move_place(struct find *find, const struct find_at *where, uint64_t *states)
{
	size_t count = where->place->pattern->slot_count;
	const struct find_plan *plan = where->plan;

	for (uint32_t i = 0; i <= count; i++) {
		int result;

		if (*states == 0) {
			i = plan->next[i];
			if (i > count) {
				break;
			}
		}
		*states = find_apply(find, &plan->steps[i], *states);
		if (i == count || (*states & find->found) != 0) {
			break;
		}
		if (*states == 0 && plan->alive[i] == FIND_DEAD) {
			continue;
		}
		result = move_slot(find, where, i, states);
		if (result != 0 || (*states & find->found) != 0) {
			return result;
		}
	}
	return 0;
}
