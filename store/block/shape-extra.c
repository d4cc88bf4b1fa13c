#include "base/json.h"
#include "store/block/shape-escape.h"
#include "store/block/shape-fit.h"
#include "store/block/shape-token.h"

#define LONG_ENOUGH 8 /* a value of so many bytes is no chance equality */

static struct str inner_of(struct str token)
{
	bool quoted = token.len >= 2 && token.ptr[0] == '"';
	return quoted ? str_slice(token, 1, token.len - 2) : token;
}

/* A string in our own escapes. */
static bool put_string(struct str token, struct arena *arena, struct buf *out)
{
	struct str text;
	if (escape_is_plain(inner_of(token))) {
		buf_put_str(out, token);
		return true;
	}
	if (!token_text(token, arena, &text)) {
		return false;
	}
	json_put_string(out, text);
	return true;
}

bool item_put(const struct item *item, struct str token, struct arena *arena, struct buf *out)
{
	bool quoted = token.len >= 2 && token.ptr[0] == '"';
	switch ((enum item_form)item->form) {
	case ITEM_STRING:
		if (quoted) {
			return put_string(token, arena, out);
		}
		json_put_string(out, token);
		return true;
	case ITEM_VALUE:
		if (quoted) {
			return put_string(token, arena, out);
		}
		buf_put_str(out, token);
		return true;
	case ITEM_INNER:
		buf_put_str(out, inner_of(token));
		return quoted;
	case ITEM_OWN:
	case ITEM_FORMS:
		break;
	}
	return false;
}

static bool is_one_of(struct str text, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (str_is(text, words[i])) {
			return true;
		}
	}
	return false;
}

bool item_expected(const struct item *item, struct str token)
{
	static const char *const unset[] = {"", "-", "(none)", "null", NULL};
	static const char *const nothing[] = {"", "null", "0", "false", "0x", NULL};
	if (item->form == ITEM_OWN) {
		return false;
	}
	return token.len < LONG_ENOUGH + 2
		       ? !is_one_of(inner_of(token), item->form == ITEM_STRING ? unset : nothing)
		       : !(item->form == ITEM_STRING && str_is(token, "\"(none)\""));
}

struct extra_walk {
	struct str extra;
	size_t pos;
	bool any;
};

/* Whether the item stands next; moves behind its key. */
static bool walk_key(struct extra_walk *walk, const struct item *item)
{
	struct str rest = str_slice(walk->extra, walk->pos, walk->extra.len);
	if (rest.len < item->key.len + 2 || rest.ptr[0] != (walk->any ? ',' : '{') ||
	    memcmp(rest.ptr + 1, item->key.ptr, item->key.len) != 0) {
		return false;
	}
	walk->pos += 1 + item->key.len;
	walk->any = true;
	return true;
}

/* Whether the item's value stands next; moves behind it. */
static bool walk_value(struct fitting *fitting, struct extra_walk *walk, const struct item *item,
		       struct str token)
{
	struct buf *scratch = &fitting->shapes->scratch;
	struct str rest = str_slice(walk->extra, walk->pos, walk->extra.len);
	buf_clear(scratch);
	if (!item_put(item, token, fitting->arena, scratch) || scratch->failed ||
	    !str_has_prefix(rest, buf_str(scratch))) {
		return false;
	}
	walk->pos += scratch->len;
	return true;
}

/* An item with bytes of its own. */
static bool walk_own(struct fitting *fitting, struct extra_walk *walk, const struct item *item,
		     bool there)
{
	size_t len = there ? token_len(walk->extra, walk->pos) : 0;
	fit_text(fitting, item->name, str_slice(walk->extra, walk->pos, len));
	walk->pos += len;
	return !there || len > 0;
}

bool extra_fits(struct fitting *fitting, const struct recipe *recipe)
{
	const struct record *record = fitting->record;
	struct str raw = record_text(record, FIELD_raw);
	struct extra_walk walk = {.extra = record_text(record, FIELD_extra)};
	uint64_t mask = 0;
	size_t mask_slot = fitting->fit->slot_count;
	if (recipe->item_count > 0) {
		fit_number(fitting, recipe->mask_name, 0);
	}
	for (size_t i = 0; i < recipe->item_count; i++) {
		const struct item *item = &recipe->items[i];
		struct str token = {0};
		bool there = walk_key(&walk, item);
		if (item->form == ITEM_OWN) {
			if (!walk_own(fitting, &walk, item, there)) {
				return false;
			}
		} else {
			token = token_str(raw, fitting->token[item->place]);
			if (there && !walk_value(fitting, &walk, item, token)) {
				return false;
			}
		}
		mask |= (uint64_t)(there != item_expected(item, token)) << i;
	}
	if (recipe->item_count > 0 && mask_slot < fitting->fit->slot_count) {
		fitting->fit->slot[mask_slot].number = (int64_t)mask;
	}
	if (!walk.any) {
		return !record_has(record, FIELD_extra);
	}
	return str_equal(str_slice(walk.extra, walk.pos, walk.extra.len), STR_LIT("}"));
}

