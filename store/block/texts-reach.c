#include "store/block/texts-find.h"

#include <stdlib.h>

/* What fixed bytes and values can do to a search, without looking at the values of any row. */

static bool is_letter(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "There is no memory for a search.");
}

/* What each byte of the needle may be. */
static void make_classes(struct find *find)
{
	const struct texts_needle *needle = find->needle;

	for (size_t i = 0; i < find->len; i++) {
		uint8_t byte;

		if (needle->class_count > 0) {
			find->classes[i] = needle->classes[i];
			continue;
		}
		byte = (uint8_t)needle->needle.ptr[i];
		byteset_add(&find->classes[i], byte);
		if (needle->ignore_case && is_letter(byte)) {
			byteset_add(&find->classes[i], byte ^ 0x20);
		}
	}
}

/* The least number that can hold all of a needle of digits; 0: any may. */
static uint64_t least_of(const struct find *find)
{
	uint64_t least = 1;

	if (find->whole < 2 || find->whole > 19) {
		return 0;
	}
	for (size_t i = 0; i < find->len; i++) {
		/* digits that begin with none of the zeros of 0.05 are as many in the number */
		if (byteset_has(&find->classes[i], '.') ||
		    (i == 0 && (byteset_has(&find->classes[i], '0') ||
				byteset_has(&find->classes[i], '-')))) {
			return 0;
		}
		least *= i > 0 ? 10 : 1;
	}
	return least;
}

int find_init(struct find *find, struct texts *texts, const struct texts_needle *needle,
	      struct error *err)
{
	*find = (struct find){.texts = texts, .needle = needle, .err = err};
	arena_init(&find->arena, SIZE_MAX);
	find->whole = needle->class_count > 0 ? needle->class_count : needle->needle.len;
	find->len = find->whole < FIND_NEEDLE_MAX ? find->whole : FIND_NEEDLE_MAX;
	find->found = (uint64_t)1 << find->len;
	make_classes(find);
	find->least = least_of(find);
	for (size_t i = 0; i < find->len; i++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			if (byteset_has(&find->classes[i], (uint8_t)byte)) {
				find->moves[byte] |= (uint64_t)2 << i;
			}
		}
	}
	find->roots = calloc(texts->roots.count + 1, sizeof(*find->roots));
	return find->roots == NULL ? no_memory(err) : 0;
}

void find_done(struct find *find)
{
	arena_done(&find->arena);
	free(find->roots);
	free(find->subs);
	free(find->words);
	free(find->rows);
	free(find->live_ids);
}

/* Whether the needle stands in bytes. */
static bool holds(const struct find *find, struct str bytes)
{
	struct str needle = find->needle->needle;

	if (find->needle->class_count > 0) {
		return (find_move(find, 0, bytes) & find->found) != 0;
	}
	return (find->needle->ignore_case ? str_find_fold(bytes, needle, 0)
					  : str_find(bytes, needle, 0)) >= 0;
}

struct find_step find_step(const struct find *find, struct str bytes)
{
	struct find_step step = {.shift = bytes.len < 64 ? (unsigned)bytes.len : 63};
	uint64_t through = find->found - 2; /* all but none and found */
	size_t last = bytes.len < find->len ? bytes.len : find->len;

	for (size_t i = 0; i < bytes.len && through != 0; i++) {
		through = through << 1 & find->moves[(uint8_t)bytes.ptr[i]];
		if ((through & find->found) != 0) {
			step.accept |= (uint64_t)1 << (find->len - i - 1);
			through ^= find->found;
		}
	}
	step.hold = bytes.len < 64 ? through : 0;
	if (bytes.len >= find->whole) {
		step.holds_all = holds(find, bytes);
	}
	if (find->len < find->whole) {
		last = bytes.len; /* a beginning that is found anywhere is one that may go on behind the bytes */
	}
	step.tail = find_move(find, 0, str_slice(bytes, bytes.len - last, last));
	return step;
}

