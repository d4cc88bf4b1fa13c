#include "store/block/recipe.h"

#include "base/wire.h"
#include "store/block/recipe-set.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_MAX   ((size_t)256 << 20)
#define SCRATCH_MAX ((size_t)64 << 20)
#define NAMES_MAX   65536

struct recipes *recipes_new(void)
{
	struct recipes *recipes = calloc(1, sizeof *recipes);
	if (recipes != NULL) {
		arena_init(&recipes->arena, ARENA_MAX);
		arena_init(&recipes->scratch, SCRATCH_MAX);
		strmap_init(&recipes->by_bytes, RECIPES_HARD_MAX + 1);
		strmap_init(&recipes->by_name, NAMES_MAX + 1);
		buf_init(&recipes->bytes, 0);
		buf_init(&recipes->text, 0);
	}
	return recipes;
}

void recipes_clear(struct recipes *recipes)
{
	strmap_done(&recipes->by_bytes);
	strmap_done(&recipes->by_name);
	strmap_init(&recipes->by_bytes, RECIPES_HARD_MAX + 1);
	strmap_init(&recipes->by_name, NAMES_MAX + 1);
	arena_clear(&recipes->arena);
	recipes->count = 0;
	recipes->name_count = 0;
	memset(recipes->recent, 0, sizeof recipes->recent);
	memset(recipes->order, 0, sizeof recipes->order);
	recipes->failed = false;
}

void recipes_free(struct recipes *recipes)
{
	if (recipes == NULL) {
		return;
	}
	strmap_done(&recipes->by_bytes);
	strmap_done(&recipes->by_name);
	arena_done(&recipes->arena);
	arena_done(&recipes->scratch);
	buf_done(&recipes->bytes);
	buf_done(&recipes->text);
	free(recipes->items);
	free(recipes->saved);
	free(recipes->names);
	free(recipes->memories);
	free(recipes);
}

size_t recipes_count(const struct recipes *recipes)
{
	return recipes->count;
}

const struct recipe *recipes_at(const struct recipes *recipes, uint32_t number)
{
	return &recipes->items[number];
}

struct str recipes_name(const struct recipes *recipes, uint32_t name)
{
	return recipes->names[name];
}

static bool grow_names(struct recipes *recipes)
{
	if (recipes->name_count < recipes->name_room) {
		return true;
	}
	size_t room = recipes->name_room > 0 ? 2 * recipes->name_room : 256;
	struct str *names = realloc(recipes->names, room * sizeof names[0]);
	if (names == NULL) {
		return false;
	}
	recipes->names = names;
	struct recipe_memory *memories = realloc(recipes->memories, room * sizeof memories[0]);
	if (memories == NULL) {
		return false;
	}
	recipes->memories = memories;
	recipes->name_room = room;
	return true;
}

uint32_t recipes_name_number(struct recipes *recipes, struct str text)
{
	const uint64_t *known = strmap_get(&recipes->by_name, text);
	if (known != NULL) {
		return (uint32_t)*known;
	}
	uint32_t number = (uint32_t)recipes->name_count;
	struct str copy;
	if (number >= NAMES_MAX) {
		return UINT32_MAX;
	}
	if (!grow_names(recipes) || arena_str(&recipes->arena, text, &copy) < 0 ||
	    strmap_put(&recipes->by_name, text, number) < 0) {
		recipes->failed = true;
		return UINT32_MAX;
	}
	recipes->names[number] = copy;
	recipes->memories[number] = (struct recipe_memory){0};
	recipes->name_count++;
	return number;
}

/* Reads count of something of a size into the arena. */
static void *take_room(struct recipes *recipes, size_t count, size_t size)
{
	void *room = arena_calloc(&recipes->arena, count + 1, size);
	recipes->failed = recipes->failed || room == NULL;
	return room;
}

static bool read_slots(struct recipes *recipes, struct wire_reader *reader, struct recipe *out)
{
	uint64_t count = wire_varint(reader);
	if (count > RECIPE_SLOTS_MAX) {
		return false;
	}
	out->slots = take_room(recipes, count, sizeof out->slots[0]);
	for (size_t i = 0; out->slots != NULL && i < count; i++) {
		uint8_t is_number = wire_u8(reader);
		struct str name = wire_block(reader, RECORD_MAX_BYTES);
		if (reader->failed || is_number > 1) {
			return false;
		}
		out->slots[i].is_number = is_number != 0;
		out->slots[i].name = recipes_name_number(recipes, name);
		if (out->slots[i].name == UINT32_MAX) {
			return false;
		}
		for (size_t k = 0; k < i; k++) {
			if (out->slots[k].name == out->slots[i].name &&
			    out->slots[k].is_number == out->slots[i].is_number) {
				return false;
			}
		}
	}
	out->slot_count = (uint16_t)count;
	return out->slots != NULL;
}

static bool read_steps(struct recipes *recipes, struct wire_reader *reader, struct recipe *out,
		       uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (out->step_count >= RECIPE_STEPS_MAX) {
			return false;
		}
		struct recipe_step *step = &recipes->steps[out->step_count];
		uint64_t arg;
		*step = (struct recipe_step){.op = wire_u8(reader)};
		arg = wire_varint(reader);
		if (reader->failed || arg > UINT16_MAX || step->op < RECIPE_BYTES ||
		    step->op > RECIPE_POSITIVE) {
			return false;
		}
		step->arg = (uint16_t)arg;
		if (step->op == RECIPE_BYTES) {
			struct str bytes = wire_block(reader, RECORD_MAX_BYTES);
			if (reader->failed) {
				return false;
			}
			if (arena_str(&recipes->arena, bytes, &step->bytes) < 0) {
				recipes->failed = true;
				return false;
			}
		}
		out->step_count++;
	}
	return true;
}

