#include "query/when.h"

#include "base/clock.h"
#include "base/parse.h"

#include <assert.h>

struct reader { /* what is left of the text, and whether all fitted so far */
	struct str text;
	size_t pos;
	bool failed;
};

static int digits_value(struct reader *reader, size_t count)
{
	uint64_t value = 0;
	struct str part = str_slice(reader->text, reader->pos, count);
	if (part.len != count || !parse_u64(part, &value)) {
		reader->failed = true;
		return 0;
	}
	reader->pos += count;
	return (int)value;
}

static bool accept(struct reader *reader, char c)
{
	if (reader->pos < reader->text.len && reader->text.ptr[reader->pos] == c) {
		reader->pos++;
		return true;
	}
	return false;
}

static int64_t fraction(struct reader *reader, int64_t *out_step)
{
	int64_t scale = NS_PER_SEC;
	int64_t value = 0;
	size_t begin = reader->pos;
	while (reader->pos < reader->text.len && reader->text.ptr[reader->pos] >= '0' &&
	       reader->text.ptr[reader->pos] <= '9' && scale > 1) {
		scale /= 10;
		value += (reader->text.ptr[reader->pos] - '0') * scale;
		reader->pos++;
	}
	reader->failed = reader->failed || reader->pos == begin;
	*out_step = scale; /* .123 names a span of a millisecond */
	return value;
}

/* HH:MM[:SS[.fraction]] as nanoseconds of the day, and how long a span it names. */
static int64_t read_clock(struct reader *reader, int64_t *out_step)
{
	int hour = digits_value(reader, 2);
	reader->failed = reader->failed || !accept(reader, ':');
	int minute = digits_value(reader, 2);
	int second = 0;
	int64_t ns = 0;
	*out_step = NS_PER_MIN;
	if (accept(reader, ':')) {
		second = digits_value(reader, 2);
		*out_step = NS_PER_SEC;
		if (accept(reader, '.')) {
			ns = fraction(reader, out_step);
		}
	}
	if (hour > 23 || minute > 59 || second > 60) {
		reader->failed = true;
	}
	second = second == 60 ? 59 : second;
	return hour * NS_PER_HOUR + minute * NS_PER_MIN + second * NS_PER_SEC + ns;
}

/* Z, +HH:MM or nothing; true when there was one. */
static bool read_offset(struct reader *reader, int64_t *out_ns)
{
	*out_ns = 0;
	if (accept(reader, 'Z') || accept(reader, 'z')) {
		return true;
	}
	bool minus = accept(reader, '-');
	if (!minus && !accept(reader, '+')) {
		return false;
	}
	int hours = digits_value(reader, 2);
	bool colon = accept(reader, ':');
	int minutes = colon || reader->pos < reader->text.len ? digits_value(reader, 2) : 0;
	if (hours > 23 || minutes > 59) {
		reader->failed = true;
	}
	int64_t ns = hours * NS_PER_HOUR + minutes * NS_PER_MIN;
	*out_ns = minus ? -ns : ns;
	return true;
}

/* The first instant of year-month-day in the zone; month 13 is January of the next year. */
static bool day_start(int year, int month, int day, const struct zone *zone, int64_t *out_ns)
{
	struct civil civil = {
		.year = year + (month - 1) / 12, .month = (month - 1) % 12 + 1, .day = day};
	int64_t local;
	/* A day inside is kept for the offsets that are added. */
	if (civil.year < 1679 || civil.year > 2260 || !clock_from_civil(&civil, &local)) {
		return false;
	}
	*out_ns = zone_from_local(zone, local);
	return true;
}

static bool span_of_months(int year, int month, int count, const struct zone *zone,
			   struct when *out)
{
	return day_start(year, month, 1, zone, &out->from_ns) &&
	       day_start(year, month + count, 1, zone, &out->to_ns);
}

/* The day that is `days` behind the one that holds local_ns, and `length` days of it. */
static bool span_of_days(int64_t local_ns, int days, int length, const struct zone *zone,
			 struct when *out)
{
	int64_t into_day = local_ns % NS_PER_DAY;
	int64_t midnight = local_ns - into_day - (into_day < 0 ? NS_PER_DAY : 0);
	out->from_ns = zone_from_local(zone, midnight + days * NS_PER_DAY);
	out->to_ns = zone_from_local(zone, midnight + (days + length) * NS_PER_DAY);
	return true;
}

