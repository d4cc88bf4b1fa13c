#include "store/block/shape-form.h"

#include "base/parse.h"
#include "store/block/shape-escape.h"
#include "store/block/shape-time.h"
#include "store/block/shape-token.h"

bool form_own_is_number(const struct place *place)
{
	return place->form == FORM_OWN_NUMBER || place->form == FORM_ROWS ||
	       place->form == FORM_PIECE ||
	       (time_is_form(place->form) && (place->flags & PLACE_SHIFTED) != 0);
}

bool form_has_own(const struct place *place)
{
	return place->form == FORM_OWN_TEXT || place->form == FORM_OWN_BARE ||
	       form_own_is_number(place);
}

size_t *form_piece(size_t *piece, unsigned field)
{
	return &piece[field == FIELD_statement ? 0 : 1];
}

bool form_verbatim(struct str token, struct arena *arena, struct str *out_text)
{
	bool is_null = str_equal(token, STR_LIT("null"));
	char *text = arena_alloc(arena, token.len + 1);
	if (text == NULL) {
		return false;
	}
	text[0] = VERBATIM;
	memcpy(text + 1, token.ptr, token.len);
	*out_text = str_make(text, is_null ? 1 : token.len + 1);
	return true;
}

void form_put_verbatim(struct str text, struct buf *out)
{
	if (text.len == 1) {
		buf_put_text(out, "null");
	} else {
		buf_put(out, text.ptr + 1, text.len - 1);
	}
}

static void put_escaped(unsigned style, struct str text, struct buf *out)
{
	if (style < ESCAPE_PLAIN && escape_is_plain(text)) {
		buf_put_byte(out, '"');
		buf_put_str(out, text);
		buf_put_byte(out, '"');
	} else {
		escape_put(style, text, out);
	}
}

static void put_own_text(struct str text, struct buf *out)
{
	if (text.len > 0 && text.ptr[0] == VERBATIM) {
		form_put_verbatim(text, out);
	} else {
		put_escaped(0, text, out);
	}
}

/* Quote, prefix, text, spaces, quote. The prefix stands as it is in the token. */
static void put_text(const struct place *place, struct str text, struct buf *out)
{
	if (place->style >= ESCAPE_CSV) {
		put_escaped(place->style, text, out);
		return;
	}
	if (place->prefix.len > 0) {
		buf_put_byte(out, '"');
		buf_put_str(out, place->prefix);
		if (out->failed) {
			return;
		}
		size_t joint = out->len - 1; /* where the quote of the rest goes for a moment */
		char last = out->ptr[joint];
		buf_truncate(out, joint);
		put_escaped(place->style, text, out);
		out->ptr[joint] = last;
	} else {
		put_escaped(place->style, text, out);
	}
	if (place->width > text.len && !out->failed) {
		buf_truncate(out, out->len - 1);
		buf_put_fill(out, ' ', place->width - text.len);
		buf_put_byte(out, '"');
	}
}

static void put_number(const struct place *place, int64_t number, struct buf *out)
{
	bool quoted = (place->flags & PLACE_QUOTED) != 0;
	if (quoted) {
		buf_put_byte(out, '"');
	}
	if (place->form == FORM_BOOL) {
		buf_put_text(out, number != 0 ? "true" : "false");
	} else {
		buf_put_i64(out, number);
	}
	if (quoted) {
		buf_put_byte(out, '"');
	}
}

static bool put_absent(const struct place *place, struct buf *out)
{
	buf_put_str(out, place->absent);
	return place->has_absent;
}

/* 0: the field; 1: zero; then the numbers from 0 on as 2, 3, ..; those below zero as they are. */
static bool put_rows(const struct place *place, const struct form_values *values, struct buf *out)
{
	int64_t number = values->number;
	if (number == NO_NUMBER) {
		return put_absent(place, out);
	}
	if (number == 0) {
		if (!record_has(values->record, place->field)) {
			return false;
		}
		number = values->record->value[place->field].number;
	} else if (number > 0) {
		number = number == 1 ? 0 : number - 2;
	}
	put_number(place, number, out);
	return true;
}

static bool put_piece(const struct place *place, const struct form_values *values, struct buf *out)
{
	if (values->number == NO_NUMBER) {
		return put_absent(place, out);
	}
	struct str text = record_text(values->record, place->field);
	size_t *from = form_piece(values->piece, place->field);
	if (values->number < 0 || *from > text.len || (uint64_t)values->number > text.len - *from) {
		return false;
	}
	put_escaped(place->style, str_slice(text, *from, (size_t)values->number), out);
	*from += (size_t)values->number;
	return true;
}

/* A text field, or its part behind the first space. */
static bool put_field(const struct place *place, const struct form_values *values, struct buf *out)
{
	if (!record_has(values->record, place->field)) {
		return put_absent(place, out);
	}
	struct str text = values->record->value[place->field].text;
	if (place->form == FORM_BARE) {
		buf_put_str(out, text);
		return true;
	}
	if (place->form == FORM_TAIL) {
		ptrdiff_t space = str_find_byte(text, ' ', 0);
		if (space < 0) {
			return false;
		}
		text = str_slice(text, (size_t)space + 1, text.len);
	}
	put_text(place, text, out);
	return true;
}

