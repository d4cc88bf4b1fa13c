#include "base/clock.h"

#include "base/parse.h"

#include <assert.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	int result = clock_gettime(id, &now);
	assert(result == 0); /* both clocks exist on every Linux */
	(void)result;
	return (int64_t)now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

int64_t clock_now_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_now(void *owner)
{
	(void)owner; /* the system's clock has no state of ours */
	return clock_now_ns();
}

struct clock clock_system(void)
{
	return (struct clock){.now_ns = system_now};
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to a civil date; years are counted from March so that the leap day is a year's last. */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static bool in_range(int value, int first, int last)
{
	return value >= first && value <= last;
}

bool clock_from_civil(const struct civil *civil, int64_t *out_ns)
{
	if (!in_range(civil->year, 1, 9999) || !in_range(civil->month, 1, 12) ||
	    !in_range(civil->day, 1, days_in_month(civil->year, civil->month))) {
		return false;
	}
	if (!in_range(civil->hour, 0, 23) || !in_range(civil->minute, 0, 59) ||
	    !in_range(civil->second, 0, 60) || !in_range(civil->nanosecond, 0, 999999999)) {
		return false;
	}
	int second = civil->second == 60 ? 59 : civil->second;
	int64_t seconds = days_from_civil(civil->year, civil->month, civil->day) * 86400 +
			  civil->hour * 3600 + civil->minute * 60 + second;
	int64_t ns;
	if (__builtin_mul_overflow(seconds, NS_PER_SEC, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)civil->nanosecond, &ns)) {
		return false;
	}
	*out_ns = ns;
	return true;
}

void clock_to_civil(int64_t ns, struct civil *out_civil)
{
	int64_t days = ns / NS_PER_DAY;
	int64_t rest = ns % NS_PER_DAY;
	if (rest < 0) {
		days--;
		rest += NS_PER_DAY;
	}
	int64_t z = days + 719468;
	int64_t era = z / 146097; /* z > 0 for all int64 nanoseconds */
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;
	int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	int64_t seconds = rest / NS_PER_SEC;
	*out_civil = (struct civil){.year = (int)(year_of_era + era * 400 + (month <= 2)),
				    .month = month,
				    .day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1),
				    .hour = (int)(seconds / 3600),
				    .minute = (int)(seconds / 60 % 60),
				    .second = (int)(seconds % 60),
				    .nanosecond = (int)(rest % NS_PER_SEC)};
}

/* Reads exactly count digits at *pos. */
static bool read_digits(struct str text, size_t *pos, size_t count, int *out)
{
	int value = 0;
	for (size_t i = 0; i < count; i++) {
		if (*pos >= text.len || text.ptr[*pos] < '0' || text.ptr[*pos] > '9') {
			return false;
		}
		value = value * 10 + (text.ptr[(*pos)++] - '0');
	}
	*out = value;
	return true;
}

static bool read_char(struct str text, size_t *pos, char want)
{
	if (*pos < text.len && text.ptr[*pos] == want) {
		(*pos)++;
		return true;
	}
	return false;
}

static bool read_fraction(struct str text, size_t *pos, int *out_ns)
{
	int value = 0, digits = 0;
	for (; *pos < text.len && text.ptr[*pos] >= '0' && text.ptr[*pos] <= '9';
	     (*pos)++, digits++) {
		if (digits < 9) {
			value = value * 10 + (text.ptr[*pos] - '0');
		}
	}
	if (digits == 0 || digits > 9) {
		return false;
	}
	for (; digits < 9; digits++) {
		value *= 10;
	}
	*out_ns = value;
	return true;
}

/* Reads "", "Z" or "+hh:mm" up to the end of the text. */
static bool read_offset(struct str text, size_t *pos, int64_t *out_ns)
{
	*out_ns = 0;
	if (*pos == text.len) {
		return true;
	}
	if (read_char(text, pos, 'Z') || read_char(text, pos, 'z')) {
		return *pos == text.len;
	}
	bool minus = read_char(text, pos, '-');
	int hour, minute;
	if (!minus && !read_char(text, pos, '+')) {
		return false;
	}
	if (!read_digits(text, pos, 2, &hour) || !read_char(text, pos, ':') ||
	    !read_digits(text, pos, 2, &minute) || hour > 23 || minute > 59 || *pos != text.len) {
		return false;
	}
	*out_ns = (hour * NS_PER_HOUR + minute * NS_PER_MIN) * (minus ? -1 : 1);
	return true;
}

