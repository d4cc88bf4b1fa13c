#include "store/block/texts-reader.h"

#include <stdlib.h>

/* Where the values of each slot of each template begin: found by walking all buckets in their order once. */

struct walk {
	struct texts *texts;
	const int64_t *sub_codes;
	size_t entry;          /* of the texts of slots: the next one */
	uint32_t *child;       /* of each sub-pattern: its place in the slot that is walked */
	uint32_t *child_stamp; /* of each sub-pattern: the last slot that had it, from 1 on */
	uint32_t stamp;
	struct error *err;
};

static bool grow(void *array, size_t *room, size_t count, size_t item_bytes)
{
	size_t wanted = *room * 2 + 64;
	void *grown;
	void *old;

	if (count < *room) {
		return true;
	}
	memcpy(&old, array, sizeof(old));
	grown = realloc(old, wanted * item_bytes);
	if (grown == NULL) {
		return false;
	}
	memcpy(array, &grown, sizeof(grown));
	*room = wanted;
	return true;
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "There is no memory for a column of texts.");
}

/* A place for a pattern; its slots' starts are filled later. */
static int add_place(struct texts *texts, const struct pattern *pattern, uint32_t count,
		     struct error *err)
{
	if (!grow(&texts->places, &texts->place_room, texts->place_count, sizeof(*texts->places))) {
		return no_memory(err);
	}
	texts->places[texts->place_count++] =
		(struct texts_place){.pattern = pattern, .count = count};
	return 0;
}

/* Takes what a slot's bucket holds: its place in its group. */
static int take_bucket(struct texts *texts, struct pattern_slot slot, uint32_t count,
		       size_t *out_start)
{
	enum texts_group group = texts_group_of(slot);
	size_t size = count;

	if (group == TEXTS_NONE) {
		*out_start = 0;
		return 0;
	}
	*out_start = texts->sizes[group];
	if (group == TEXTS_UUIDS) {
		size = (size_t)count * UUID4_BYTES + ((size_t)count + 3) / 4;
	} else if (group == TEXTS_BYTES) {
		size = count * pattern_slot_bytes(slot);
	} else if (group == TEXTS_POOLED && count > 0) {
		if (!grow(&texts->runs, &texts->run_room, texts->run_count, sizeof(*texts->runs))) {
			return -ERR_NOMEM;
		}
		texts->runs[texts->run_count++] = (struct texts_run){*out_start, count};
	}
	texts->sizes[group] += size;
	return 0;
}

/* Makes room for one more slot. */
static bool grow_starts(struct texts *texts)
{
	size_t room = texts->start_room;
	size_t same = room;

	return texts->start_count < room ||
	       (grow(&texts->children, &same, room, sizeof(*texts->children)) &&
		grow(&texts->starts, &texts->start_room, room, sizeof(*texts->starts)));
}

/* Makes room for the starts of a place's slots. */
static int add_starts(struct texts *texts, struct texts_place *place, struct error *err)
{
	if (texts->start_count > UINT32_MAX - PATTERN_SLOTS_MAX) {
		return no_memory(err);
	}
	place->first_start = (uint32_t)texts->start_count;
	for (size_t i = 0; i < place->pattern->slot_count; i++) {
		if (!grow_starts(texts)) {
			return no_memory(err);
		}
		texts->children[texts->start_count] = (struct texts_children){.count = 0};
		texts->starts[texts->start_count++] = 0;
	}
	return 0;
}

/* The sub-patterns of the texts of one slot: counted, and each text gets its place and its number in it. */
static int walk_entries(struct walk *walk, uint32_t count)
{
	struct texts *texts = walk->texts;

	walk->stamp++;
	for (size_t i = walk->entry; i < walk->entry + count; i++) {
		int64_t code = walk->sub_codes[i];
		struct texts_place *place;

		if (code < 0 || (size_t)code >= texts->subs.count) {
			return texts_blame(texts, "a text has a pattern that is not there",
					   walk->err);
		}
		if (walk->child_stamp[code] != walk->stamp) {
			int result = add_place(texts, &texts->sub_pattern[code], 0, walk->err);

			if (result != 0) {
				return result;
			}
			walk->child_stamp[code] = walk->stamp;
			walk->child[code] = (uint32_t)texts->place_count - 1;
		}
		place = &texts->places[walk->child[code]];
		texts->entries[i] = (struct texts_entry){walk->child[code], place->count++};
	}
	return 0;
}

/* One slot of kind TEXT. */
static int walk_slot(struct walk *walk, uint32_t count)
{
	struct texts *texts = walk->texts;
	size_t first = texts->place_count;
	int result = walk_entries(walk, count);

	for (size_t child = first; child < texts->place_count && result == 0; child++) {
		struct texts_place *place = &texts->places[child];

		result = add_starts(texts, place, walk->err);
		for (size_t i = 0; i < place->pattern->slot_count && result == 0; i++) {
			place->has_numbers |= place->pattern->slots[i].kind <= PATTERN_DECIMAL;
			if (take_bucket(texts, place->pattern->slots[i], place->count,
					&texts->starts[place->first_start + i]) != 0) {
				result = no_memory(walk->err);
			}
		}
	}
	walk->entry += count;
	return result;
}