/* What stands behind a date: a time of day, and perhaps an offset. */
static bool parse_time_of_day(struct reader *reader, int64_t midnight, const struct zone *zone,
			      struct when *out)
{
	if (!accept(reader, 'T') && !accept(reader, 't') && !accept(reader, ' ')) {
		return false;
	}
	int64_t step;
	int64_t offset;
	int64_t local = midnight + read_clock(reader, &step);
	bool has_offset = read_offset(reader, &offset);
	if (reader->failed || reader->pos != reader->text.len) {
		return false;
	}
	out->from_ns = has_offset ? local - offset : zone_from_local(zone, local);
	out->to_ns = out->from_ns + step;
	return true;
}

/* Dates and date-times. */
static bool parse_date(struct str text, const struct zone *zone, struct when *out)
{
	struct reader reader = {.text = text};
	int year = digits_value(&reader, 4);
	if (!reader.failed && reader.pos == text.len) {
		return span_of_months(year, 1, 12, zone, out);
	}
	reader.failed = reader.failed || !accept(&reader, '-');
	int month = digits_value(&reader, 2);
	if (reader.failed || month < 1 || month > 12) {
		return false;
	}
	if (reader.pos == text.len) {
		return span_of_months(year, month, 1, zone, out);
	}
	reader.failed = !accept(&reader, '-');
	int day = digits_value(&reader, 2);
	struct civil civil = {.year = year, .month = month, .day = day};
	int64_t midnight;
	if (reader.failed || year < 1679 || year > 2260 || !clock_from_civil(&civil, &midnight)) {
		return false;
	}
	if (reader.pos == text.len) {
		return span_of_days(midnight, 0, 1, zone, out);
	}
	return parse_time_of_day(&reader, midnight, zone, out);
}

static bool parse_clock(struct str text, const struct zone *zone, int64_t local_now,
			struct when *out)
{
	struct reader reader = {.text = text};
	int64_t step;
	int64_t of_day = read_clock(&reader, &step);
	if (reader.failed || reader.pos != text.len) {
		return false;
	}
	int64_t into_day = local_now % NS_PER_DAY;
	int64_t midnight = local_now - into_day - (into_day < 0 ? NS_PER_DAY : 0);
	out->from_ns = zone_from_local(zone, midnight + of_day);
	out->to_ns = out->from_ns + step;
	return true;
}

static bool word_is(struct str text, const char *word)
{
	if (text.len != strlen(word)) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		c = c == ' ' || c == '_' ? '-' : c;
		if (c != word[i]) {
			return false;
		}
	}
	return true;
}