static bool read_date(struct str text, size_t *pos, struct civil *civil)
{
	return read_digits(text, pos, 4, &civil->year) && read_char(text, pos, '-') &&
	       read_digits(text, pos, 2, &civil->month) && read_char(text, pos, '-') &&
	       read_digits(text, pos, 2, &civil->day);
}

/* "T10:00:00.123", with a space allowed for the T. */
static bool read_time(struct str text, size_t *pos, struct civil *civil)
{
	if (!read_char(text, pos, 'T') && !read_char(text, pos, 't') &&
	    !read_char(text, pos, ' ')) {
		return false;
	}
	if (!read_digits(text, pos, 2, &civil->hour) || !read_char(text, pos, ':') ||
	    !read_digits(text, pos, 2, &civil->minute) || !read_char(text, pos, ':') ||
	    !read_digits(text, pos, 2, &civil->second)) {
		return false;
	}
	return !read_char(text, pos, '.') || read_fraction(text, pos, &civil->nanosecond);
}

bool clock_parse_rfc3339(struct str text, int64_t *out_ns)
{
	struct civil civil = {0};
	size_t pos = 0;
	int64_t offset = 0;
	if (!read_date(text, &pos, &civil)) {
		return false;
	}
	if (pos < text.len &&
	    (!read_time(text, &pos, &civil) || !read_offset(text, &pos, &offset))) {
		return false;
	}
	int64_t ns;
	return clock_from_civil(&civil, &ns) && !__builtin_sub_overflow(ns, offset, out_ns);
}

/* Writes number in width decimal digits and one byte behind them; returns the end. */
static char *put_digits(char *at, int number, int width, char behind)
{
	for (int i = width; i-- > 0; number /= 10) {
		at[i] = (char)('0' + number % 10);
	}
	at[width] = behind;
	return at + width + 1;
}

/* By hand: three of these in each row of an answer took a sixth of its time with printf. */
void clock_put_rfc3339(struct buf *buf, int64_t ns, int digits)
{
	assert(digits >= 0 && digits <= 9);
	char text[32];
	struct civil civil;
	clock_to_civil(ns, &civil);
	char *at = put_digits(text, civil.year, 4, '-'); /* 1677 to 2262 */
	at = put_digits(at, civil.month, 2, '-');
	at = put_digits(at, civil.day, 2, 'T');
	at = put_digits(at, civil.hour, 2, ':');
	at = put_digits(at, civil.minute, 2, ':');
	at = put_digits(at, civil.second, 2, digits > 0 ? '.' : 'Z');
	if (digits > 0) {
		int fraction = civil.nanosecond;
		for (int i = digits; i < 9; i++) {
			fraction /= 10;
		}
		at = put_digits(at, fraction, digits, 'Z');
	}
	buf_put(buf, text, (size_t)(at - text));
}

struct unit {
	const char *name;
	int64_t ns;
};

static const struct unit units[] = {
	{"w", 7 * NS_PER_DAY}, {"d", NS_PER_DAY},   {"h", NS_PER_HOUR},
	{"m", NS_PER_MIN},     {"min", NS_PER_MIN}, {"s", NS_PER_SEC},
	{"ms", NS_PER_MS},     {"us", NS_PER_US},   {"ns", 1},
};

bool clock_parse_duration(struct str text, int64_t *out_ns)
{
	size_t digits = 0;
	while (digits < text.len &&
	       ((text.ptr[digits] >= '0' && text.ptr[digits] <= '9') || text.ptr[digits] == '.')) {
		digits++;
	}
	struct str number = str_slice(text, 0, digits);
	struct str name = str_slice(text, digits, text.len);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!str_is(name, units[i].name)) {
			continue;
		}
		int64_t value;
		int64_t scale = str_find_byte(number, '.', 0) >= 0 ? 1000000 : 1;
		if (!parse_decimal(number, scale, &value) ||
		    (scale == 1 && __builtin_mul_overflow(value, units[i].ns, &value))) {
			return false;
		}
		if (scale != 1) {
			__int128 exact = (__int128)value * units[i].ns / scale;
			if (exact > INT64_MAX) {
				return false;
			}
			value = (int64_t)exact;
		}
		*out_ns = value;
		return true;
	}
	return false;
}

void clock_put_duration(struct buf *buf, int64_t ns)
{
	if (ns == 0) {
		buf_put_text(buf, "0s");
		return;
	}
	for (size_t i = 1; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns % units[i].ns == 0) {
			buf_put_i64(buf, ns / units[i].ns);
			buf_put_text(buf, units[i].name);
			return;
		}
	}
}