/* One slot of kind TEXT of a root: its children. */
static int walk_text(struct walk *walk, size_t code, size_t start)
{
	struct texts *texts = walk->texts;
	struct texts_children children = {.first = (uint32_t)texts->place_count};
	int result;

	texts->starts[start] = walk->entry;
	result = walk_slot(walk, texts->places[code].count);
	children.count = (uint32_t)texts->place_count - children.first;
	for (size_t child = children.first; child < texts->place_count; child++) {
		children.has_numbers |= texts->places[child].has_numbers;
	}
	texts->children[start] = children;
	texts->places[code].has_numbers |= children.has_numbers;
	return result;
}

static int walk_root(struct walk *walk, size_t code)
{
	struct texts *texts = walk->texts;
	const struct pattern *pattern = texts->places[code].pattern;
	int result = add_starts(texts, &texts->places[code], walk->err);
	size_t first = texts->places[code].first_start;

	for (size_t i = 0; i < pattern->slot_count && result == 0; i++) {
		if (pattern->slots[i].kind == PATTERN_TEXT) {
			result = walk_text(walk, code, first + i);
			continue;
		}
		texts->places[code].has_numbers |= pattern->slots[i].kind <= PATTERN_DECIMAL;
		if (take_bucket(texts, pattern->slots[i], texts->places[code].count,
				&texts->starts[first + i]) != 0) {
			result = no_memory(walk->err);
		}
	}
	return result;
}

int texts_load_subs(struct texts *texts, struct error *err)
{
	int result;

	if (texts->has_subs || texts->is_broken) {
		return texts->is_broken ? texts_blame(texts, "it can't be read", err) : 0;
	}
	result = wordlist_get(texts->streams, texts->about.column, TEXTS_PART_SUBS, &texts->subs,
			      err);

	if (result != 0) {
		return result;
	}
	texts->sub_pattern = calloc(texts->subs.count + 1, sizeof(*texts->sub_pattern));
	if (texts->sub_pattern == NULL) {
		return no_memory(err);
	}
	for (size_t i = 0; i < texts->subs.count; i++) {
		if (!pattern_read(texts->subs.texts[i], &texts->arena, &texts->sub_pattern[i])) {
			texts->is_broken = true;
			return texts_blame(texts, "a pattern is none", err);
		}
	}
	texts->has_subs = true;
	return 0;
}

/* Reads the patterns of the texts of slots, count of them. */
static int read_sub_codes(struct texts *texts, size_t count, int64_t **out_codes, struct error *err)
{
	struct ints_column about = {
		.column = texts->about.column, .part = TEXTS_PART_SUB_CODES, .count = count};

	*out_codes = malloc((count + 1) * sizeof(**out_codes));
	texts->entries = malloc((count + 1) * sizeof(*texts->entries));
	if (*out_codes == NULL || texts->entries == NULL) {
		return no_memory(err);
	}
	return count > 0 ? ints_get(texts->streams, &about, *out_codes, err) : 0;
}

static int walk_all(struct walk *walk)
{
	struct texts *texts = walk->texts;
	int result = 0;

	walk->child = calloc(texts->subs.count + 1, sizeof(*walk->child));
	walk->child_stamp = calloc(texts->subs.count + 1, sizeof(*walk->child_stamp));
	if (walk->child == NULL || walk->child_stamp == NULL) {
		return no_memory(walk->err);
	}
	for (size_t code = 0; code < texts->roots.count && result == 0; code++) {
		result = add_place(texts, &texts->root[code].pattern, texts->counts[code],
				   walk->err);
	}
	for (size_t code = 0; code < texts->roots.count && result == 0; code++) {
		result = walk_root(walk, code);
	}
	return result;
}

int texts_load_places(struct texts *texts, struct error *err)
{
	struct walk walk = {.texts = texts, .err = err};
	int64_t *sub_codes = NULL;
	size_t count = 0;
	int result;

	if (texts->has_places || texts->is_broken) {
		return texts->is_broken ? texts_blame(texts, "it can't be read", err) : 0;
	}
	for (size_t code = 0; code < texts->roots.count; code++) {
		count += (size_t)texts->counts[code] * texts->root[code].sub_count;
	}
	if (count > TEXTS_VALUES_MAX) {
		return texts_blame(texts, "its texts have too many values", err);
	}
	result = texts_load_subs(texts, err);
	if (result == 0) {
		result = read_sub_codes(texts, count, &sub_codes, err);
	}
	if (result == 0) {
		walk.sub_codes = sub_codes;
		result = walk_all(&walk);
	}
	free(sub_codes);
	free(walk.child);
	free(walk.child_stamp);
	texts->has_places = result == 0;
	texts->is_broken = result != 0;
	return result;
}
