#include "store/block/shape-form.h"

#include <stdlib.h>

#define NAMES_MAX SHAPE_NAMES_MAX

/* Makes room for one more of size bytes. */
static bool make_room(void **items, size_t count, size_t *room, size_t size)
{
	if (count < *room) {
		return true;
	}
	size_t wanted = *room > 0 ? *room * 2 : 64;
	void *moved = realloc(*items, wanted * size);
	if (moved == NULL) {
		return false;
	}
	*items = moved;
	*room = wanted;
	return true;
}

uint32_t names_add(struct shapes *shapes, enum record_kind kind, bool is_number, struct str key)
{
	uint64_t *known = strmap_get(&shapes->name_of, key);
	if (known != NULL) {
		const struct slot_name *name = &shapes->names[*known];
		return name->kind == kind && name->is_number == is_number ? (uint32_t)*known
									  : NO_NAME;
	}
	void *names = shapes->names;
	struct str text;
	bool fits =
		shapes->name_count < NAMES_MAX &&
		make_room(&names, shapes->name_count, &shapes->name_room, sizeof shapes->names[0]);
	shapes->names = names;
	if (!fits || arena_str(&shapes->arena, key, &text) != 0 ||
	    strmap_put(&shapes->name_of, key, shapes->name_count) != 0) {
		return NO_NAME;
	}
	shapes->names[shapes->name_count] =
		(struct slot_name){.text = text, .kind = kind, .is_number = is_number};
	return (uint32_t)shapes->name_count++;
}

uint32_t shapes_add(struct shapes *shapes, const struct recipe *recipe)
{
	void *recipes = shapes->recipes;
	bool fits = shapes->count < SHAPES_MAX &&
		    make_room(&recipes, shapes->count, &shapes->room, sizeof shapes->recipes[0]);
	shapes->recipes = recipes;
	if (!fits) {
		return 0;
	}
	uint32_t number = (uint32_t)shapes->count;
	struct recipe *added = &shapes->recipes[number];
	*added = *recipe;
	uint64_t *newest = u64map_get(&shapes->families, recipe->family);
	added->before = newest != NULL ? (uint32_t)*newest : 0;
	if (u64map_put(&shapes->families, recipe->family, number) != 0) {
		return 0;
	}
	shapes->count++;
	return number;
}

struct slot_list {
	const struct shapes *shapes;
	uint32_t *names;
	bool *is_number;
	size_t count;
};

static void add_slot(struct slot_list *list, uint32_t name)
{
	if (name == NO_NAME) {
		return;
	}
	if (list->count < SHAPE_SLOTS_MAX) {
		list->names[list->count] = name;
		list->is_number[list->count] = list->shapes->names[name].is_number;
	}
	list->count++;
}

size_t recipe_slots(const struct shapes *shapes, const struct recipe *recipe, uint32_t *out_names,
		    bool *out_is_number)
{
	struct slot_list list = {.shapes = shapes, .names = out_names, .is_number = out_is_number};
	for (size_t i = 0; i < recipe->place_count; i++) {
		add_slot(&list, recipe->places[i].name);
		add_slot(&list, recipe->places[i].other);
	}
	if (recipe->item_count > 0) {
		add_slot(&list, recipe->mask_name);
	}
	for (size_t i = 0; i < recipe->item_count; i++) {
		add_slot(&list, recipe->items[i].name);
	}
	for (size_t i = 0; recipe->key_rule == KEY_EVENT && i < KEY_NUMBERS; i++) {
		add_slot(&list, recipe->key_name[i]);
	}
	return list.count <= SHAPE_SLOTS_MAX ? list.count : SIZE_MAX;
}

static void compute(struct recipe *recipe, unsigned rule, unsigned field)
{
	if ((recipe->rules & rule) != 0) {
		recipe->computed[field / 64] |= UINT64_C(1) << (field % 64);
	}
}

void recipe_set_computed(struct recipe *recipe)
{
	recipe->computed[0] = 0;
	recipe->computed[1] = 0;
	compute(recipe, RULE_RAW, FIELD_raw);
	compute(recipe, RULE_EXTRA, FIELD_extra);
	compute(recipe, RULE_TABLE, FIELD_table);
	compute(recipe, RULE_STATEMENT_ID, FIELD_statement_id);
	compute(recipe, RULE_STATEMENT_LEAF, FIELD_statement_leaf);
	compute(recipe, RULE_REQUEST_LEAF, FIELD_request_leaf);
}
