#include "store/block/pattern.h"

#define UUID_LEN        36
#define DATE_LEN        10
#define TIME_LEN        19
#define HEX_RUN_MIN     8  /* shorter runs of letters and digits are no hexadecimal */
#define HEX_NUMBER_MAX  16 /* digits that fit a number */
#define BASE64_MIN      12
#define BASE64_BARE_MIN 16  /* without padding */
#define BASE64_RUN_MAX  340 /* letters of PATTERN_BYTES_MAX bytes */

/* The value of a hexadecimal digit, 16 for another byte; *cases gets bit 0 for a lower-case letter, bit 1 for an upper-case one. */
static unsigned hex_of(char c, unsigned *cases)
{
	if (c >= '0' && c <= '9') {
		return (unsigned)(c - '0');
	}
	if (c >= 'a' && c <= 'f') {
		*cases |= 1;
		return (unsigned)(c - 'a' + 10);
	}
	if (c >= 'A' && c <= 'F') {
		*cases |= 2;
		return (unsigned)(c - 'A' + 10);
	}
	return 16;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (uint8_t)c >= 0x80;
}

/* Whether a run of letters and digits ends at pos. */
static bool ends_at(struct str text, size_t pos)
{
	return pos == text.len || !is_alnum(text.ptr[pos]);
}

static bool is_dash_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

/* The nibbles of a UUID; false when there is none. */
static bool nibbles_at(const char *at, uint8_t *bytes, unsigned *cases)
{
	size_t nibbles = 0;

	for (size_t i = 0; i < UUID_LEN; i++) {
		unsigned value;

		if (is_dash_place(i)) {
			if (at[i] != '-') {
				return false;
			}
			continue;
		}
		value = hex_of(at[i], cases);
		if (value == 16) {
			return false;
		}
		bytes[nibbles / 2] = (uint8_t)((unsigned)bytes[nibbles / 2] << 4 | value);
		nibbles++;
	}
	return *cases != 3;
}

static size_t uuid_at(struct str text, size_t pos, struct pattern_token *out, uint8_t *bytes)
{
	const char *at = text.ptr + pos;
	unsigned cases = 0;

	if (text.len - pos < UUID_LEN || at[8] != '-' || !ends_at(text, pos + UUID_LEN) ||
	    !nibbles_at(at, bytes, &cases)) {
		return 0;
	}
	out->slot.kind = bytes[6] >> 4 == 4 && bytes[8] >> 6 == 2 ? PATTERN_UUID4 : PATTERN_UUID;
	out->slot.arg = cases == 2;
	out->text = str_make(bytes, 16);
	return UUID_LEN;
}

/* The number that len digits make; -1 when one is none. */
static int64_t digits(const char *at, size_t len)
{
	int64_t value = 0;

	for (size_t i = 0; i < len; i++) {
		if (!is_digit(at[i])) {
			return -1;
		}
		value = value * 10 + (at[i] - '0');
	}
	return value;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = month <= 2 ? year - 1 : year;
	int64_t era = shifted / 400;
	int64_t of_era = shifted - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The day that stands at; false when it is none that is written so. */
static bool day_at(const char *at, int64_t *out_days)
{
	static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t year = digits(at, 4);
	int64_t month = digits(at + 5, 2);
	int64_t day = digits(at + 8, 2);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (at[7] != '-' || year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (month == 2 && leap)) {
		return false;
	}
	*out_days = days_of(year, month, day);
	return true;
}

/* Hours, minutes and seconds behind a day; false when they are none. */
static bool seconds_at(const char *at, int64_t *out_seconds)
{
	int64_t hour = digits(at, 2);
	int64_t minute = digits(at + 3, 2);
	int64_t second = digits(at + 6, 2);

	if (at[2] != ':' || at[5] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 59) {
		return false;
	}
	*out_seconds = hour * 3600 + minute * 60 + second;
	return true;
}

/* Adds the digits behind the seconds to a time, when there are 1 to 9; how many bytes that is. */
static size_t take_fraction(const char *at, size_t left, struct pattern_token *out)
{
	size_t count = 0;

	if (left == 0 || at[0] != '.') {
		return 0;
	}
	while (1 + count < left && is_digit(at[1 + count])) {
		count++;
	}
	if (count == 0 || count > 9) {
		return 0;
	}
	for (size_t i = 1; i <= count; i++) {
		out->number = out->number * 10 + (at[i] - '0');
	}
	out->slot.arg = (uint8_t)(out->slot.arg | count);
	return 1 + count;
}

/* A day, and the time of day behind it if there is one. */
static size_t date_at(struct str text, size_t pos, struct pattern_token *out)
{
	const char *at = text.ptr + pos;
	size_t left = text.len - pos;
	int64_t days;
	int64_t seconds;

	if (left < DATE_LEN || at[4] != '-' || !day_at(at, &days) ||
	    (left > DATE_LEN && is_digit(at[DATE_LEN]))) {
		return 0;
	}
	if (left < TIME_LEN || (at[DATE_LEN] != 'T' && at[DATE_LEN] != ' ') ||
	    !seconds_at(at + DATE_LEN + 1, &seconds) ||
	    (left > TIME_LEN && is_digit(at[TIME_LEN]))) {
		*out = (struct pattern_token){.slot = {PATTERN_DATE, 0}, .number = days};
		return DATE_LEN;
	}
	*out = (struct pattern_token){.slot = {PATTERN_TIME, at[DATE_LEN] == ' ' ? 0x80 : 0},
				      .number = days * 86400 + seconds};
	return TIME_LEN + take_fraction(at + TIME_LEN, left - TIME_LEN, out);
}

/* A run of hexadecimal digits with a letter and a digit among them. */
static size_t hex_at(struct str text, size_t pos, struct pattern_token *out, uint8_t *bytes)
{
	size_t len = 0;
	size_t max = text.len - pos < 2 * PATTERN_BYTES_MAX ? text.len - pos
							    : 2 * (size_t)PATTERN_BYTES_MAX;
	unsigned cases = 0;
	unsigned digit_count = 0;
	uint64_t number = 0;

	while (len < max) {
		unsigned value = hex_of(text.ptr[pos + len], &cases);

		if (value == 16) {
			break;
		}
		number = number << 4 | value;
		bytes[len / 2] = (uint8_t)((unsigned)bytes[len / 2] << 4 | value);
		digit_count += value < 10;
		len++;
	}
	if (len < HEX_RUN_MIN || cases == 0 || cases == 3 || digit_count == 0 ||
	    !ends_at(text, pos + len)) {
		return 0;
	}
	if (len <= HEX_NUMBER_MAX) {
		out->slot.kind = PATTERN_HEX;
		out->slot.arg = (uint8_t)(len | (cases == 2 ? 0x80 : 0));
		memcpy(&out->number, &number, sizeof(number));
		return len;
	}
	if (len % 2 != 0) {
		return 0;
	}
	out->slot.kind = cases == 1 ? PATTERN_HEXBYTES : PATTERN_HEXUPPER;
	out->slot.arg = (uint8_t)(len / 2);
	out->text = str_make(bytes, len / 2);
	return len;
}

size_t pattern_token_at(struct str text, size_t pos, struct pattern_token *out,
			uint8_t bytes[PATTERN_BYTES_MAX + 1])
{
	char c = text.ptr[pos];
	size_t len = uuid_at(text, pos, out, bytes);

	if (len == 0 && (c == '1' || c == '2')) {
		len = date_at(text, pos, out);
	}
	return len > 0 ? len : hex_at(text, pos, out, bytes);
}

/* The value of a letter of Base64; 64 for another byte. Both alphabets. */
static unsigned sextet_of(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return (unsigned)(c - 'A');
	}
	if (c >= 'a' && c <= 'z') {
		return (unsigned)(c - 'a' + 26);
	}
	if (is_digit(c)) {
		return (unsigned)(c - '0' + 52);
	}
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : 64;
}

