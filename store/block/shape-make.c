#include "store/block/shape-fit.h"
#include "store/block/shape-form.h"
#include "store/block/shape-link.h"
#include "store/block/shape-rule.h"
#include "store/block/shape-token.h"

#define YOUNG      64  /* records that a recipe must have fitted until exceptions are exceptions */
#define WORDS_MAX  256 /* recipes of lines that are no JSON: such lines are too unlike to go on */
#define FIXED_MAX  (1u << 20) /* fixed text of all recipes: past that what is new is kept as it is */
#define FAMILY_MAX 24         /* recipes of one skeleton until everything may be an exception */

struct making {
	struct fitting *fitting;
	struct token_cut cut;
	const struct recipe *old; /* of the same skeleton, or NULL */
	struct recipe *recipe;
	bool general;
};

static uint64_t family_of(const struct token_cut *cut, enum record_kind kind)
{
	static const struct hash_key fixed_key = {0};
	uint64_t hash = hash_u64((uint64_t)kind << 32 | cut->count);
	for (size_t i = 0; i < cut->count; i++) {
		hash = hash_u64(hash ^ hash_bytes(&fixed_key, cut->place[i].before));
	}
	return cut->count > 0 ? hash_u64(hash ^ hash_bytes(&fixed_key, cut->last)) : hash;
}

static void make_place(struct making *making, size_t i, size_t pos)
{
	struct fitting *fitting = making->fitting;
	struct place *place = &making->recipe->places[i];
	*place = making->cut.place[i];
	if (making->old != NULL && i < making->old->place_count) {
		struct token token;
		size_t end = pos;
		*place = making->old->places[i];
		place->key = making->cut.place[i].key;
		size_t slot_count = fitting->fit->slot_count;
		const size_t pieces[2] = {fitting->piece[0], fitting->piece[1]};
		bool fits = place_fits(fitting, place, &end, &token) &&
			    token.len == making->cut.token[i].len;
		fitting->fit->slot_count = slot_count;
		memcpy(fitting->piece, pieces, sizeof pieces);
		if (!fits) {
			link_again(fitting, place, pos,
				   making->old->fit_count < YOUNG && !making->general);
		}
	} else {
		link_place(fitting, place, pos, making->cut.is_json);
	}
	bool universal = place->form == FORM_OWN_TEXT || place->form == FORM_OWN_BARE;
	if (universal) {
		place->other = NO_NAME;
	} else if (making->general) {
		place->other = 0; /* any number: it is wanted */
	}
}

/* key, and as often as it is taken in this recipe a tilde; then the mark. */
static uint32_t name_of(struct making *making, struct str key, const char *mark, bool is_number,
			size_t before)
{
	struct shapes *shapes = making->fitting->shapes;
	char text[160];
	uint32_t name = NO_NAME;
	bool taken = true;
	for (unsigned tildes = 0; taken && tildes < 16; tildes++) {
		struct buf out = {
			.ptr = text, .capacity = sizeof text, .max_bytes = sizeof text - 1};
		buf_put_text(&out, record_kind_name(making->recipe->kind));
		buf_put_byte(&out, '.');
		buf_put_str(&out, str_slice(key, 0, 96));
		buf_put_fill(&out, '~', tildes);
		buf_put_text(&out, mark);
		name = names_add(shapes, making->recipe->kind, is_number, buf_str(&out));
		taken = name == NO_NAME;
		for (size_t i = 0; i < before && !taken; i++) {
			const struct place *place = &making->recipe->places[i];
			taken = place->name == name || place->other == name;
		}
	}
	return taken ? NO_NAME : name;
}

/* Gives the places their names. False: there are too many. */
static bool name_places(struct making *making)
{
	struct recipe *recipe = making->recipe;
	bool ok = true;
	for (size_t i = 0; i < recipe->place_count && ok; i++) {
		struct place *place = &recipe->places[i];
		bool wants_other = place->other != NO_NAME;
		bool is_number = form_own_is_number(place);
		place->name = NO_NAME;
		place->other = NO_NAME;
		if (form_has_own(place)) {
			place->name =
				name_of(making, place->key, is_number ? "#" : "", is_number, i);
			ok = place->name != NO_NAME;
		}
		if (wants_other && ok) {
			place->other = name_of(making, place->key, "?", false, i);
			ok = place->other != NO_NAME;
		}
	}
	return ok;
}

