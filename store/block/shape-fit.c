#include "store/block/shape-fit.h"

#include "store/block/shape-escape.h"
#include "store/block/shape-form.h"
#include "store/block/shape-rule.h"
#include "store/block/shape-token.h"

void fit_begin(struct fitting *fitting)
{
	fitting->fit->slot_count = 0;
	fitting->piece[0] = 0;
	fitting->piece[1] = 0;
}

void fit_number(struct fitting *fitting, uint32_t name, int64_t number)
{
	struct shape_fit *fit = fitting->fit;
	if (name == NO_NAME || fit->slot_count == SHAPE_SLOTS_MAX) {
		return;
	}
	fit->slot[fit->slot_count].name = name;
	fit->slot[fit->slot_count].is_number = true;
	fit->slot[fit->slot_count++].number = number;
}

void fit_text(struct fitting *fitting, uint32_t name, struct str text)
{
	struct shape_fit *fit = fitting->fit;
	if (name == NO_NAME || fit->slot_count == SHAPE_SLOTS_MAX) {
		return;
	}
	fit->slot[fit->slot_count].name = name;
	fit->slot[fit->slot_count].is_number = false;
	fit->slot[fit->slot_count++].text = text;
}

/* Whether a text that stands for itself, in quotes, is what rest begins with: most tokens are, and need not be rendered. */
static bool plain_gives(const struct place *place, const struct record *record, struct str rest,
			size_t *out_len)
{
	if (place->form != FORM_TEXT || place->style >= ESCAPE_PLAIN || place->prefix.len > 0 ||
	    place->width > 0 || !record_has(record, place->field)) {
		return false;
	}
	struct str text = record->value[place->field].text;
	if (rest.len < text.len + 2 || rest.ptr[0] != '"' || rest.ptr[text.len + 1] != '"' ||
	    memcmp(rest.ptr + 1, text.ptr, text.len) != 0 || !escape_is_plain(text)) {
		return false;
	}
	*out_len = text.len + 2;
	return true;
}

size_t place_token_len(const struct place *place, struct str raw, size_t pos)
{
	if ((place->flags & PLACE_CELL) != 0) {
		return token_cell_len(raw, pos);
	}
	size_t len = token_len(raw, pos);
	return len > 0 ? len : SIZE_MAX;
}

/* Whether the form gives the token; when it has to be found by the form itself (SIZE_MAX), sets its length. */
static bool form_gives(struct fitting *fitting, const struct place *place, struct str rest,
		       struct form_values *values, size_t *io_len)
{
	bool known = *io_len != SIZE_MAX;
	struct buf *scratch = &fitting->shapes->scratch;
	struct str token = str_make(rest.ptr, known ? *io_len : 0);
	if (known && !form_read(place, token, fitting->arena, values)) {
		return false;
	}
	if (!known && plain_gives(place, fitting->record, rest, io_len)) {
		return true;
	}
	if (place->form == FORM_OWN_TEXT || place->form == FORM_OWN_BARE) {
		return true; /* they give any token */
	}
	buf_clear(scratch);
	if (!form_put(place, values, scratch)) {
		return false;
	}
	if (known) {
		return str_equal(buf_str(scratch), token);
	}
	*io_len = scratch->len;
	return str_has_prefix(rest, buf_str(scratch));
}

bool place_fits(struct fitting *fitting, const struct place *place, size_t *io_pos,
		struct token *out_token)
{
	struct str raw = fitting->record->value[FIELD_raw].text;
	size_t pos = *io_pos + place->before.len;
	if (pos > raw.len || memcmp(raw.ptr + *io_pos, place->before.ptr, place->before.len) != 0) {
		return false;
	}
	struct form_values values = {.record = fitting->record, .piece = fitting->piece};
	bool has_own = form_has_own(place);
	bool by_token = has_own || place->other != NO_NAME;
	size_t len = by_token ? place_token_len(place, raw, pos) : SIZE_MAX;
	if (by_token && len == SIZE_MAX) {
		return false;
	}
	const size_t pieces[2] = {fitting->piece[0], fitting->piece[1]};
	struct str other = {.ptr = "", .len = 0};
	if (!form_gives(fitting, place, str_slice(raw, pos, raw.len), &values, &len)) {
		if (place->other == NO_NAME ||
		    !form_verbatim(str_slice(raw, pos, len), fitting->arena, &other)) {
			return false;
		}
		memcpy(fitting->piece, pieces, sizeof pieces);
		values.number = NO_NUMBER;
	}
	if (has_own && form_own_is_number(place)) {
		fit_number(fitting, place->name, values.number);
	} else if (has_own) {
		fit_text(fitting, place->name, values.text);
	}
	fit_text(fitting, place->other, other);
	*out_token = (struct token){(uint32_t)pos, (uint32_t)len};
	*io_pos = pos + len;
	return true;
}

static bool raw_fits(struct fitting *fitting, const struct recipe *recipe)
{
	if (!record_has(fitting->record, FIELD_raw)) {
		return false;
	}
	struct str raw = fitting->record->value[FIELD_raw].text;
	size_t pos = 0;
	for (size_t i = 0; i < recipe->place_count; i++) {
		if (!place_fits(fitting, &recipe->places[i], &pos, &fitting->token[i])) {
			return false;
		}
	}
	return str_equal(str_slice(raw, pos, raw.len), recipe->last);
}

static bool rules_fit(const struct fitting *fitting, const struct recipe *recipe)
{
	for (unsigned rule = RULE_TABLE; rule <= RULE_TIME; rule <<= 1) {
		if ((recipe->rules & rule) != 0 &&
		    !rule_fits(rule, fitting->record, fitting->links)) {
			return false;
		}
	}
	return true;
}

bool recipe_fits(struct fitting *fitting, const struct recipe *recipe)
{
	const struct record *record = fitting->record;
	struct shape_fit *fit = fitting->fit;
	fit_begin(fitting);
	if (recipe->kind != record->kind ||
	    ((recipe->rules & RULE_RAW) != 0 && !raw_fits(fitting, recipe)) ||
	    ((recipe->rules & RULE_EXTRA) != 0 && !extra_fits(fitting, recipe)) ||
	    !rules_fit(fitting, recipe) || !key_fits(fitting, recipe)) {
		return false;
	}
	fit->kept[0] = record->present[0] & ~recipe->computed[0];
	fit->kept[1] = record->present[1] & ~recipe->computed[1];
	fit->keeps_key = recipe->key_rule == KEY_KEPT;
	fit->keeps_time = (recipe->rules & RULE_TIME) == 0;
	return true;
}
