#include "base/clock.h"
#include "correlator/rules/values.h"

#define DIGITS_MAX 40

size_t value_put_number(int64_t number, char out[20])
{
	char digits[20];
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	size_t count = 0;
	size_t len = 0;

	do {
		digits[count++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (number < 0) {
		out[len++] = '-';
	}
	while (count > 0) {
		out[len++] = digits[--count];
	}
	return len;
}

/* A decimal without exponent: -12.5 */
static bool read_decimal(struct str text, double *out_number)
{
	double number = 0;
	double scale = 0;
	size_t at = text.len != 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;

	if (at == text.len || text.len > DIGITS_MAX) {
		return false;
	}
	for (size_t i = at; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '.' && scale == 0 && i > at && i + 1 < text.len) {
			scale = 1;
		} else if (c >= '0' && c <= '9') {
			number = number * 10 + (c - '0');
			scale *= 10;
		} else {
			return false;
		}
	}
	number = scale > 1 ? number / scale : number;
	*out_number = text.ptr[0] == '-' ? -number : number;
	return true;
}

bool value_number(const struct value *value, double *out_number)
{
	switch (value->type) {
	case VALUE_TEXT:
		return read_decimal(value->text, out_number);
	case VALUE_INT:
	case VALUE_BOOL:
		*out_number = (double)value->number;
		return true;
	case VALUE_TIME:
		*out_number = (double)value->number / (double)NS_PER_SEC;
		return true;
	}
	return false;
}

/* 1 for Monday .. 7 for Sunday of a day counted from 1970-01-01, a Thursday. */
static int64_t weekday(int64_t day)
{
	return ((day + 3) % 7 + 7) % 7 + 1;
}

/* The week of ISO 8601: that of the year in which its Thursday lies. */
static int iso_week(int64_t ns)
{
	int64_t day = ns / NS_PER_DAY - (ns % NS_PER_DAY < 0 ? 1 : 0);
	int64_t thursday = day - weekday(day) + 4;
	struct civil civil;
	int64_t first;

	clock_to_civil(thursday * NS_PER_DAY, &civil);
	civil = (struct civil){.year = civil.year, .month = 1, .day = 1};
	if (!clock_from_civil(&civil, &first)) {
		return 0;
	}
	return (int)((thursday - first / NS_PER_DAY + (first % NS_PER_DAY < 0 ? 1 : 0)) / 7) + 1;
}

bool value_part(const struct value *value, enum rule_part part, int *out_number)
{
	struct civil civil;
	int64_t ns = value->number;

	if (value->type != VALUE_TIME &&
	    (value->type != VALUE_TEXT || !clock_parse_rfc3339(value->text, &ns))) {
		return false;
	}
	clock_to_civil(ns, &civil);
	switch (part) {
	case RULE_PART_NONE:
		return false;
	case RULE_PART_MINUTE:
		*out_number = civil.minute;
		return true;
	case RULE_PART_HOUR:
		*out_number = civil.hour;
		return true;
	case RULE_PART_DAY:
		*out_number = civil.day;
		return true;
	case RULE_PART_WEEK:
		*out_number = iso_week(ns);
		return true;
	case RULE_PART_MONTH:
		*out_number = civil.month;
		return true;
	case RULE_PART_YEAR:
		*out_number = civil.year;
		return true;
	}
	return false;
}
