#include "base/wire.h"
#include "store/block/shape-escape.h"
#include "store/block/shape-form.h"
#include "store/block/shape-time.h"

#define SAVE_VERSION 1
#define NAME_BYTES   160
#define NUMBER_BIT   0x80
#define TEXT_BYTES   (1u << 20)

static void put_place(const struct place *place, struct buf *out)
{
	wire_put_u8(out, place->form);
	wire_put_u8(out, place->style);
	wire_put_u8(out, place->field);
	wire_put_u8(out, place->width);
	wire_put_u8(out, place->flags);
	wire_put_block(out, place->before);
	wire_put_block(out, place->prefix);
	wire_put_u8(out, place->has_absent);
	if (place->has_absent) {
		wire_put_block(out, place->absent);
	}
	if (form_has_own(place)) {
		wire_put_varint(out, place->name);
	}
	wire_put_varint(out, place->other == NO_NAME ? 0 : (uint64_t)place->other + 1);
}

static void put_recipe(const struct recipe *recipe, struct buf *out)
{
	wire_put_u8(out, (uint8_t)recipe->kind);
	wire_put_u8(out, recipe->rules);
	wire_put_u8(out, recipe->key_rule);
	for (size_t i = 0; recipe->key_rule == KEY_EVENT && i < KEY_NUMBERS; i++) {
		wire_put_varint(out, recipe->key_name[i]);
	}
	wire_put_varint(out, recipe->place_count);
	for (size_t i = 0; i < recipe->place_count; i++) {
		put_place(&recipe->places[i], out);
	}
	wire_put_block(out, recipe->last);
	wire_put_varint(out, recipe->item_count);
	for (size_t i = 0; i < recipe->item_count; i++) {
		const struct item *item = &recipe->items[i];
		wire_put_block(out, item->key);
		wire_put_u8(out, item->form);
		wire_put_varint(out, item->form == ITEM_OWN ? item->name : item->place);
	}
	if (recipe->item_count > 0) {
		wire_put_varint(out, recipe->mask_name);
	}
}

void shapes_save(const struct shapes *shapes, struct buf *out)
{
	wire_put_u8(out, SAVE_VERSION);
	wire_put_varint(out, shapes->name_count);
	for (size_t i = 0; i < shapes->name_count; i++) {
		const struct slot_name *name = &shapes->names[i];
		wire_put_u8(out,
			    (uint8_t)((unsigned)name->kind | (name->is_number ? NUMBER_BIT : 0)));
		wire_put_block(out, name->text);
	}
	wire_put_varint(out, shapes->count - 1);
	for (size_t i = 1; i < shapes->count; i++) {
		put_recipe(&shapes->recipes[i], out);
	}
}

struct restoring {
	struct shapes *shapes;
	struct wire_reader reader;
	const char *wrong;
	bool out_of_memory;
};

static void check(struct restoring *restoring, bool is_so, const char *wrong)
{
	if (!is_so && restoring->wrong == NULL) {
		restoring->wrong = wrong;
	}
}

static bool goes_well(const struct restoring *restoring)
{
	return restoring->wrong == NULL && !restoring->reader.failed && !restoring->out_of_memory;
}

static bool is_kind(uint8_t kind)
{
	return kind >= RECORD_REQUEST && kind < RECORD_KIND_COUNT;
}

static struct str get_text(struct restoring *restoring)
{
	struct str text = wire_block(&restoring->reader, TEXT_BYTES);
	if (arena_str(&restoring->shapes->arena, text, &text) != 0) {
		restoring->out_of_memory = true;
		return (struct str){0};
	}
	return text;
}

static void get_names(struct restoring *restoring)
{
	uint64_t count = wire_varint(&restoring->reader);
	check(restoring, count <= SHAPE_NAMES_MAX, "too many names");
	for (uint64_t i = 0; i < count && goes_well(restoring); i++) {
		uint8_t first = wire_u8(&restoring->reader);
		struct str text = wire_block(&restoring->reader, NAME_BYTES);
		bool is_number = (first & NUMBER_BIT) != 0;
		uint8_t kind = first & (NUMBER_BIT - 1);
		check(restoring, is_kind(kind) && text.len > 0, "a name of no kind");
		if (goes_well(restoring)) {
			check(restoring,
			      names_add(restoring->shapes, (enum record_kind)kind, is_number,
					text) == i,
			      "a name twice");
		}
	}
}