static bool parse_word(struct str text, const struct zone *zone, int64_t now_ns, struct when *out)
{
	int64_t local = now_ns + zone_offset_s(zone, now_ns) * NS_PER_SEC;
	struct civil civil;
	clock_to_civil(local, &civil);
	int64_t day_number = local / NS_PER_DAY - (local % NS_PER_DAY < 0 ? 1 : 0);
	int weekday =
		(int)(((day_number + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday; 0 is Monday */
	if (word_is(text, "now")) {
		*out = (struct when){now_ns, now_ns + 1};
		return true;
	}
	if (word_is(text, "today")) {
		return span_of_days(local, 0, 1, zone, out);
	}
	if (word_is(text, "yesterday")) {
		return span_of_days(local, -1, 1, zone, out);
	}
	if (word_is(text, "this-week")) {
		return span_of_days(local, -weekday, 7, zone, out);
	}
	if (word_is(text, "last-week")) {
		return span_of_days(local, -weekday - 7, 7, zone, out);
	}
	if (word_is(text, "this-month")) {
		return span_of_months(civil.year, civil.month, 1, zone, out);
	}
	if (word_is(text, "last-month")) {
		return civil.month == 1 ? span_of_months(civil.year - 1, 12, 1, zone, out)
					: span_of_months(civil.year, civil.month - 1, 1, zone, out);
	}
	return word_is(text, "this-year") && span_of_months(civil.year, 1, 12, zone, out);
}

static bool unit_ns(struct str unit, int64_t *out_ns)
{
	static const struct {
		const char *names[6];
		int64_t ns;
	} units[] = {
		{{"ms", "millisecond", "milliseconds"}, NS_PER_MS},
		{{"s", "sec", "secs", "second", "seconds"}, NS_PER_SEC},
		{{"m", "min", "mins", "minute", "minutes"}, NS_PER_MIN},
		{{"h", "hr", "hrs", "hour", "hours"}, NS_PER_HOUR},
		{{"d", "day", "days"}, NS_PER_DAY},
		{{"w", "wk", "week", "weeks"}, 7 * NS_PER_DAY},
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		for (size_t n = 0; n < 6 && units[i].names[n] != NULL; n++) {
			if (str_equal_fold(unit, str_of(units[i].names[n]))) {
				*out_ns = units[i].ns;
				return true;
			}
		}
	}
	return false;
}

/* "2h", "2 hours", "2 hours ago", "1.5 days ago". */
static bool parse_ago(struct str text, int64_t now_ns, struct when *out)
{
	static const struct str ago = {" ago", 4};
	if (text.len > ago.len && str_equal_fold(str_slice(text, text.len - 4, 4), ago)) {
		text = str_trim(str_slice(text, 0, text.len - 4));
	}
	size_t number_len = 0;
	while (number_len < text.len &&
	       ((text.ptr[number_len] >= '0' && text.ptr[number_len] <= '9') ||
		text.ptr[number_len] == '.')) {
		number_len++;
	}
	int64_t thousandths;
	int64_t unit;
	int64_t duration;
	if (number_len == 0 || !parse_decimal(str_slice(text, 0, number_len), 1000, &thousandths) ||
	    !unit_ns(str_trim(str_slice(text, number_len, text.len)), &unit)) {
		return false;
	}
	if (__builtin_mul_overflow(thousandths, unit / 1000, &duration) ||
	    __builtin_sub_overflow(now_ns, duration, &out->from_ns)) {
		return false;
	}
	out->to_ns = out->from_ns + 1;
	return true;
}

static bool parse_epoch(struct str text, struct when *out)
{
	if (text.len < 2 || text.ptr[0] != '@' ||
	    !parse_decimal(str_slice(text, 1, text.len), NS_PER_SEC, &out->from_ns) ||
	    out->from_ns == INT64_MAX) {
		return false;
	}
	out->to_ns = out->from_ns + 1;
	return true;
}

int when_parse(struct str text, const struct zone *zone, int64_t now_ns, struct when *out_when,
	       struct error *err)
{
	struct when when = {0, 0};
	struct str trimmed = str_trim(text);
	int64_t local = now_ns + zone_offset_s(zone, now_ns) * NS_PER_SEC;
	if (!parse_word(trimmed, zone, now_ns, &when) && !parse_epoch(trimmed, &when) &&
	    !parse_date(trimmed, zone, &when) && !parse_clock(trimmed, zone, local, &when) &&
	    !parse_ago(trimmed, now_ns, &when)) {
		return error_set(err, ERR_USAGE,
				 "\"%.*s\" is not a time; say 2026-11-22, \"2026-11-22 10:00\", "
				 "2026-11-22T10:00:00Z, 2h, \"2 hours ago\", today, yesterday or "
				 "@1700000000",
				 STR_ARG(text));
	}
	*out_when = when;
	return 0;
}

void when_put(struct buf *out, const struct zone *zone, int64_t ns, int digits, bool with_offset)
{
	assert(digits >= 0 && digits <= 9);
	int32_t offset = zone_offset_s(zone, ns);
	struct civil civil;
	int64_t local = ns;
	if (__builtin_add_overflow(ns, offset * NS_PER_SEC, &local)) {
		local = ns; /* the last hours that int64 holds */
	}
	clock_to_civil(local, &civil);
	buf_putf(out, "%04d-%02d-%02d %02d:%02d:%02d", civil.year, civil.month, civil.day,
		 civil.hour, civil.minute, civil.second);
	if (digits > 0) {
		int value = civil.nanosecond;
		for (int i = digits; i < 9; i++) {
			value /= 10;
		}
		buf_putf(out, ".%0*d", digits, value);
	}
	if (!with_offset) {
		return;
	}
	if (offset == 0) {
		buf_put_byte(out, 'Z');
		return;
	}
	int32_t size = offset < 0 ? -offset : offset;
	buf_putf(out, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
}

size_t when_width(int digits)
{
	return 19 + (digits > 0 ? 1 + (size_t)digits : 0);
}

void when_put_age(struct buf *out, int64_t duration_ns)
{
	int64_t seconds = duration_ns / NS_PER_SEC;
	if (seconds < 0) {
		buf_put_text(out, "0 s");
	} else if (seconds < 120) {
		buf_putf(out, "%lld s", (long long)seconds);
	} else if (seconds < 7200) {
		buf_putf(out, "%lld min", (long long)(seconds / 60));
	} else if (seconds < 172800) {
		buf_putf(out, "%lld h", (long long)(seconds / 3600));
	} else {
		buf_putf(out, "%lld days", (long long)(seconds / 86400));
	}
}