/* Whether there can be a rule for this target. */
static bool target_fits(const struct recipe *recipe, uint64_t target)
{
	if (target == RECIPE_KEY) {
		return !recipe->makes_key;
	}
	if (target == RECIPE_TIME) {
		return !recipe->makes_time;
	}
	return target < FIELD_LIMIT && (recipe->present[target / 64] >> target % 64 & 1) != 0 &&
	       (recipe->ruled[target / 64] >> target % 64 & 1) == 0;
}

static bool read_rules(struct recipes *recipes, struct wire_reader *reader, struct recipe *out)
{
	uint64_t count = wire_varint(reader);
	if (count > RECIPE_RULES_MAX) {
		return false;
	}
	out->rules = take_room(recipes, count, sizeof out->rules[0]);
	for (size_t i = 0; !recipes->failed && i < count; i++) {
		uint64_t target = wire_varint(reader);
		uint64_t steps = wire_varint(reader);
		if (reader->failed || !target_fits(out, target)) {
			return false;
		}
		out->rules[i].target = (uint16_t)target;
		out->rules[i].first = out->step_count;
		if (!read_steps(recipes, reader, out, steps)) {
			return false;
		}
		out->rules[i].count = (uint16_t)steps;
		out->makes_key = out->makes_key || target == RECIPE_KEY;
		out->makes_time = out->makes_time || target == RECIPE_TIME;
		if (target < FIELD_LIMIT) {
			out->ruled[target / 64] |= UINT64_C(1) << target % 64;
		}
	}
	out->steps = take_room(recipes, out->step_count, sizeof out->steps[0]);
	if (recipes->failed) {
		return false;
	}
	memcpy(out->steps, recipes->steps, out->step_count * sizeof out->steps[0]);
	out->rule_count = (uint16_t)count;
	return true;
}

static bool fields_fit(const struct recipe *recipe)
{
	for (unsigned field = 0; field < FIELD_LIMIT; field++) {
		if ((recipe->present[field / 64] >> field % 64 & 1) == 0) {
			continue;
		}
		const struct field_info *info = field_info(field);
		if (field == 0 || info->name == NULL || (info->kinds >> recipe->kind & 1) == 0) {
			return false;
		}
	}
	return true;
}

bool recipes_read(struct recipes *recipes, struct wire_reader *reader, struct recipe *out)
{
	*out = (struct recipe){.kind = wire_u8(reader)};
	struct str source = wire_block(reader, RECORD_SOURCE_MAX);
	out->present[0] = wire_u64(reader);
	out->present[1] = wire_u64(reader);
	if (reader->failed || out->kind == 0 || out->kind >= RECORD_KIND_COUNT ||
	    !record_source_is_allowed(source) || !fields_fit(out)) {
		return false;
	}
	if (arena_str(&recipes->arena, source, &out->source) < 0) {
		recipes->failed = true;
		return false;
	}
	return read_slots(recipes, reader, out) && read_rules(recipes, reader, out);
}

static bool grow_items(struct recipes *recipes)
{
	if (recipes->count < recipes->room) {
		return true;
	}
	size_t room = recipes->room > 0 ? 2 * recipes->room : 64;
	struct recipe *items = realloc(recipes->items, room * sizeof items[0]);
	if (items == NULL) {
		return false;
	}
	recipes->items = items;
	struct str *saved = realloc(recipes->saved, room * sizeof saved[0]);
	if (saved == NULL) {
		return false;
	}
	recipes->saved = saved;
	recipes->room = room;
	return true;
}

uint32_t recipes_add(struct recipes *recipes, struct str bytes)
{
	struct wire_reader reader = wire_reader(bytes);
	struct recipe recipe;
	uint32_t number = (uint32_t)recipes->count;
	if (!grow_items(recipes)) {
		recipes->failed = true;
		return UINT32_MAX;
	}
	if (!recipes_read(recipes, &reader, &recipe) || wire_left(&reader) != 0) {
		return UINT32_MAX;
	}
	if (arena_str(&recipes->arena, bytes, &recipes->saved[number]) < 0 ||
	    strmap_put(&recipes->by_bytes, bytes, number) < 0) {
		recipes->failed = true;
		return UINT32_MAX;
	}
	recipes->items[number] = recipe;
	recipes->count++;
	return number;
}

void recipes_save(const struct recipes *recipes, struct buf *out)
{
	wire_put_varint(out, recipes->count);
	for (size_t i = 0; i < recipes->count; i++) {
		wire_put_block(out, recipes->saved[i]);
	}
}

int recipes_load(struct recipes *recipes, struct str bytes)
{
	struct wire_reader reader = wire_reader(bytes);
	uint64_t count = wire_varint(&reader);
	for (uint64_t i = 0; !reader.failed && i < count; i++) {
		struct str one = wire_block(&reader, RECORD_MAX_BYTES);
		if (reader.failed || recipes->count >= RECIPES_HARD_MAX ||
		    recipes_add(recipes, one) == UINT32_MAX) {
			return recipes->failed ? -ERR_NOMEM : -ERR_CORRUPT;
		}
	}
	return reader.failed || wire_left(&reader) != 0 ? -ERR_CORRUPT : 0;
}