/* What each word of the dictionary does, and all together. */
static int load_words(struct find *find)
{
	struct texts *texts = find->texts;
	int result = texts_load_words(texts, find->err);

	if (result != 0) {
		return result;
	}
	find->words = calloc(texts->words.count + 1, sizeof(*find->words));
	if (find->words == NULL) {
		return no_memory(find->err);
	}
	for (size_t i = 0; i < texts->words.count; i++) {
		struct find_step step = find_step(find, texts->words.texts[i]);

		find->words[i] = step;
		find->words_to[0] |= step.tail & ~find->found;
		find->words_accept |= step.accept;
		find->words_found |= step.holds_all || (step.tail & find->found) != 0;
		for (uint64_t hold = step.hold; hold != 0; hold &= hold - 1) {
			unsigned to = (unsigned)__builtin_ctzll(hold);

			find->words_to[to - step.shift] |= (uint64_t)1 << to;
		}
	}
	return 0;
}

static int words_reach(struct find *find, uint64_t states, struct find_reach *out)
{
	int result = find->words != NULL ? 0 : load_words(find);

	out->found = find->words_found || (states & find->words_accept) != 0;
	out->states = find->words_to[0];
	for (; states != 0; states &= states - 1) {
		out->states |= find->words_to[__builtin_ctzll(states)];
	}
	return result;
}

/* The bytes that stand in ids, over all families. */
static int load_id_bytes(struct find *find)
{
	struct texts *texts = find->texts;
	int result = streams_get(texts->streams, texts->about.column, TEXTS_PART_ID_BYTES,
				 &find->id_bytes, find->err);

	if (result == 0 && find->id_bytes.len != TEXTS_IDS_MAX * 32) {
		return texts_blame(texts, "what its ids hold has a wrong length", find->err);
	}
	return result;
}

static bool id_holds(const struct find *find, uint8_t number, uint8_t byte)
{
	return number < TEXTS_IDS_MAX &&
	       ((uint8_t)find->id_bytes.ptr[number * 32 + byte / 8] >> byte % 8 & 1) != 0;
}

static bool slot_holds(const struct find *find, struct pattern_slot slot, size_t pos, uint8_t byte)
{
	return slot.kind == PATTERN_ID ? id_holds(find, slot.arg, byte)
				       : pattern_slot_holds(slot, pos, byte);
}

/* The states that a byte at offset pos of a slot may lead to. */
static uint64_t allowed_at(const struct find *find, struct pattern_slot slot, size_t pos)
{
	uint64_t allowed = 0;

	for (unsigned byte = 0; byte < 256; byte++) {
		if (find->moves[byte] != 0 && slot_holds(find, slot, pos, (uint8_t)byte)) {
			allowed |= find->moves[byte];
		}
	}
	return allowed;
}

/* Whether what may stand in a token differs from place to place, and all are of one length. */
static bool has_places(struct pattern_slot slot)
{
	return slot.kind == PATTERN_DATE || slot.kind == PATTERN_TIME ||
	       slot.kind == PATTERN_UUID || slot.kind == PATTERN_UUID4;
}

/* The states that the bytes of a slot may lead to. */
static struct find_reach spread(const struct find *find, struct pattern_slot slot, uint64_t states)
{
	size_t longest = pattern_slot_longest(slot);
	struct find_reach reach = {.found = false};
	uint64_t allowed = allowed_at(find, slot, 0);
	uint64_t before = 0;

	for (size_t pos = 0; pos < longest; pos++) {
		if (has_places(slot)) {
			states = ((states | 1) << 1) & allowed_at(find, slot, pos);
		} else {
			/* one that ends here keeps its states */
			before = states;
			allowed |= pos == 1 ? allowed_at(find, slot, 1) : 0;
			states |= ((states | 1) << 1) & allowed;
		}
		reach.found |= (states & find->found) != 0;
		states &= find->found - 1;
		if (!has_places(slot) && states == before && pos > 1) {
			break;
		}
	}
	reach.states = states;
	return reach;
}

/* What a slot that is no TEXT may do to states. */
static int slot_reach(struct find *find, struct pattern_slot slot, uint64_t states,
		      struct find_reach *out)
{
	int result = 0;

	if (slot.kind == PATTERN_WORD) {
		return words_reach(find, states, out);
	}
	if (slot.kind == PATTERN_ID && find->id_bytes.ptr == NULL) {
		result = load_id_bytes(find);
	}
	if (result == 0 && !find->has_reach[slot.kind][slot.arg]) {
		find->reaches[slot.kind][slot.arg] = spread(find, slot, 0);
		find->has_reach[slot.kind][slot.arg] = true;
	}
	if (result == 0) {
		*out = states == 0 ? find->reaches[slot.kind][slot.arg]
				   : spread(find, slot, states);
	}
	return result;
}