/* A name that a slot of this kind and type may have. */
static uint32_t get_name(struct restoring *restoring, const struct recipe *recipe, bool is_number,
			 uint64_t less)
{
	const struct shapes *shapes = restoring->shapes;
	uint64_t name = wire_varint(&restoring->reader) - less;
	bool known = name < shapes->name_count && shapes->names[name].kind == recipe->kind &&
		     shapes->names[name].is_number == is_number;
	check(restoring, known, "a slot without its name");
	return known ? (uint32_t)name : NO_NAME;
}

enum source { SOURCE_NONE, SOURCE_TEXT, SOURCE_NUMBER };

/* What kind of field a form takes its value from. */
static enum source source_of(unsigned form)
{
	switch (form) {
	case FORM_TEXT:
	case FORM_BARE:
	case FORM_TAIL:
	case FORM_PIECE:
		return SOURCE_TEXT;
	case FORM_NUMBER:
	case FORM_BOOL:
	case FORM_ROWS:
		return SOURCE_NUMBER;
	default:
		return SOURCE_NONE;
	}
}

/* Whether a place may take a value from its field. */
static bool field_is_source(const struct place *place, enum record_kind kind)
{
	enum source source = source_of(place->form);
	if (source == SOURCE_NONE || place->field == 0 || place->field >= FIELD_LIMIT) {
		return source == SOURCE_NONE && place->field == 0;
	}
	const struct field_info *info = field_info(place->field);
	if (info->name == NULL || (info->kinds >> kind & 1) == 0) {
		return false;
	}
	if (source == SOURCE_NUMBER) {
		return info->type == FIELD_TYPE_INT || info->type == FIELD_TYPE_BOOL;
	}
	bool in_pieces =
		place->field == FIELD_statement || place->field == FIELD_additional_information;
	bool computed = place->field == FIELD_extra || place->field == FIELD_table ||
			place->field == FIELD_statement_id;
	return info->type == FIELD_TYPE_TEXT && !computed &&
	       (place->form != FORM_PIECE || in_pieces);
}

static void get_place(struct restoring *restoring, const struct recipe *recipe,
		      struct place *out_place)
{
	struct wire_reader *reader = &restoring->reader;
	struct place place = {.name = NO_NAME, .other = NO_NAME};
	place.form = wire_u8(reader);
	place.style = wire_u8(reader);
	place.field = wire_u8(reader);
	place.width = wire_u8(reader);
	place.flags = wire_u8(reader);
	check(restoring, place.form < FORM_COUNT && place.style < ESCAPE_STYLES, "an unknown form");
	check(restoring, place.flags < 32 && (place.form != FORM_ISO || place.width <= 9),
	      "an unknown form");
	check(restoring, goes_well(restoring) && field_is_source(&place, recipe->kind),
	      "a form of no field");
	place.before = get_text(restoring);
	place.prefix = get_text(restoring);
	uint8_t has_absent = wire_u8(reader);
	check(restoring, has_absent <= 1, "an unknown form");
	place.has_absent = has_absent == 1;
	if (place.has_absent) {
		place.absent = get_text(restoring);
	}
	if (form_has_own(&place)) {
		place.name = get_name(restoring, recipe, form_own_is_number(&place), 0);
	}
	if (goes_well(restoring) && reader->pos < reader->len && reader->ptr[reader->pos] == 0) {
		(void)wire_u8(reader); /* no other; it is 0 */
	} else {
		place.other = get_name(restoring, recipe, false, 1);
	}
	*out_place = place;
}

/* Reads a count and makes room for as many. */
static void *get_count(struct restoring *restoring, size_t max, size_t size, size_t *out_count)
{
	uint64_t count = wire_varint(&restoring->reader);
	check(restoring, count <= max, "too many parts");
	if (!goes_well(restoring)) {
		return NULL;
	}
	*out_count = (size_t)count;
	void *items = arena_calloc(&restoring->shapes->arena, *out_count + 1, size);
	restoring->out_of_memory = items == NULL;
	return items;
}

static void get_items(struct restoring *restoring, struct recipe *recipe)
{
	recipe->items =
		get_count(restoring, ITEMS_MAX, sizeof recipe->items[0], &recipe->item_count);
	for (size_t i = 0; i < recipe->item_count && goes_well(restoring); i++) {
		struct item *item = &recipe->items[i];
		item->key = get_text(restoring);
		item->form = wire_u8(&restoring->reader);
		item->name = NO_NAME;
		check(restoring, item->form < ITEM_FORMS, "an unknown form");
		if (item->form == ITEM_OWN) {
			item->name = get_name(restoring, recipe, false, 0);
		} else {
			uint64_t place = wire_varint(&restoring->reader);
			check(restoring, place < recipe->place_count, "an item of no place");
			item->place = (uint8_t)place;
		}
	}
	recipe->mask_name = NO_NAME;
	if (goes_well(restoring) && recipe->item_count > 0) {
		recipe->mask_name = get_name(restoring, recipe, true, 0);
	}
}