static bool make_raw(struct making *making)
{
	struct recipe *recipe = making->recipe;
	size_t count = making->cut.count;
	size_t pos = 0;
	recipe->places = arena_alloc(making->fitting->arena, count * sizeof recipe->places[0]);
	if (recipe->places == NULL) {
		return false;
	}
	fit_begin(making->fitting);
	for (size_t i = 0; i < count; i++) {
		struct token token = making->cut.token[i];
		make_place(making, i, pos);
		size_t end = pos;
		/* only for the pieces: they go on where the last one ends */
		if (recipe->places[i].form == FORM_PIECE) {
			(void)place_fits(making->fitting, &recipe->places[i], &end, &token);
		}
		making->fitting->token[i] = making->cut.token[i];
		pos = (size_t)making->cut.token[i].start + making->cut.token[i].len;
	}
	recipe->place_count = count;
	recipe->last = making->cut.last;
	recipe->rules |= RULE_RAW;
	return name_places(making);
}

static bool make_extra(struct making *making)
{
	struct recipe *recipe = making->recipe;
	if (!extra_make(making->fitting, making->old, recipe)) {
		recipe->item_count = 0;
		return false;
	}
	for (size_t i = 0; i < recipe->item_count; i++) {
		struct item *item = &recipe->items[i];
		item->name = NO_NAME;
		if (item->form == ITEM_OWN) {
			item->name = name_of(making, str_slice(item->key, 1, item->key.len - 3),
					     "+", false, 0);
		}
		if (item->form == ITEM_OWN && item->name == NO_NAME) {
			recipe->item_count = 0;
			return false;
		}
	}
	recipe->mask_name =
		recipe->item_count > 0 ? name_of(making, STR_LIT("extra"), "#", true, 0) : NO_NAME;
	recipe->rules |= RULE_EXTRA;
	return true;
}

static void make_rules(struct making *making)
{
	struct recipe *recipe = making->recipe;
	for (unsigned rule = RULE_TABLE; rule <= RULE_TIME; rule <<= 1) {
		bool had = making->old == NULL || (making->old->rules & rule) != 0;
		bool fits = rule != RULE_TABLE || recipe->kind == RECORD_STATEMENT;
		fits = fits && rule_fits(rule, making->fitting->record, making->fitting->links);
		recipe->rules |= had && fits ? (uint8_t)rule : 0;
	}
}

static void make_key(struct making *making)
{
	struct recipe *recipe = making->recipe;
	static const char *const names[KEY_NUMBERS] = {"key at", "key taken", "key rest",
						       "key index"};
	bool named = making->fitting->record->key.len == 26;
	for (unsigned i = 0; named && i < KEY_NUMBERS; i++) {
		recipe->key_name[i] = name_of(making, str_of(names[i]), "#", true, 0);
		named = recipe->key_name[i] != NO_NAME;
	}
	for (unsigned rule = KEY_LINE; rule < KEY_RULES; rule++) {
		for (unsigned mark = 0; mark <= RULE_MARK; mark += RULE_MARK) {
			fit_begin(making->fitting);
			recipe->key_rule = (uint8_t)rule;
			recipe->rules = (uint8_t)((recipe->rules & 0x7fu) | mark);
			if ((rule != KEY_EVENT || named) &&
			    (rule != KEY_VERDICT || recipe->kind == RECORD_VERDICT) &&
			    key_fits(making->fitting, recipe)) {
				return;
			}
		}
	}
	recipe->rules &= 0x7f; /* without RULE_MARK */
	recipe->key_rule = KEY_KEPT;
}

static bool check(struct making *making)
{
	uint32_t names[SHAPE_SLOTS_MAX];
	bool is_number[SHAPE_SLOTS_MAX];
	recipe_set_computed(making->recipe);
	return recipe_slots(making->fitting->shapes, making->recipe, names, is_number) !=
		       SIZE_MAX &&
	       recipe_fits(making->fitting, making->recipe);
}

static void drop_raw(struct recipe *recipe)
{
	recipe->place_count = 0;
	recipe->last = (struct str){0};
	recipe->rules &= (uint8_t)~RULE_RAW;
}

static void drop_extra(struct recipe *recipe)
{
	recipe->item_count = 0;
	recipe->rules &= (uint8_t)~RULE_EXTRA;
}

/* Copies what the recipe borrows into the arena of the shapes. */
static bool keep(struct shapes *shapes, struct recipe *recipe)
{
	struct place *places =
		arena_calloc(&shapes->arena, recipe->place_count + 1, sizeof places[0]);
	struct item *items = arena_calloc(&shapes->arena, recipe->item_count + 1, sizeof items[0]);
	bool ok = places != NULL && items != NULL &&
		  arena_str(&shapes->arena, recipe->last, &recipe->last) == 0;
	for (size_t i = 0; ok && i < recipe->place_count; i++) {
		places[i] = recipe->places[i];
		ok = arena_str(&shapes->arena, places[i].before, &places[i].before) == 0 &&
		     arena_str(&shapes->arena, places[i].prefix, &places[i].prefix) == 0 &&
		     arena_str(&shapes->arena, places[i].key, &places[i].key) == 0 &&
		     arena_str(&shapes->arena, places[i].absent, &places[i].absent) == 0;
	}
	for (size_t i = 0; ok && i < recipe->item_count; i++) {
		items[i] = recipe->items[i];
		ok = arena_str(&shapes->arena, items[i].key, &items[i].key) == 0;
	}
	recipe->places = places;
	recipe->items = items;
	return ok;
}

