#include "store/block/shape-time.h"

#include "base/clock.h"
#include "base/parse.h"

#define NEAR_NS NS_PER_DAY

static const char months[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";

bool time_is_form(unsigned form)
{
	return form >= FORM_ISO && form <= FORM_EPOCH_S;
}

static int64_t unit_of(const struct place *place)
{
	int64_t unit = 1;
	switch (place->form) {
	case FORM_ISO:
		for (unsigned i = place->width; i < 9; i++) {
			unit *= 10;
		}
		return unit;
	case FORM_EPOCH_MS:
		return NS_PER_MS;
	default:
		return NS_PER_SEC;
	}
}

/* In whole units, rounded down. */
static int64_t units_of(int64_t time_ns, int64_t unit)
{
	return time_ns / unit - (time_ns % unit < 0);
}

static void put_two(struct buf *out, int number)
{
	buf_put_byte(out, (uint8_t)('0' + number / 10 % 10));
	buf_put_byte(out, (uint8_t)('0' + number % 10));
}

static void put_clf(struct buf *out, int64_t time_ns, bool with_zone)
{
	struct civil civil;
	clock_to_civil(time_ns, &civil);
	put_two(out, civil.day);
	buf_put_byte(out, '/');
	buf_put(out, months + 4 * (civil.month - 1), 3);
	buf_put_byte(out, '/');
	put_two(out, civil.year / 100);
	put_two(out, civil.year % 100);
	buf_put_byte(out, ':');
	put_two(out, civil.hour);
	buf_put_byte(out, ':');
	put_two(out, civil.minute);
	buf_put_byte(out, ':');
	put_two(out, civil.second);
	if (with_zone) {
		buf_put_text(out, " +0000");
	}
}

static void put_iso(const struct place *place, struct buf *out, int64_t time_ns)
{
	size_t start = out->len;
	clock_put_rfc3339(out, time_ns, place->width);
	if (!out->failed && (place->flags & PLACE_SPACE) != 0) {
		out->ptr[start + 10] = ' ';
	}
	if (!out->failed && (place->flags & PLACE_Z) == 0) {
		buf_truncate(out, out->len - 1);
	}
}

bool time_put(const struct place *place, int64_t time_ns, int64_t shift, struct buf *out)
{
	int64_t unit = unit_of(place);
	int64_t units;
	int64_t ns;
	if (__builtin_add_overflow(units_of(time_ns, unit), shift, &units) ||
	    __builtin_mul_overflow(units, unit, &ns)) {
		return false;
	}
	if ((place->flags & PLACE_QUOTED) != 0) {
		buf_put_byte(out, '"');
	}
	if (place->form == FORM_ISO) {
		put_iso(place, out, ns);
	} else if (place->form == FORM_CLF) {
		put_clf(out, ns, (place->flags & PLACE_Z) != 0);
	} else {
		buf_put_i64(out, units);
	}
	if ((place->flags & PLACE_QUOTED) != 0) {
		buf_put_byte(out, '"');
	}
	return true;
}

static int digits_at(struct str text, size_t pos, size_t count, bool *ok)
{
	uint64_t number = 0;
	*ok = parse_u64(str_slice(text, pos, count), &number) && *ok;
	return (int)(number % 10000);
}

/* 22/Nov/2026:10:00:00, with or without a zone of nothing. */
static bool parse_clf(struct str text, int64_t *out_ns)
{
	bool ok = text.len == 20 || (text.len == 26 && str_has_suffix(text, STR_LIT(" +0000")));
	if (!ok) {
		return false;
	}
	struct civil civil = {
		.day = digits_at(text, 0, 2, &ok),
		.year = digits_at(text, 7, 4, &ok),
		.hour = digits_at(text, 12, 2, &ok),
		.minute = digits_at(text, 15, 2, &ok),
		.second = digits_at(text, 18, 2, &ok),
	};
	ptrdiff_t month = str_find(str_of(months), str_slice(text, 3, 3), 0);
	civil.month = month >= 0 ? (int)(month / 4) + 1 : 0;
	return ok && month % 4 == 0 && clock_from_civil(&civil, out_ns);
}

static struct str without_quotes(struct str token)
{
	bool quoted = token.len >= 2 && token.ptr[0] == '"';
	return quoted ? str_slice(token, 1, token.len - 2) : token;
}

bool time_shift(const struct place *place, int64_t time_ns, struct str token, int64_t *out_shift)
{
	struct str text = without_quotes(token);
	int64_t unit = unit_of(place);
	int64_t there;
	bool read;
	if (place->form == FORM_ISO) {
		read = clock_parse_rfc3339(text, &there);
		there = read ? units_of(there, unit) : 0;
	} else if (place->form == FORM_CLF) {
		read = parse_clf(text, &there);
		there = read ? units_of(there, unit) : 0;
	} else {
		read = parse_i64(text, &there);
	}
	return read && !__builtin_sub_overflow(there, units_of(time_ns, unit), out_shift) &&
	       *out_shift != NO_NUMBER;
}

/* Whether the form gives the token, if need be shifted a little. */
static bool form_holds(struct place *place, struct str token, int64_t time_ns)
{
	char room[64];
	struct buf out = {.ptr = room, .capacity = sizeof room, .max_bytes = sizeof room - 1};
	int64_t shift;
	if (!time_shift(place, time_ns, token, &shift) || shift > NEAR_NS / unit_of(place) ||
	    shift < -(NEAR_NS / unit_of(place)) || !time_put(place, time_ns, shift, &out) ||
	    !str_equal(buf_str(&out), token)) {
		return false;
	}
	place->flags = (uint8_t)(place->flags | (shift != 0 ? PLACE_SHIFTED : 0));
	return true;
}

/* What a text of digits and punctuation looks like; ISO without digits behind the second, and without zone. */
static void guess_form(struct str text, struct place *out_place)
{
	if (text.len >= 19 && text.ptr[4] == '-') {
		bool zone = text.ptr[text.len - 1] == 'Z';
		size_t without = text.len - zone;
		out_place->form = FORM_ISO;
		out_place->width = (uint8_t)(without > 20 ? without - 20 : 0);
		out_place->flags |=
			(uint8_t)((text.ptr[10] == ' ' ? PLACE_SPACE : 0) | (zone ? PLACE_Z : 0));
	} else if (text.len >= 20 && text.ptr[2] == '/') {
		out_place->form = FORM_CLF;
		out_place->flags |= text.len > 20 ? PLACE_Z : 0;
	} else {
		out_place->form = text.len >= 12 ? FORM_EPOCH_MS : FORM_EPOCH_S;
	}
}

bool time_form(struct str token, int64_t time_ns, struct place *out_place)
{
	struct str text = without_quotes(token);
	if (text.len < 10 || text.len > 35 || text.ptr[0] < '0' || text.ptr[0] > '9') {
		return false;
	}
	*out_place = (struct place){.flags = text.len != token.len ? PLACE_QUOTED : 0};
	guess_form(text, out_place);
	return (out_place->form != FORM_ISO || out_place->width <= 9) &&
	       form_holds(out_place, token, time_ns);
}
