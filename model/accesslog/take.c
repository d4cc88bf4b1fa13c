#include "model/accesslog/format.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "model/jsontext.h"

#define MILLISECONDS_FROM \
	INT64_C(100000000000) /* as seconds this is in the year 5138, as milliseconds in 1973 */

struct taker {
	const struct accesslog_format *format;
	struct reading *reading;
	struct record *record;
	struct arena *arena;
	struct str route_key, resource_path;
	bool extra[FORMAT_SLOTS_MAX]; /* values that no field holds */
	bool whole_second; /* the record's time is requestTime's, which has no fraction */
};

/* Resolves the escapes of the values that have them. */
static bool unescape(struct reading *reading, struct arena *arena)
{
	for (size_t i = 0; i < reading->count; i++) {
		struct value *value = &reading->value[i];

		if (value->escaped) {
			if (!jsontext_get(value->text, true, arena, &value->text)) {
				return false;
			}
			value->escaped = false;
		}
	}
	return true;
}

/* Sets a field that is not there yet. True also when it already says the same. */
static bool set_text(struct record *record, unsigned field, struct str text)
{
	if (record_has(record, field)) {
		return str_equal(record_text(record, field), text);
	}
	record_set_text(record, field, text);
	return true;
}

static bool set_number(struct record *record, unsigned field, struct str text)
{
	int64_t number;

	if (!parse_i64(text, &number)) {
		return false;
	}
	if (record_has(record, field)) {
		return record_number(record, field, 0) == number;
	}
	record_set_number(record, field, number);
	return true;
}

/* Takes a time of the line: it counts when there is no other, and is told by the record's when it agrees to the second. */
static bool take_time(struct record *record, int64_t time_ns)
{
	int64_t difference;

	if (record->time_ns == 0) {
		record->time_ns = time_ns;
		return true;
	}
	return !__builtin_sub_overflow(record->time_ns, time_ns, &difference) &&
	       difference > -NS_PER_SEC && difference < NS_PER_SEC;
}

static bool take_epoch(struct taker *taker, struct str text)
{
	struct record *record = taker->record;
	int64_t number;
	int64_t unit;

	if (!parse_i64(text, &number) || number <= 0) {
		return false;
	}
	unit = number >= MILLISECONDS_FROM ? NS_PER_MS : NS_PER_SEC;
	if (__builtin_mul_overflow(number, unit, &number) || !take_time(record, number)) {
		return false;
	}
	if (taker->whole_second) { /* it agrees, and is finer */
		record->time_ns = number;
	}
	return true;
}

/* The number that `digits` digits at *pos make; 0 and *ok unset when they are none. Moves *pos behind them and one more. */
static int read_digits(struct str text, size_t *pos, size_t digits, bool *ok)
{
	uint64_t number = 0;

	*ok = parse_u64(str_slice(text, *pos, digits), &number) && *ok;
	*pos += digits + 1;
	return (int)number;
}

/* 1 to 12 for Jan to Dec at *pos, else 0. Moves *pos behind it and one more. */
static int read_month(struct str text, size_t *pos)
{
	struct str months = STR_LIT("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec");
	ptrdiff_t at = str_find(months, str_slice(text, *pos, 3), 0);

	*pos += 4;
	return at >= 0 && at % 4 == 0 ? (int)(at / 4) + 1 : 0;
}

/* 22/Nov/2026:10:00:00 +0000 */
static bool take_clf_time(struct record *record, struct str text)
{
	static const char sample[] = "../.../....:..:..:.. .....";
	struct civil civil = {0};
	size_t pos = 0;
	bool ok = text.len == sizeof(sample) - 1;
	int64_t ns;
	int64_t offset;

	for (size_t i = 0; ok && i < text.len; i++) {
		ok = sample[i] == '.' || sample[i] == text.ptr[i];
	}
	if (!ok) {
		return false;
	}
	civil.day = read_digits(text, &pos, 2, &ok);
	civil.month = read_month(text, &pos);
	civil.year = read_digits(text, &pos, 4, &ok);
	civil.hour = read_digits(text, &pos, 2, &ok);
	civil.minute = read_digits(text, &pos, 2, &ok);
	civil.second = read_digits(text, &pos, 2, &ok);
	pos++; /* the sign */
	offset = read_digits(text, &pos, 2, &ok) * NS_PER_HOUR;
	pos--;
	offset += read_digits(text, &pos, 2, &ok) * NS_PER_MIN;
	if (!ok || !clock_from_civil(&civil, &ns)) {
		return false;
	}
	return take_time(record, text.ptr[21] == '-' ? ns + offset : ns - offset);
}