bool form_put(const struct place *place, const struct form_values *values, struct buf *out)
{
	int64_t shift = (place->flags & PLACE_SHIFTED) != 0 ? values->number : 0;
	bool known = true;
	switch ((enum form)place->form) {
	case FORM_OWN_TEXT:
		put_own_text(values->text, out);
		break;
	case FORM_OWN_BARE:
		buf_put_str(out, values->text);
		break;
	case FORM_OWN_NUMBER:
		if (values->number == NO_NUMBER) {
			known = put_absent(place, out);
		} else {
			put_number(place, values->number, out);
		}
		break;
	case FORM_TEXT:
	case FORM_BARE:
	case FORM_TAIL:
		known = put_field(place, values, out);
		break;
	case FORM_NUMBER:
	case FORM_BOOL:
		if (record_has(values->record, place->field)) {
			put_number(place, values->record->value[place->field].number, out);
		} else {
			known = put_absent(place, out);
		}
		break;
	case FORM_ISO:
	case FORM_CLF:
	case FORM_EPOCH_MS:
	case FORM_EPOCH_S:
		known = time_put(place, values->record->time_ns, shift, out);
		break;
	case FORM_ROWS:
		known = put_rows(place, values, out);
		break;
	case FORM_PIECE:
		known = put_piece(place, values, out);
		break;
	case FORM_COUNT:
		return false;
	}
	return known && !out->failed;
}

/* A number in its only decimal form. */
static bool read_number(const struct place *place, struct str token, int64_t *out_number)
{
	if ((place->flags & PLACE_QUOTED) != 0) {
		if (token.len < 2 || token.ptr[0] != '"') {
			return false;
		}
		token = str_slice(token, 1, token.len - 2);
	}
	bool minus = token.len > 0 && token.ptr[0] == '-';
	struct str digits = str_slice(token, minus, token.len);
	return digits.len > 0 && (digits.ptr[0] != '0' || token.len == 1) &&
	       parse_i64(token, out_number) && *out_number != NO_NUMBER;
}

static bool read_rows(const struct place *place, struct str token, struct form_values *io_values)
{
	int64_t number;
	if (!read_number(place, token, &number) || number > INT64_MAX - 2) {
		return false;
	}
	const struct record *record = io_values->record;
	if (record_has(record, place->field) && record->value[place->field].number == number) {
		io_values->number = 0;
	} else if (number >= 0) {
		io_values->number = number == 0 ? 1 : number + 2;
	} else {
		io_values->number = number;
	}
	return true;
}

static bool read_own_text(struct str token, struct arena *arena, struct form_values *io_values)
{
	if (token.len >= 2 && token.ptr[0] == '"') {
		struct str inner = str_slice(token, 1, token.len - 2);
		if (escape_is_plain(inner)) {
			io_values->text = inner;
			return true;
		}
		struct str text;
		char *again = arena_alloc(arena, 6 * inner.len + 3);
		if (again == NULL || !token_text(token, arena, &text)) {
			return false;
		}
		struct buf out = {.ptr = again,
				  .capacity = 6 * inner.len + 3,
				  .max_bytes = 6 * inner.len + 2};
		escape_put(0, text, &out);
		if (!out.failed && str_equal(buf_str(&out), token) &&
		    (text.len == 0 || text.ptr[0] != VERBATIM)) {
			io_values->text = text;
			return true;
		}
	}
	return form_verbatim(token, arena, &io_values->text);
}

static bool read_piece(const struct place *place, struct str token, struct arena *arena,
		       struct form_values *io_values)
{
	struct str text;
	if (token.len < 2 || token.ptr[0] != '"' || !token_text(token, arena, &text)) {
		return false;
	}
	struct str whole = record_text(io_values->record, place->field);
	struct str there = str_slice(whole, *form_piece(io_values->piece, place->field), text.len);
	io_values->number = (int64_t)text.len;
	return str_equal(there, text);
}

bool form_read(const struct place *place, struct str token, struct arena *arena,
	       struct form_values *io_values)
{
	io_values->number = NO_NUMBER;
	io_values->text = (struct str){0};
	if (place->form == FORM_OWN_TEXT) {
		return read_own_text(token, arena, io_values);
	}
	if (place->form == FORM_OWN_BARE) {
		io_values->text = token;
		return true;
	}
	if (!form_own_is_number(place)) {
		return true;
	}
	if (time_is_form(place->form)) {
		return time_shift(place, io_values->record->time_ns, token, &io_values->number);
	}
	if (place->has_absent && str_equal(place->absent, token)) {
		return true;
	}
	if (place->form == FORM_ROWS) {
		return read_rows(place, token, io_values);
	}
	if (place->form == FORM_PIECE) {
		return read_piece(place, token, arena, io_values);
	}
	return read_number(place, token, &io_values->number);
}
