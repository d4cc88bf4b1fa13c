#include "store/block/texts-walk.h"

#include <stdlib.h>

/* What a slot can do to a state, whichever row it stands in. */

static int no_memory(const struct walk *walk)
{
	return error_set(walk->err, ERR_NOMEM, "There is no memory for a search.");
}

/* Of each of count things and each of the first states: where it leads to. */
bool walk_moves_init(struct walk_moves *moves, size_t count)
{
	size_t most = WALK_KNOWN_ROOM / (count + 1);

	moves->known = most < WALK_KNOWN ? most : WALK_KNOWN;
	moves->to = malloc((count + 1) * moves->known * sizeof(*moves->to) + 1);
	if (moves->to != NULL) {
		memset(moves->to, 0xff, (count + 1) * moves->known * sizeof(*moves->to));
	}
	return moves->to != NULL;
}

/* Where it is kept; NULL: it is not. */
static uint16_t *kept_move(const struct walk_moves *moves, size_t number, uint16_t state)
{
	return state < moves->known ? &moves->to[number * moves->known + state] : NULL;
}

/* Where bytes lead to. */
uint16_t walk_move(struct walk *walk, uint16_t *kept, struct str bytes, uint16_t state)
{
	if (kept == NULL) {
		return dfa_run(walk->automaton, state, bytes);
	}
	if (*kept == DFA_UNKNOWN) {
		*kept = dfa_run(walk->automaton, state, bytes);
	}
	return *kept;
}

uint16_t walk_chunk(struct walk *walk, uint32_t number, struct str chunk, uint16_t state)
{
	return walk_move(walk, kept_move(&walk->behind_chunk, number, state), chunk, state);
}

/* Adds a state. False: there are too many. */
static bool add_state(struct walk_set *set, uint16_t state)
{
	size_t known = 0;

	while (known < set->count && set->state[known] != state) {
		known++;
	}
	if (known == WALK_AROUND) {
		set->is_any = true;
		return false;
	}
	set->state[known] = state;
	set->count = (uint8_t)(set->count + (known == set->count ? 1 : 0));
	return true;
}

/* What stands in the ids of a number. */
static int add_ids(struct walk *walk, uint8_t number, struct byteset *set)
{
	struct texts *texts = walk->texts;
	struct str bits;
	int result = streams_get(texts->streams, texts->about.column, TEXTS_PART_ID_BYTES, &bits,
				 walk->err);

	if (result == 0 && bits.len != TEXTS_IDS_MAX * 32) {
		return texts_blame(texts, "what its ids hold has a wrong length", walk->err);
	}
	for (unsigned byte = 0; byte < 256 && result == 0 && number < TEXTS_IDS_MAX; byte++) {
		if (((uint8_t)bits.ptr[number * 32 + byte / 8] >> byte % 8 & 1) != 0) {
			byteset_add(set, (uint8_t)byte);
		}
	}
	return result;
}

/* What may stand in a slot, byte by byte. */
static int all_bytes(struct walk *walk, struct pattern_slot slot, struct byteset *out)
{
	size_t longest;

	if (slot.kind == PATTERN_ID) {
		return add_ids(walk, slot.arg, out);
	}
	longest = pattern_slot_longest(slot);
	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t pos = 0; pos < longest; pos++) {
			if (pattern_slot_holds(slot, pos, (uint8_t)byte)) {
				byteset_add(out, (uint8_t)byte);
				break;
			}
		}
	}
	return 0;
}

/* What is known of a slot, made at the first time. */
static int slot_of(struct walk *walk, struct pattern_slot slot, struct walk_slot **out)
{
	struct walk_slot **known = &walk->slots[slot.kind][slot.arg];
	bool has_bytes = slot.kind != PATTERN_WORD && slot.kind != PATTERN_TEXT;
	bool seen[128] = {false};
	struct byteset set = {{0}};
	int result = *known == NULL && has_bytes ? all_bytes(walk, slot, &set) : 0;

	if (result == 0 && *known == NULL) {
		*known = arena_calloc(&walk->arena, 1, sizeof(**known));
		result = *known != NULL ? 0 : no_memory(walk);
		for (unsigned byte = 0; byte < 128 && result == 0; byte++) {
			uint8_t like = walk->automaton->like[byte];

			if (byteset_has(&set, (uint8_t)byte) && !seen[like]) {
				seen[like] = true;
				(*known)->byte[(*known)->count++] = (uint8_t)byte;
			}
		}
		if (result == 0) {
			(*known)->is_beyond = (set.bits[2] | set.bits[3]) != 0;
		}
	}
	*out = *known;
	return result;
}

/* By any of the bytes, as often as they like, at least once (but for ids, which no one says to be longer). */
static void reach_by_bytes(struct walk *walk, const struct walk_slot *about, bool may_be_empty,
			   struct walk_set *set)
{
	uint16_t from = set->state[0];

	set->is_any = about->is_beyond;
	set->count = may_be_empty ? 1 : 0;
	for (size_t k = 0; k < about->count && !set->is_any; k++) {
		(void)add_state(set, dfa_next(walk->automaton, from, about->byte[k]));
	}
	for (size_t i = 0; i < set->count && !set->is_any; i++) {
		for (size_t k = 0; k < about->count && !set->is_any; k++) {
			(void)add_state(set,
					dfa_next(walk->automaton, set->state[i], about->byte[k]));
		}
	}
}

