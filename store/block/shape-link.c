#include "store/block/shape-link.h"

#include "base/parse.h"
#include "model/accesslog/wellknown.h"
#include "model/auditrow/column.h"
#include "store/block/shape-escape.h"
#include "store/block/shape-fit.h"
#include "store/block/shape-form.h"
#include "store/block/shape-time.h"
#include "store/block/shape-token.h"

#include <stdlib.h>

#define ABSENT_MAX 16 /* a longer token is a value */
#define TEXT_MIN   4  /* a shorter text may be equal by chance */

/* What the name of a token says. */
struct hint {
	unsigned field;
	bool is_number;
	bool is_time;
};

static struct hint hint_of_request(struct str key)
{
	struct hint hint = {0};
	struct reading *reading = calloc(1, sizeof *reading);
	struct value value = {.name = key, .sure = true};
	if (reading == NULL) {
		return hint;
	}
	wellknown_add(reading, key, &value);
	if (reading->count > 0 && reading->value[0].variable != NULL) {
		const struct variable *variable = reading->value[0].variable;
		hint.field = variable->field;
		hint.is_number = variable->shape == SHAPE_NUMBER;
		hint.is_time = variable->role == ROLE_EPOCH || variable->role == ROLE_TIME;
	}
	free(reading);
	return hint;
}

static struct hint hint_of(enum record_kind kind, struct str key)
{
	ptrdiff_t colon = str_find_byte(str_slice(key, 0, 6), ':', 0);
	key = colon > 0 ? str_slice(key, (size_t)colon + 1, key.len) : key;
	if (kind == RECORD_REQUEST) {
		return hint_of_request(key);
	}
	unsigned column = auditcolumn_find(key, 0);
	if (column == AUDITCOLUMN_COUNT) {
		return (struct hint){0};
	}
	const struct auditcolumn_info *info = auditcolumn_info(column);
	bool rows = column == AUDITCOLUMN_response_rows || column == AUDITCOLUMN_affected_rows;
	return (struct hint){.field = rows ? FIELD_rows : info->field,
			     .is_number = info->type == AUDITROW_INT,
			     .is_time = info->type == AUDITROW_TIME};
}

/* Whether the place gives the token; leaves no trace. */
static bool gives(struct fitting *fitting, const struct place *place, size_t pos)
{
	struct shape_fit *fit = fitting->fit;
	const size_t slot_count = fit->slot_count;
	const size_t pieces[2] = {fitting->piece[0], fitting->piece[1]};
	struct str raw = record_text(fitting->record, FIELD_raw);
	struct token token;
	size_t end = pos;
	bool given = place_fits(fitting, place, &end, &token) &&
		     token.len == place_token_len(place, raw, pos + place->before.len);
	fit->slot_count = slot_count;
	memcpy(fitting->piece, pieces, sizeof pieces);
	return given;
}

/* Takes changed over when it gives the token. */
static bool accept(struct fitting *fitting, struct place *io_place, const struct place *changed,
		   size_t pos)
{
	if (!gives(fitting, changed, pos)) {
		return false;
	}
	*io_place = *changed;
	return true;
}

static bool try_styles(struct fitting *fitting, struct place *io_place, struct place changed,
		       size_t pos)
{
	for (uint8_t style = 0; style < ESCAPE_STYLES; style++) {
		changed.style = style;
		if (accept(fitting, io_place, &changed, pos)) {
			return true;
		}
	}
	return false;
}

static struct str token_at(const struct fitting *fitting, const struct place *place, size_t pos)
{
	struct str raw = record_text(fitting->record, FIELD_raw);
	pos += place->before.len;
	size_t len = place_token_len(place, raw, pos);
	return str_slice(raw, pos, len != SIZE_MAX ? len : 0);
}

/* The token as what stands where there is no value. */
static bool try_absent(struct fitting *fitting, struct place *io_place, struct place changed,
		       size_t pos)
{
	struct str token = token_at(fitting, &changed, pos);
	changed.absent = token;
	changed.has_absent = true;
	return token.len <= ABSENT_MAX && accept(fitting, io_place, &changed, pos);
}