/* A sub-pattern from any states; its plan has its steps. */
static int walk_sub(struct find *find, const struct pattern *pattern, const struct find_plan *plan,
		    uint64_t states, struct find_reach *out)
{
	*out = (struct find_reach){.states = 0};
	for (size_t i = 0; i <= pattern->slot_count; i++) {
		struct find_reach reach;
		int result;

		states = find_apply(find, &plan->steps[i], states);
		if ((states & find->found) != 0) {
			out->found = true;
			states = plan->steps[i].tail & ~find->found;
		}
		if (i == pattern->slot_count) {
			break;
		}
		result = slot_reach(find, pattern->slots[i], states, &reach);
		if (result != 0) {
			return result;
		}
		out->found |= reach.found;
		states = reach.states;
	}
	out->states = states;
	return 0;
}

static uint8_t alive_of(const struct find_reach *reach, const struct find_step *next)
{
	return find_survives(next, reach->states) ? FIND_ACROSS
	       : reach->found                     ? FIND_INSIDE
						  : FIND_DEAD;
}

/* Makes the steps of a plan. */
static int add_steps(struct find *find, const struct pattern *pattern, struct find_plan *plan)
{
	plan->steps = arena_calloc(&find->arena, pattern->slot_count + 1, sizeof(*plan->steps));
	plan->alive = arena_calloc(&find->arena, pattern->slot_count + 1, 1);
	plan->next = arena_calloc(&find->arena, pattern->slot_count + 1, sizeof(*plan->next));
	if (plan->steps == NULL || plan->alive == NULL || plan->next == NULL) {
		return no_memory(find->err);
	}
	for (size_t i = 0; i <= pattern->slot_count; i++) {
		plan->steps[i] = find_step(find, pattern->chunks[i]);
	}
	return 0;
}

/* Notes what can matter in a sub-pattern. */
static void note_sub(struct find_plan *plan, const struct pattern *pattern)
{
	for (size_t i = 0; i <= pattern->slot_count; i++) {
		bool is_id = i < pattern->slot_count && pattern->slots[i].kind == PATTERN_ID &&
			     pattern->slots[i].arg < TEXTS_IDS_MAX;

		plan->more |= plan->steps[i].holds_all || plan->steps[i].tail != 0;
		if (i < pattern->slot_count && plan->alive[i] != FIND_DEAD) {
			plan->ids |= (uint8_t)(is_id ? 1u << pattern->slots[i].arg : 0u);
			plan->more |= !is_id;
		}
	}
}

/* Notes what can matter in a slot of a template that is alive, behind a chunk. */
static void note_slot(struct find *find, size_t code, size_t slot)
{
	struct texts *texts = find->texts;
	struct find_plan *plan = &find->roots[code];
	size_t start;

	plan->more |= plan->steps[slot].tail != 0;
	if (plan->alive[slot] == FIND_DEAD) {
		return;
	}
	if (texts->root[code].pattern.slots[slot].kind != PATTERN_TEXT || !texts->has_places) {
		plan->more = true;
		return;
	}
	start = texts->places[code].first_start + slot;
	for (uint32_t i = 0; i < texts->children[start].count; i++) {
		const struct find_plan *child =
			&find->subs[texts->places[texts->children[start].first + i].pattern -
				    texts->sub_pattern];

		if (child->reach.found ||
		    find_survives(&plan->steps[slot + 1], child->reach.states)) {
			plan->ids |= child->ids;
			plan->more |= child->more;
		}
	}
}

/* Finds where a text can be entered without a state; what is between does nothing then. */
static void link_plan(struct find_plan *plan, size_t slot_count)
{
	uint32_t next = UINT32_MAX;

	for (size_t i = slot_count + 1; i-- > 0;) {
		if (plan->steps[i].holds_all || plan->steps[i].tail != 0 ||
		    (i < slot_count && plan->alive[i] != FIND_DEAD)) {
			next = (uint32_t)i;
		}
		plan->next[i] = next;
	}
}