int walk_word(struct walk *walk, size_t code, uint16_t *state)
{
	struct texts *texts = walk->texts;
	int result = texts_load_words(texts, walk->err);

	if (result == 0 && walk->behind_word.to == NULL) {
		result = walk_moves_init(&walk->behind_word, texts->words.count) ? 0
										 : no_memory(walk);
	}
	if (result == 0 && code >= texts->words.count) {
		result = texts_blame(texts, "a text has a word that is not there", walk->err);
	}
	if (result == 0) {
		*state = walk_move(walk, kept_move(&walk->behind_word, code, *state),
				   texts->words.texts[code], *state);
	}
	return result;
}

static int reach_by_words(struct walk *walk, struct walk_set *set)
{
	uint16_t from = set->state[0];
	int result = texts_load_words(walk->texts, walk->err);

	set->count = 0;
	for (size_t code = 0; result == 0 && !set->is_any && code < walk->texts->words.count;
	     code++) {
		uint16_t to = from;

		result = walk_word(walk, code, &to);
		(void)add_state(set, to); /* too many: it is noted */
	}
	return result;
}

static int slot_set(struct walk *walk, struct pattern_slot slot, uint16_t state,
		    const struct walk_set **out);

/* By all texts of a sub-pattern. */
static int reach_by_sub(struct walk *walk, size_t sub, uint16_t from, struct walk_set *out)
{
	const struct pattern *pattern = &walk->texts->sub_pattern[sub];
	uint32_t chunk = walk->sub_chunk[sub];
	struct walk_set now = {.count = 1};

	now.state[0] = walk_chunk(walk, chunk, pattern->chunks[0], from);
	for (size_t i = 0; i < pattern->slot_count && !now.is_any; i++) {
		struct walk_set next = {.count = 0};

		for (size_t k = 0; k < now.count && !next.is_any; k++) {
			const struct walk_set *reached;
			int result = slot_set(walk, pattern->slots[i], now.state[k], &reached);

			if (result != 0) {
				return result;
			}
			next.is_any = reached->is_any;
			for (size_t r = 0; r < reached->count && !next.is_any; r++) {
				(void)add_state(&next, walk_chunk(walk, chunk + (uint32_t)i + 1,
								  pattern->chunks[i + 1],
								  reached->state[r]));
			}
		}
		now = next;
	}
	out->is_any = out->is_any || now.is_any;
	for (size_t k = 0; k < now.count && !out->is_any; k++) {
		(void)add_state(out, now.state[k]);
	}
	return 0;
}

static int reach_by_subs(struct walk *walk, struct walk_set *set)
{
	uint16_t from = set->state[0];
	int result = 0;

	set->count = 0;
	for (size_t sub = 0; result == 0 && !set->is_any && sub < walk->texts->subs.count; sub++) {
		result = reach_by_sub(walk, sub, from, set);
	}
	return result;
}

/* The states that what may stand in a slot leads to. */
static int slot_set(struct walk *walk, struct pattern_slot slot, uint16_t state,
		    const struct walk_set **out)
{
	struct walk_slot *about;
	struct walk_set *set;
	int result = slot_of(walk, slot, &about);

	if (result != 0) {
		return result;
	}
	*out = set = about->sets[state];
	if (set != NULL) {
		return 0;
	}
	*out = set = arena_calloc(&walk->arena, 1, sizeof(*set));
	if (set == NULL) {
		return no_memory(walk);
	}
	set->count = 1;
	set->state[0] = state;
	if (!walk_is_over(state) && slot.kind == PATTERN_WORD) {
		result = reach_by_words(walk, set);
	} else if (!walk_is_over(state) && slot.kind == PATTERN_TEXT) {
		result = reach_by_subs(walk, set);
	} else if (!walk_is_over(state)) {
		reach_by_bytes(walk, about, slot.kind == PATTERN_ID, set);
	}
	about->sets[state] = set;
	return result;
}

int walk_slot_of_all(struct walk *walk, const struct walk_step *step, uint16_t state,
		     uint16_t *out_state)
{
	const struct pattern *pattern = step->pattern;
	uint32_t chunk = step->first_chunk + step->slot;
	uint16_t *kept = kept_move(&walk->behind_slot, chunk, state);
	const struct walk_set *set;
	int result;

	if (kept != NULL && *kept != DFA_UNKNOWN) {
		*out_state = *kept;
		return 0;
	}
	result = slot_set(walk, pattern->slots[step->slot], state, &set);
	if (result != 0) {
		return result;
	}
	*out_state = WALK_LOOK;
	for (size_t i = 0; i < set->count && !set->is_any; i++) {
		uint16_t to =
			walk_chunk(walk, chunk + 1, pattern->chunks[step->slot + 1], set->state[i]);

		if (i > 0 && to != *out_state) {
			*out_state = WALK_LOOK;
			break;
		}
		*out_state = to;
	}
	if (kept != NULL) {
		*kept = *out_state;
	}
	return 0;
}
