#include "store/block/texts-find.h"

#include <stdlib.h>

/* What fixed bytes and values can do to a search, without looking at the values. */

static bool is_letter(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

void find_init(struct find *find, struct texts *texts, const struct texts_needle *needle)
{
	*find = (struct find){.texts = texts, .needle = needle};
	find->len = needle->needle.len < FIND_NEEDLE_MAX ? needle->needle.len : FIND_NEEDLE_MAX;
	for (size_t i = 0; i < find->len; i++) {
		uint8_t byte = (uint8_t)needle->needle.ptr[i];

		find->moves[byte] |= (uint64_t)2 << i;
		if (needle->ignore_case && is_letter(byte)) {
			find->moves[byte ^ 0x20] |= (uint64_t)2 << i;
		}
	}
}

void find_done(struct find *find)
{
	free(find->rows);
	free(find->sub_reach);
	free(find->has_sub_reach);
}

struct find_step find_step(const struct find *find, struct str bytes)
{
	struct find_step step = {.shift = bytes.len < 64 ? (unsigned)bytes.len : 63};
	uint64_t through = ((uint64_t)1 << find->len) - 2; /* all but none and found */
	size_t last = bytes.len < find->len ? bytes.len : find->len;

	for (size_t i = 0; i < bytes.len && through != 0; i++) {
		through = through << 1 & find->moves[(uint8_t)bytes.ptr[i]];
		if ((through >> find->len & 1) != 0) {
			step.accept |= (uint64_t)1 << (find->len - i - 1);
			through ^= (uint64_t)1 << find->len;
		}
	}
	step.hold = bytes.len < 64 ? through : 0;
	if (find->needle->ignore_case) {
		step.holds_all = str_find_fold(bytes, find->needle->needle, 0) >= 0;
	} else {
		step.holds_all = str_find(bytes, find->needle->needle, 0) >= 0;
	}
	if (find->len < find->needle->needle.len) {
		last = bytes.len; /* a beginning that is found anywhere is one that may go on behind the bytes */
	}
	step.tail = find_move(find, 0, str_slice(bytes, bytes.len - last, last));
	return step;
}

/* The states that any number of bytes of a slot may lead to. */
static struct find_reach spread(const struct find *find, uint64_t allowed, uint64_t states)
{
	struct find_reach reach;
	uint64_t before;

	do {
		before = states;
		states |= ((states | 1) << 1) & allowed;
	} while (states != before);
	reach.found = (states >> find->len & 1) != 0;
	reach.states = states & (((uint64_t)1 << find->len) - 1);
	return reach;
}

/* What the words of the dictionary do, all together. */
static int load_words(struct find *find)
{
	struct texts *texts = find->texts;
	int result = texts_load_group(texts, TEXTS_WORDS, find->err);

	for (size_t i = 0; i < texts->words.count && result == 0; i++) {
		struct find_step step = find_step(find, texts->words.texts[i]);

		find->words_to[0] |= step.tail;
		find->words_accept |= step.accept;
		find->words_found |= step.holds_all || (step.tail >> find->len & 1) != 0;
		for (uint64_t hold = step.hold; hold != 0; hold &= hold - 1) {
			unsigned to = (unsigned)__builtin_ctzll(hold);

			find->words_to[to - step.shift] |= (uint64_t)1 << to;
		}
	}
	find->has_words = result == 0;
	return result;
}

static int words_reach(struct find *find, uint64_t states, struct find_reach *out)
{
	int result = find->has_words ? 0 : load_words(find);

	out->found = find->words_found || (states & find->words_accept) != 0;
	out->states = find->words_to[0] & (((uint64_t)1 << find->len) - 1);
	for (; states != 0; states &= states - 1) {
		out->states |= find->words_to[__builtin_ctzll(states)];
	}
	return result;
}

/* The bytes that stand in ids, over all families; found once. */
static int load_id_bytes(struct texts *texts, struct error *err)
{
	const uint32_t *family = texts->about.family;

	texts->id_bytes = calloc(TEXTS_IDS_MAX, sizeof(*texts->id_bytes));
	if (texts->id_bytes == NULL) {
		return error_set(err, ERR_NOMEM, "There is no memory for a search.");
	}
	for (size_t row = 0; row < texts->about.count && family != NULL; row++) {
		if (row > 0 && family[row] == family[row - 1]) {
			continue;
		}
		texts_turn_to_family(texts, row);
		for (size_t id = 0; id < texts->id_count; id++) {
			for (size_t i = 0; i < texts->ids[id].len; i++) {
				texts->id_bytes[id][(uint8_t)texts->ids[id].ptr[i]] = true;
			}
		}
	}
	return 0;
}

int find_slot_reach(struct find *find, struct pattern_slot slot, uint64_t states,
		    struct find_reach *out)
{
	struct texts *texts = find->texts;
	uint64_t allowed = 0;
	int result = 0;

	if (slot.kind == PATTERN_WORD) {
		return words_reach(find, states, out);
	}
	if (slot.kind == PATTERN_ID && texts->id_bytes == NULL) {
		result = load_id_bytes(texts, find->err);
	}
	for (size_t i = 0; i < find->len && result == 0; i++) {
		uint8_t byte = (uint8_t)find->needle->needle.ptr[i];
		uint8_t other = find->needle->ignore_case && is_letter(byte) ? byte ^ 0x20 : byte;
		bool holds =
			slot.kind != PATTERN_ID
				? pattern_slot_holds(slot, byte) || pattern_slot_holds(slot, other)
				: slot.arg < TEXTS_IDS_MAX && (texts->id_bytes[slot.arg][byte] ||
							       texts->id_bytes[slot.arg][other]);

		allowed |= holds ? (uint64_t)2 << i : 0;
	}
	*out = spread(find, allowed, states);
	return result;
}

/* A sub-pattern from any states. */
static int walk_sub(struct find *find, const struct pattern *pattern, uint64_t states,
		    struct find_reach *out)
{
	uint64_t found = (uint64_t)1 << find->len;

	*out = (struct find_reach){.states = states};
	for (size_t i = 0; i <= pattern->slot_count; i++) {
		struct find_step step = find_step(find, pattern->chunks[i]);
		struct find_reach reach;
		int result;

		states = find_apply(find, &step, states);
		if ((states & found) != 0) {
			out->found = true;
			return 0;
		}
		if (i == pattern->slot_count) {
			break;
		}
		result = find_slot_reach(find, pattern->slots[i], states, &reach);
		if (result != 0 || reach.found) {
			out->found = true;
			return result;
		}
		states = reach.states;
	}
	out->states = states;
	return 0;
}

int find_sub_reach(struct find *find, size_t sub, uint64_t states, struct find_reach *out)
{
	struct texts *texts = find->texts;
	int result;

	if (states != 0) {
		return walk_sub(find, &texts->sub_pattern[sub], states, out);
	}
	if (find->sub_reach == NULL) {
		find->sub_reach = calloc(texts->subs.count + 1, sizeof(*find->sub_reach));
		find->has_sub_reach = calloc(texts->subs.count + 1, 1);
		if (find->sub_reach == NULL || find->has_sub_reach == NULL) {
			return error_set(find->err, ERR_NOMEM, "There is no memory for a search.");
		}
	}
	if (!find->has_sub_reach[sub]) {
		result = walk_sub(find, &texts->sub_pattern[sub], 0, &find->sub_reach[sub]);
		if (result != 0) {
			return result;
		}
		find->has_sub_reach[sub] = 1;
	}
	*out = find->sub_reach[sub];
	return 0;
}