/* A run of Base64 letters. */
struct run {
	size_t len;
	unsigned changes; /* between upper case, lower case, digits and marks */
	unsigned plus;    /* + and / */
	unsigned dash;    /* - and _ */
	unsigned digits;
};

static struct run run_at(struct str text, size_t pos)
{
	struct run run = {.len = 0};
	unsigned before = 4;

	for (; pos + run.len < text.len && run.len <= BASE64_RUN_MAX; run.len++) {
		char c = text.ptr[pos + run.len];
		unsigned value = sextet_of(c);
		unsigned class = value < 26 ? 0 : value < 52 ? 1 : value < 62 ? 2 : 3;

		/* a word behind a dash in plain Base64 is none of it, nor the other way round */
		if (value == 64 || ((c == '+' || c == '/') && run.dash > 0) ||
		    ((c == '-' || c == '_') && run.plus > 0)) {
			break;
		}
		run.changes += class != before;
		run.digits += class == 2;
		run.plus += c == '+' || c == '/';
		run.dash += c == '-' || c == '_';
		before = class;
	}
	return run;
}

/* Decodes len letters; false when bits are set that no byte has. */
static bool decode(const char *at, size_t len, uint8_t *bytes)
{
	unsigned held = 0;
	uint32_t bits = 0;
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 6 | sextet_of(at[i]);
		held += 6;
		if (held >= 8) {
			held -= 8;
			bytes[count++] = (uint8_t)(bits >> held);
			bits &= (1u << held) - 1;
		}
	}
	return bits == 0;
}

/* Whether a run looks random. Random letters change between their classes at two of three, and one of 32 is a mark; names in mixed case and
 * paths must not pass. Padding is a strong sign by itself. */
static bool looks_random(const struct run *run, size_t padding)
{
	size_t marks = run->plus + run->dash;

	if (padding > 0) {
		return run->changes * 5 >= run->len && marks <= 1 + run->len / 4;
	}
	return marks <= 1 + run->len / 12 && (run->digits > 0 ? run->changes * 5 >= run->len * 2
							      : (run->changes - 1) * 2 >= run->len);
}

/* The kind of a run, or 0. */
static uint8_t kind_of(const struct run *run, size_t padding)
{
	size_t least = padding > 0 ? BASE64_MIN : BASE64_BARE_MIN;

	if (run->dash == 0 && (run->len + padding) % 4 == 0 && run->len + padding >= least) {
		return PATTERN_BASE64;
	}
	return run->plus == 0 && padding == 0 && run->len >= BASE64_BARE_MIN ? PATTERN_BASE64URL
									     : 0;
}

size_t pattern_base64_at(struct str text, size_t pos, struct pattern_token *out,
			 uint8_t bytes[PATTERN_BYTES_MAX + 1])
{
	struct run run = run_at(text, pos);
	size_t padding = 0;
	uint8_t kind;

	if (run.len < BASE64_MIN - 2 || run.len > BASE64_RUN_MAX || run.len % 4 == 1) {
		return 0;
	}
	while (padding < 2 && pos + run.len + padding < text.len &&
	       text.ptr[pos + run.len + padding] == '=') {
		padding++;
	}
	kind = kind_of(&run, padding);
	if (kind == 0 || !looks_random(&run, padding) || !ends_at(text, pos + run.len + padding) ||
	    !decode(text.ptr + pos, run.len, bytes)) {
		return 0;
	}
	out->slot.kind = kind;
	out->slot.arg = (uint8_t)(run.len * 3 / 4);
	out->text = str_make(bytes, out->slot.arg);
	return run.len + padding;
}