/* Whether the rules are those that a kind may have. */
static bool rules_are_allowed(const struct recipe *recipe)
{
	unsigned with_raw = 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT | 1u << RECORD_REJECT;
	unsigned allowed = RULE_MARK;
	unsigned keys = 1u << KEY_KEPT;
	if ((with_raw >> recipe->kind & 1) != 0) {
		allowed |= RULE_RAW | RULE_EXTRA;
		keys |= 1u << KEY_LINE | 1u << KEY_FOLDED | 1u << KEY_EVENT;
	}
	if (recipe->kind == RECORD_STATEMENT) {
		allowed |= RULE_TABLE | RULE_STATEMENT_ID;
		keys |= 1u << KEY_ROW;
	} else if (recipe->kind == RECORD_VERDICT) {
		allowed |= RULE_STATEMENT_ID | RULE_STATEMENT_LEAF | RULE_REQUEST_LEAF | RULE_TIME;
		keys |= 1u << KEY_VERDICT;
	}
	return (recipe->rules & ~allowed) == 0 && recipe->key_rule < KEY_RULES &&
	       (keys >> recipe->key_rule & 1) != 0;
}

static void get_recipe(struct restoring *restoring)
{
	struct wire_reader *reader = &restoring->reader;
	struct recipe recipe = {.mask_name = NO_NAME};
	uint32_t names[SHAPE_SLOTS_MAX];
	bool is_number[SHAPE_SLOTS_MAX];
	uint8_t kind = wire_u8(reader);
	check(restoring, is_kind(kind), "a shape of no kind");
	recipe.kind = (enum record_kind)kind;
	recipe.rules = wire_u8(reader);
	recipe.key_rule = wire_u8(reader);
	check(restoring, goes_well(restoring) && rules_are_allowed(&recipe), "an unknown rule");
	for (size_t i = 0; i < KEY_NUMBERS; i++) {
		recipe.key_name[i] = recipe.key_rule == KEY_EVENT && goes_well(restoring)
					     ? get_name(restoring, &recipe, true, 0)
					     : NO_NAME;
	}
	recipe.places =
		get_count(restoring, PLACES_MAX, sizeof recipe.places[0], &recipe.place_count);
	for (size_t i = 0; i < recipe.place_count && goes_well(restoring); i++) {
		get_place(restoring, &recipe, &recipe.places[i]);
	}
	recipe.last = get_text(restoring);
	get_items(restoring, &recipe);
	bool raw = (recipe.rules & RULE_RAW) != 0;
	check(restoring, raw || recipe.place_count == 0, "places without raw");
	check(restoring, (recipe.rules & RULE_EXTRA) != 0 || recipe.item_count == 0,
	      "items without extra");
	if (!goes_well(restoring)) {
		return;
	}
	recipe_set_computed(&recipe);
	check(restoring, recipe_slots(restoring->shapes, &recipe, names, is_number) != SIZE_MAX,
	      "too many slots");
	recipe.family = restoring->shapes->count; /* nothing goes on from it */
	if (goes_well(restoring) && shapes_add(restoring->shapes, &recipe) == 0) {
		restoring->out_of_memory = true;
	}
}

int shapes_restore(struct shapes *shapes, struct str bytes, struct error *err)
{
	struct restoring restoring = {.shapes = shapes, .reader = wire_reader(bytes)};
	check(&restoring, wire_u8(&restoring.reader) == SAVE_VERSION, "an unknown version");
	if (goes_well(&restoring)) {
		get_names(&restoring);
	}
	uint64_t count = goes_well(&restoring) ? wire_varint(&restoring.reader) : 0;
	check(&restoring, count < SHAPES_MAX, "too many shapes");
	for (uint64_t i = 0; i < count && goes_well(&restoring); i++) {
		get_recipe(&restoring);
	}
	check(&restoring, restoring.reader.failed || wire_left(&restoring.reader) == 0,
	      "bytes left over");
	if (restoring.out_of_memory) {
		return error_set(err, ERR_NOMEM, "no memory for shapes");
	}
	if (restoring.reader.failed || restoring.wrong != NULL) {
		return error_set(err, ERR_CORRUPT, "the shapes have %s, at byte %zu of %zu",
				 restoring.wrong != NULL ? restoring.wrong : "too few bytes",
				 restoring.reader.pos, bytes.len);
	}
	return 0;
}