/* The members of the family one after the other; *out_count: how many there are. */
static uint32_t try_family(struct fitting *fitting, uint64_t family, uint32_t *out_newest,
			   size_t *out_count)
{
	struct shapes *shapes = fitting->shapes;
	uint64_t *newest = u64map_get(&shapes->families, family);
	*out_newest = newest != NULL ? (uint32_t)*newest : 0;
	*out_count = 0;
	for (uint32_t at = *out_newest; at != 0; at = shapes->recipes[at].before) {
		(*out_count)++;
		if (recipe_fits(fitting, &shapes->recipes[at])) {
			return at;
		}
	}
	return 0;
}

static bool make(struct making *making)
{
	struct recipe *recipe = making->recipe;
	bool has_raw = making->cut.count > 0;
	if (has_raw && !make_raw(making)) {
		drop_raw(recipe);
	}
	bool has_extra = record_has(making->fitting->record, FIELD_extra);
	bool may_compute = making->old == NULL || (making->old->rules & RULE_EXTRA) != 0;
	if ((recipe->rules & RULE_RAW) != 0 && (may_compute || !making->general) &&
	    (has_extra || may_compute) && !make_extra(making)) {
		drop_extra(recipe);
	}
	make_rules(making);
	make_key(making);
	if (check(making)) {
		return true;
	}
	drop_extra(recipe);
	if (check(making)) {
		return true;
	}
	drop_raw(recipe);
	return check(making);
}

/* Whether no more lines of this kind are to be cut. */
static bool has_had_enough(const struct shapes *shapes, const struct token_cut *cut)
{
	return cut->count > 0 && (shapes->skeleton_bytes > FIXED_MAX ||
				  (!cut->is_json && shapes->word_count >= WORDS_MAX));
}

/* Makes the recipe and adds it; 0: it says nothing, or there is no room. */
static uint32_t make_and_add(struct making *making)
{
	struct shapes *shapes = making->fitting->shapes;
	struct recipe *recipe = making->recipe;
	for (unsigned i = 0; i < KEY_NUMBERS; i++) {
		recipe->key_name[i] = NO_NAME;
	}
	if (!make(making) || !keep(shapes, recipe) ||
	    (recipe->rules == 0 && recipe->key_rule == KEY_KEPT)) {
		return 0;
	}
	shapes->word_count += recipe->place_count > 0 && !making->cut.is_json;
	for (size_t i = 0; i < recipe->place_count; i++) {
		shapes->skeleton_bytes += recipe->places[i].before.len;
	}
	return shapes_add(shapes, recipe);
}

/* Finds the recipe among those with the skeleton of the cut, or makes it. */
static uint32_t find_or_make(struct making *making)
{
	struct shapes *shapes = making->fitting->shapes;
	uint32_t newest;
	size_t family_count;
	making->recipe->family = family_of(&making->cut, making->recipe->kind);
	uint32_t found =
		try_family(making->fitting, making->recipe->family, &newest, &family_count);
	if (found != 0 || shapes->count == SHAPES_MAX || family_count >= 2 * FAMILY_MAX ||
	    has_had_enough(shapes, &making->cut)) {
		return found;
	}
	making->old = newest != 0 ? &shapes->recipes[newest] : NULL;
	making->general = family_count >= FAMILY_MAX;
	return make_and_add(making);
}

uint32_t recipe_find(struct fitting *fitting)
{
	const struct record *record = fitting->record;
	struct making *making = arena_alloc(fitting->arena, sizeof *making);
	struct recipe recipe = {.kind = record->kind, .mask_name = NO_NAME};
	if (making == NULL) {
		return 0;
	}
	*making = (struct making){.fitting = fitting, .recipe = &recipe};
	bool csv = recipe.kind == RECORD_STATEMENT;
	if (record_has(record, FIELD_raw) &&
	    token_cut(record_text(record, FIELD_raw), csv, fitting->arena, &making->cut)) {
		uint32_t found = find_or_make(making);
		if (found != 0 || !has_had_enough(fitting->shapes, &making->cut)) {
			return found;
		}
		recipe = (struct recipe){.kind = record->kind, .mask_name = NO_NAME};
	}
	making->cut.count = 0; /* raw is kept; the rules are for it still */
	return find_or_make(making);
}