/* Puts a value where it belongs; false when it goes to extra. */
static bool take_value(struct taker *taker, const struct value *value)
{
	const struct variable *variable = value->variable;

	switch (variable->role) {
	case ROLE_EXTRA:
		return false;
	case ROLE_TEXT:
		return set_text(taker->record, variable->field, value->text);
	case ROLE_INT:
		return set_number(taker->record, variable->field, value->text);
	case ROLE_ROUTE_KEY:
		taker->route_key = value->text;
		return true;
	case ROLE_RESOURCE_PATH:
		taker->resource_path = value->text;
		return true;
	case ROLE_EPOCH:
		return take_epoch(taker, value->text);
	case ROLE_TIME:
		taker->whole_second = taker->whole_second || taker->record->time_ns == 0;
		return take_clf_time(taker->record, value->text);
	}
	return false;
}

/* The route: routeKey as it is, else method and resource path with a space. */
static bool set_route(struct taker *taker)
{
	struct record *record = taker->record;
	struct str method = record_text(record, FIELD_method);
	struct str key = taker->route_key;
	char *route;
	size_t len;

	if (key.len != 0) {
		ptrdiff_t space = str_find_byte(key, ' ', 0);

		record_set_text(record, FIELD_route, key);
		if (method.len == 0 && space > 0 && key.ptr[0] != '$') {
			record_set_text(record, FIELD_method, str_slice(key, 0, (size_t)space));
		}
		return true;
	}
	if (taker->resource_path.len == 0) {
		return true;
	}
	len = method.len + 1 + taker->resource_path.len;
	route = arena_alloc(taker->arena, len);
	if (route == NULL) {
		return false;
	}
	if (method.len == 0) {
		record_set_text(record, FIELD_route, taker->resource_path);
		return true;
	}
	memcpy(route, method.ptr, method.len);
	route[method.len] = ' ';
	memcpy(route + method.len + 1, taker->resource_path.ptr, taker->resource_path.len);
	record_set_text(record, FIELD_route, str_make(route, len));
	return true;
}

/* Whether a text can stand between quotes of JSON as it is. */
static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];

		if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') {
			return false;
		}
	}
	return true;
}

static void put_extra(struct taker *taker, size_t index, struct buf *out)
{
	const struct value *value = &taker->reading->value[index];

	if (taker->reading->by_slot) {
		buf_put_str(out, taker->format->slot[index].extra_key);
	} else {
		buf_put_byte(out, ',');
		json_put_string(out, value->name);
		buf_put_byte(out, ':');
	}
	if (is_plain(value->text)) {
		buf_put_byte(out, '"');
		buf_put_str(out, value->text);
		buf_put_byte(out, '"');
	} else {
		json_put_string(out, value->text);
	}
}

/* Writes extra into the arena at once: no text grows more than sixfold by its escapes. */
static bool set_extra(struct taker *taker)
{
	size_t bound = 2;
	struct buf out;

	for (size_t i = 0; i < taker->reading->count; i++) {
		const struct value *value = &taker->reading->value[i];

		if (taker->extra[i]) {
			bound += 6 * (value->name.len + value->text.len) + 8;
		}
	}
	if (bound == 2) {
		return true;
	}
	out = (struct buf){.ptr = arena_alloc(taker->arena, bound + 1),
			   .capacity = bound + 1,
			   .max_bytes = bound};
	if (out.ptr == NULL) {
		return false;
	}
	for (size_t i = 0; i < taker->reading->count; i++) {
		if (taker->extra[i]) {
			put_extra(taker, i, &out);
		}
	}
	buf_put_byte(&out, '}');
	out.ptr[0] = '{'; /* instead of the first comma */
	record_set_text(taker->record, FIELD_extra, buf_str(&out));
	return !out.failed;
}

int reading_take(const struct accesslog_format *format, struct reading *reading,
		 struct arena *arena, struct record *record, struct error *err)
{
	struct taker taker = {
		.format = format, .reading = reading, .record = record, .arena = arena};
	static const struct str words[] = {
		[DAMAGE_NONE] = {"ok", 2},
		[DAMAGE_RECOVERED] = {"recovered", 9},
		[DAMAGE_AMBIGUOUS] = {"ambiguous", 9},
	};
	int user;

	if (!unescape(reading, arena)) {
		return error_set(err, ERR_LIMIT, "there is no room for an access log line");
	}
	for (size_t i = 0; i < reading->count; i++) {
		const struct value *value = &reading->value[i];

		if (value->sure && !value_is_unset(value->text)) {
			taker.extra[i] = !take_value(&taker, value);
		}
	}
	user = user_choose(format, reading, record);
	if (user >= 0) {
		taker.extra[user] = false;
	}
	record_set_text(record, FIELD_parse, words[reading->damage]);
	if (!set_route(&taker) || !set_extra(&taker)) {
		return error_set(err, ERR_LIMIT, "there is no room for an access log line");
	}
	return 0;
}