/* A text field in quotes, alone, padded or behind a prefix. */
static bool try_text(struct fitting *fitting, struct place *io_place, unsigned field, size_t pos)
{
	struct str text = record_text(fitting->record, field);
	struct str token = token_at(fitting, io_place, pos);
	struct str inner;
	struct place changed = *io_place;
	changed.form = FORM_TEXT;
	changed.field = (uint8_t)field;
	if (try_styles(fitting, io_place, changed, pos)) {
		return true;
	}
	if (text.len == 0 || token.len < 2 || token.ptr[0] != '"' ||
	    !token_text(token, fitting->arena, &inner)) {
		return false;
	}
	if (str_has_prefix(inner, text) && inner.len < 64) {
		changed.width = (uint8_t)inner.len;
		if (try_styles(fitting, io_place, changed, pos)) {
			return true;
		}
		changed.width = 0;
	}
	ptrdiff_t at = str_find(token, text, token.len > text.len ? token.len - text.len - 1 : 0);
	if (at > 1 && at < 512) {
		changed.prefix = str_slice(token, 1, (size_t)at - 1);
		return accept(fitting, io_place, &changed, pos);
	}
	return false;
}

static bool try_piece(struct fitting *fitting, struct place *io_place, unsigned field, size_t pos)
{
	struct place changed = *io_place;
	if (field != FIELD_statement && field != FIELD_additional_information) {
		return false;
	}
	changed.form = FORM_PIECE;
	changed.field = (uint8_t)field;
	return record_number(fitting->record, FIELD_parts, 1) > 1 &&
	       (try_styles(fitting, io_place, changed, pos) ||
		try_absent(fitting, io_place, changed, pos));
}

/* A number or yes and no, in quotes or not. */
static bool try_number(struct fitting *fitting, struct place *io_place, unsigned field, size_t pos)
{
	struct place changed = *io_place;
	struct str token = token_at(fitting, io_place, pos);
	static const uint8_t forms[] = {FORM_NUMBER, FORM_BOOL};
	changed.field = (uint8_t)field;
	changed.flags |= token.len > 0 && token.ptr[0] == '"' ? PLACE_QUOTED : 0;
	if (field == FIELD_rows) {
		changed.form = FORM_ROWS;
		return accept(fitting, io_place, &changed, pos) ||
		       try_absent(fitting, io_place, changed, pos);
	}
	for (unsigned i = 0; i < 2; i++) {
		changed.form = forms[i];
		if (record_has(fitting->record, field) &&
		    accept(fitting, io_place, &changed, pos)) {
			return true;
		}
	}
	changed.form = field_info(field)->type == FIELD_TYPE_BOOL ? FORM_BOOL : FORM_NUMBER;
	return !record_has(fitting->record, field) && try_absent(fitting, io_place, changed, pos);
}

static bool try_field(struct fitting *fitting, struct place *io_place, unsigned field, size_t pos)
{
	struct place changed = *io_place;
	if (field_info(field)->type != FIELD_TYPE_TEXT) {
		return try_number(fitting, io_place, field, pos);
	}
	if (!record_has(fitting->record, field)) {
		changed.form = FORM_TEXT;
		changed.field = (uint8_t)field;
		return try_absent(fitting, io_place, changed, pos);
	}
	if (field == FIELD_route) {
		changed.form = FORM_TAIL;
		changed.field = (uint8_t)field;
		if (try_styles(fitting, io_place, changed, pos)) {
			return true;
		}
	}
	return try_text(fitting, io_place, field, pos) || try_piece(fitting, io_place, field, pos);
}

/* Whether a text field may be what a token comes from: no rule computes it. */
static bool is_source(unsigned field)
{
	return field_info(field)->name != NULL && field_info(field)->type == FIELD_TYPE_TEXT &&
	       field != FIELD_extra && field != FIELD_parse && field != FIELD_table &&
	       field != FIELD_statement_id && field != FIELD_verb;
}