int find_plan_subs(struct find *find)
{
	struct texts *texts = find->texts;
	int result = texts_load_subs(texts, find->err);

	if (result != 0) {
		return result;
	}
	find->subs = calloc(texts->subs.count + 1, sizeof(*find->subs));
	if (find->subs == NULL) {
		return no_memory(find->err);
	}
	for (size_t sub = 0; sub < texts->subs.count; sub++) {
		const struct pattern *pattern = &texts->sub_pattern[sub];
		struct find_plan *plan = &find->subs[sub];

		result = add_steps(find, pattern, plan);
		for (size_t i = 0; i < pattern->slot_count && result == 0; i++) {
			struct find_reach reach;

			result = slot_reach(find, pattern->slots[i], 0, &reach);
			plan->alive[i] = alive_of(&reach, &plan->steps[i + 1]);
		}
		if (result == 0) {
			result = walk_sub(find, pattern, plan, 0, &plan->reach);
		}
		if (result != 0) {
			return result;
		}
		link_plan(plan, pattern->slot_count);
		note_sub(plan, pattern);
		find->any_sub.states |= plan->reach.states;
		find->any_sub.found |= plan->reach.found;
	}
	return 0;
}

/* What the texts in a slot of kind TEXT may do: all its sub-patterns together. */
static int text_reach(struct find *find, size_t code, size_t slot, uint64_t states,
		      struct find_reach *out)
{
	struct texts *texts = find->texts;
	int result = texts_load_places(texts, find->err);
	size_t start;

	*out = (struct find_reach){.states = 0};
	if (result != 0) {
		return result;
	}
	start = texts->places[code].first_start + slot;
	for (uint32_t i = 0; i < texts->children[start].count; i++) {
		const struct pattern *pattern =
			texts->places[texts->children[start].first + i].pattern;
		const struct find_plan *plan = &find->subs[pattern - texts->sub_pattern];
		struct find_reach reach = plan->reach;

		result = states == 0 ? 0 : walk_sub(find, pattern, plan, states, &reach);
		if (result != 0) {
			return result;
		}
		out->states |= reach.states;
		out->found |= reach.found;
	}
	return 0;
}

/* What a slot of a template may do, from no state and from those that may come in. */
static int reach_both(struct find *find, size_t code, size_t slot, uint64_t states,
		      struct find_reach out[2])
{
	struct find_plan *plan = &find->roots[code];
	struct pattern_slot kind = find->texts->root[code].pattern.slots[slot];
	int result;

	if (kind.kind != PATTERN_TEXT) {
		result = slot_reach(find, kind, 0, &out[0]);
		return result != 0 ? result : slot_reach(find, kind, states, &out[1]);
	}
	out[0] = out[1] = find->any_sub;
	if (states == 0 && alive_of(&find->any_sub, &plan->steps[slot + 1]) == FIND_DEAD) {
		return 0; /* whatever stands there: so nothing of it needs to be read */
	}
	result = text_reach(find, code, slot, 0, &out[0]);
	out[1] = out[0];
	return result != 0 || states == 0 ? result : text_reach(find, code, slot, states, &out[1]);
}

int find_plan_root(struct find *find, size_t code)
{
	const struct pattern *pattern = &find->texts->root[code].pattern;
	struct find_plan *plan = &find->roots[code];
	uint64_t states = 0;
	int result = add_steps(find, pattern, plan);

	for (size_t i = 0; i <= pattern->slot_count && result == 0; i++) {
		plan->certain |= plan->steps[i].holds_all;
	}
	for (size_t i = 0; i <= pattern->slot_count && result == 0 && !plan->certain; i++) {
		struct find_reach reach[2];

		states = find_apply(find, &plan->steps[i], states);
		if ((states & find->found) != 0) {
			plan->possible = true;
			states = plan->steps[i].tail & ~find->found;
		}
		if (i == pattern->slot_count) {
			break;
		}
		result = reach_both(find, code, i, states, reach);
		plan->alive[i] = result == 0 ? alive_of(&reach[0], &plan->steps[i + 1]) : FIND_DEAD;
		plan->possible |= result == 0 && reach[1].found;
		states = result == 0 ? reach[1].states | reach[0].states : 0;
		note_slot(find, code, i);
	}
	link_plan(plan, pattern->slot_count);
	return result;
}