/* The letter or digit that ends the name before *io_end, in lower case; 0: there is none. */
static char last_letter(struct str name, size_t *io_end)
{
	while (*io_end > 0) {
		char byte = name.ptr[--*io_end];
		char lower = (char)(byte | 0x20);
		if ((lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9')) {
			return byte >= 'A' ? lower : byte;
		}
	}
	return 0;
}

/* Whether two names are the same word, or one ends the other: "identity.caller" and "caller", "integrationLatency" and
 * "integration.latency". */
static bool names_alike(struct str a, struct str b)
{
	size_t a_end = a.len;
	size_t b_end = b.len;
	char a_byte;
	char b_byte;
	do {
		a_byte = last_letter(a, &a_end);
		b_byte = last_letter(b, &b_end);
	} while (a_byte == b_byte && a_byte != 0);
	return a.len > 0 && b.len > 0 && (a_byte == 0 || b_byte == 0);
}

static bool gives(struct fitting *fitting, unsigned form, struct str token, struct str value)
{
	struct buf *scratch = &fitting->shapes->scratch;
	const struct item item = {.form = (uint8_t)form};
	buf_clear(scratch);
	return item_put(&item, token, fitting->arena, scratch) &&
	       str_equal(buf_str(scratch), value);
}

/* The form in which the token gives the value, ITEM_FORMS: none. */
static unsigned form_of(struct fitting *fitting, struct str token, struct str value)
{
	/* of two that give the same, the one that expects rightly: access logs have strings alone */
	static const uint8_t forms[2][3] = {{ITEM_VALUE, ITEM_INNER, ITEM_STRING},
					    {ITEM_STRING, ITEM_VALUE, ITEM_INNER}};
	const uint8_t *order = forms[fitting->record->kind == RECORD_REQUEST];
	for (unsigned i = 0; i < 3; i++) {
		if (gives(fitting, order[i], token, value)) {
			return order[i];
		}
	}
	return ITEM_FORMS;
}

/* Finds the token that gives the value: under the same name, else by a value long enough. */
static void find_place(struct fitting *fitting, const struct recipe *recipe, struct str value,
		       struct item *io_item)
{
	struct str raw = record_text(fitting->record, FIELD_raw);
	struct str name = str_slice(io_item->key, 1, io_item->key.len - 3);
	bool by_name = false;
	for (size_t i = 0; i < recipe->place_count && !by_name; i++) {
		struct str token = token_str(raw, fitting->token[i]);
		bool alike = names_alike(recipe->places[i].key, name);
		if (!alike && (io_item->form != ITEM_OWN || value.len < LONG_ENOUGH)) {
			continue;
		}
		unsigned form = form_of(fitting, token, value);
		if (form != ITEM_FORMS) {
			io_item->form = (uint8_t)form;
			io_item->place = (uint8_t)i;
			by_name = alike;
		}
	}
}

struct item_list {
	struct item item[ITEMS_MAX];
	size_t count;
};

/* Where an item with this key stands at or behind from; SIZE_MAX: nowhere. */
static size_t find_item(const struct item_list *list, size_t from, struct str key)
{
	for (size_t i = from; i < list->count; i++) {
		if (str_equal(list->item[i].key, key)) {
			return i;
		}
	}
	return SIZE_MAX;
}

/* Takes one member; *io_at is where the next one may stand. */
static bool take_member(struct fitting *fitting, const struct recipe *recipe,
			struct item_list *list, size_t *io_at, struct extra_walk *walk)
{
	struct str rest = str_slice(walk->extra, walk->pos + 1, walk->extra.len);
	size_t key_len = token_len(rest, 0);
	if (key_len < 2 || rest.ptr[0] != '"' || key_len >= rest.len || rest.ptr[key_len] != ':') {
		return false;
	}
	struct item item = {
		.key = str_slice(rest, 0, key_len + 1), .form = ITEM_OWN, .name = NO_NAME};
	size_t len = token_len(rest, key_len + 1);
	struct str value = str_slice(rest, key_len + 1, len);
	walk->pos += 1 + key_len + 1 + len;
	size_t known = find_item(list, *io_at, item.key);
	if (known == SIZE_MAX) {
		if (list->count == ITEMS_MAX || len == 0) {
			return false;
		}
		find_place(fitting, recipe, value, &item);
		known = *io_at;
		memmove(list->item + known + 1, list->item + known,
			(list->count - known) * sizeof item);
		list->item[known] = item;
		list->count++;
	} else if (list->item[known].form != ITEM_OWN) {
		struct str raw = record_text(fitting->record, FIELD_raw);
		struct str token = token_str(raw, fitting->token[list->item[known].place]);
		if (!gives(fitting, list->item[known].form, token, value)) {
			list->item[known].form = ITEM_OWN; /* it does not follow always */
		}
	}
	*io_at = known + 1;
	return true;
}

bool extra_make(struct fitting *fitting, const struct recipe *old, struct recipe *io_recipe)
{
	struct item_list list = {.count = 0};
	struct extra_walk walk = {.extra = record_text(fitting->record, FIELD_extra)};
	size_t at = 0;
	if (old != NULL && (old->rules & RULE_EXTRA) != 0 && old->item_count > 0) {
		memcpy(list.item, old->items, old->item_count * sizeof old->items[0]);
		list.count = old->item_count;
	}
	while (walk.pos < walk.extra.len &&
	       walk.extra.ptr[walk.pos] == (walk.pos > 0 ? ',' : '{')) {
		if (!take_member(fitting, io_recipe, &list, &at, &walk)) {
			return false;
		}
	}
	io_recipe->items = arena_alloc(fitting->arena, (list.count + 1) * sizeof list.item[0]);
	if (io_recipe->items == NULL) {
		return false;
	}
	memcpy(io_recipe->items, list.item, list.count * sizeof list.item[0]);
	io_recipe->item_count = list.count;
	return walk.extra.len == 0 ||
	       str_equal(str_slice(walk.extra, walk.pos, walk.extra.len), STR_LIT("}"));
}