/* Any INT field that is equal, where no name says which. */
static bool try_equal_number(struct fitting *fitting, struct place *io_place, size_t pos)
{
	struct str token = token_at(fitting, io_place, pos);
	for (unsigned field = 1; field < FIELD_LIMIT && token.len >= TEXT_MIN; field++) {
		if (record_has(fitting->record, field) &&
		    field_info(field)->type == FIELD_TYPE_INT && field != FIELD_rows &&
		    try_number(fitting, io_place, field, pos)) {
			return true;
		}
	}
	return false;
}

/* Any text field that is equal. */
static bool try_equal(struct fitting *fitting, struct place *io_place, size_t pos, bool is_json)
{
	struct str token = token_at(fitting, io_place, pos);
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		if (!record_has(fitting->record, field) || !is_source(field)) {
			continue;
		}
		struct str text = record_text(fitting->record, field);
		struct place changed = *io_place;
		changed.field = (uint8_t)field;
		changed.form = FORM_BARE;
		if (text.len < TEXT_MIN || text.len > token.len) {
			continue;
		}
		if (!is_json && accept(fitting, io_place, &changed, pos)) {
			return true;
		}
		changed.form = FORM_TEXT;
		if (try_styles(fitting, io_place, changed, pos)) {
			return true;
		}
	}
	return false;
}

static bool try_time(struct fitting *fitting, struct place *io_place, size_t pos, bool epoch)
{
	struct place time;
	if (!time_form(token_at(fitting, io_place, pos), fitting->record->time_ns, &time) ||
	    (!epoch && (time.form == FORM_EPOCH_MS || time.form == FORM_EPOCH_S))) {
		return false;
	}
	struct place changed = *io_place;
	changed.form = time.form;
	changed.width = time.width;
	changed.flags |= time.flags;
	return accept(fitting, io_place, &changed, pos);
}

/* A value of its own, as a number where it is one or its name says so. */
static void set_own(struct fitting *fitting, struct place *io_place, size_t pos, struct hint hint,
		    bool is_json)
{
	struct str token = token_at(fitting, io_place, pos);
	struct place changed = *io_place;
	bool quoted = token.len > 0 && token.ptr[0] == '"';
	changed.form = FORM_OWN_NUMBER;
	changed.flags |= quoted ? PLACE_QUOTED : 0;
	if (accept(fitting, io_place, &changed, pos) ||
	    (hint.is_number && try_absent(fitting, io_place, changed, pos))) {
		return;
	}
	bool cell = (io_place->flags & PLACE_CELL) != 0;
	io_place->form = (is_json || quoted) && !cell ? FORM_OWN_TEXT : FORM_OWN_BARE;
	io_place->flags &= PLACE_CELL;
}

void link_place(struct fitting *fitting, struct place *io_place, size_t pos, bool is_json)
{
	struct hint hint = hint_of(fitting->record->kind, io_place->key);
	if (try_time(fitting, io_place, pos, hint.is_time || !is_json) ||
	    (hint.field != 0 && try_field(fitting, io_place, hint.field, pos)) ||
	    try_equal(fitting, io_place, pos, is_json) ||
	    (!is_json && try_equal_number(fitting, io_place, pos))) {
		return;
	}
	set_own(fitting, io_place, pos, hint, is_json);
}

void link_again(struct fitting *fitting, struct place *io_place, size_t pos, bool young)
{
	struct place changed = *io_place;
	struct place fresh = {.before = io_place->before,
			      .key = io_place->key,
			      .flags = io_place->flags & PLACE_CELL,
			      .name = NO_NAME,
			      .other = NO_NAME};
	if ((!changed.has_absent && try_absent(fitting, io_place, changed, pos)) ||
	    try_styles(fitting, io_place, changed, pos)) {
		return;
	}
	changed.flags |= PLACE_SHIFTED;
	if (time_is_form(changed.form) && accept(fitting, io_place, &changed, pos)) {
		return;
	}
	link_place(fitting, &fresh, pos, true);
	if (young && (fresh.form != io_place->form || fresh.field != io_place->field)) {
		fresh.absent = fresh.has_absent ? fresh.absent : io_place->absent;
		fresh.has_absent = fresh.has_absent || io_place->has_absent;
		*io_place = fresh;
		return;
	}
	io_place->other = 0; /* any number: it is wanted */
}
