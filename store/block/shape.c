#include "store/block/shape.h"

#include "store/block/shape-recipe.h"

#include <assert.h>
#include <stdlib.h>

#define SCRATCH_MAX (8 * (size_t)RECORD_MAX_BYTES)

struct shapes *shapes_new(void)
{
	struct shapes *shapes = calloc(1, sizeof *shapes);
	if (shapes == NULL) {
		return NULL;
	}
	arena_init(&shapes->arena, RECIPES_BYTES);
	buf_init(&shapes->scratch, SCRATCH_MAX);
	strmap_init(&shapes->name_of, SHAPE_NAMES_MAX);
	u64map_init(&shapes->families, SHAPES_MAX);
	shapes->room = 16;
	shapes->recipes = calloc(shapes->room, sizeof shapes->recipes[0]);
	if (shapes->recipes == NULL) {
		shapes_free(shapes);
		return NULL;
	}
	shapes->count = 1; /* the one that keeps everything */
	return shapes;
}

void shapes_free(struct shapes *shapes)
{
	if (shapes == NULL) {
		return;
	}
	arena_done(&shapes->arena);
	buf_done(&shapes->scratch);
	strmap_done(&shapes->name_of);
	u64map_done(&shapes->families);
	free(shapes->recipes);
	free(shapes->names);
	free(shapes);
}

/* Puts a recipe in front of those that are tried first. */
static void move_front(uint32_t *recent, uint32_t number)
{
	size_t at = 0;
	while (at < RECENT_MAX - 1 && recent[at] != number) {
		at++;
	}
	memmove(recent + 1, recent, at * sizeof recent[0]);
	recent[0] = number;
}

static void keep_all(const struct record *record, struct shape_fit *out_fit)
{
	out_fit->shape = 0;
	out_fit->kept[0] = record->present[0];
	out_fit->kept[1] = record->present[1];
	out_fit->keeps_key = true;
	out_fit->keeps_time = true;
	out_fit->key_count = 0;
	out_fit->slot_count = 0;
}

int shapes_fit(struct shapes *shapes, const struct record *record, const struct shape_links *links,
	       struct arena *arena, struct shape_fit *out_fit)
{
	struct fitting fitting;
	uint32_t *recent = shapes->recent[record->kind];
	fitting.shapes = shapes;
	fitting.record = record;
	fitting.links = links;
	fitting.arena = arena;
	fitting.fit = out_fit;
	uint32_t found = 0;
	for (size_t i = 0; i < RECENT_MAX && recent[i] != 0 && found == 0; i++) {
		if (recipe_fits(&fitting, &shapes->recipes[recent[i]])) {
			found = recent[i];
		}
	}
	if (found == 0) {
		found = recipe_find(&fitting);
		if (found == 0) {
			keep_all(record, out_fit);
			return 0;
		}
		if (!recipe_fits(&fitting, &shapes->recipes[found])) {
			keep_all(record, out_fit); /* without memory */
			return 0;
		}
	}
	out_fit->shape = found;
	shapes->recipes[found].fit_count += shapes->recipes[found].fit_count < UINT32_MAX;
	if (recent[0] != found) {
		move_front(recent, found);
	}
	return 0;
}

size_t shapes_slot_count(const struct shapes *shapes)
{
	return shapes->name_count;
}

struct str shapes_slot_name(const struct shapes *shapes, uint32_t name)
{
	assert(name < shapes->name_count);
	return shapes->names[name].text;
}

enum record_kind shapes_slot_kind(const struct shapes *shapes, uint32_t name)
{
	assert(name < shapes->name_count);
	return shapes->names[name].kind;
}

size_t shapes_count(const struct shapes *shapes)
{
	return shapes->count;
}

size_t shape_slots(const struct shapes *shapes, uint32_t shape, uint32_t out_names[SHAPE_SLOTS_MAX],
		   bool out_is_number[SHAPE_SLOTS_MAX])
{
	assert(shape < shapes->count);
	return recipe_slots(shapes, &shapes->recipes[shape], out_names, out_is_number);
}

bool shape_computes(const struct shapes *shapes, uint32_t shape, unsigned field)
{
	assert(shape < shapes->count && field < FIELD_LIMIT);
	return (shapes->recipes[shape].computed[field / 64] >> (field % 64) & 1) != 0;
}

bool shape_computes_key(const struct shapes *shapes, uint32_t shape)
{
	assert(shape < shapes->count);
	return shapes->recipes[shape].key_rule != KEY_KEPT;
}

bool shape_computes_time(const struct shapes *shapes, uint32_t shape)
{
	assert(shape < shapes->count);
	return (shapes->recipes[shape].rules & RULE_TIME) != 0;
}
