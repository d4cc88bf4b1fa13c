#include "store/block/recipe.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static char *put_digits(char *out, unsigned value, unsigned width)
{
	for (unsigned i = width; i-- > 0; value /= 10) {
		out[i] = (char)('0' + value % 10);
	}
	return out + width;
}

static void put_common(int64_t time_ns, struct buf *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil civil;
	char text[32];
	clock_to_civil(time_ns, &civil);
	char *at = put_digits(text, (unsigned)civil.day, 2);
	*at++ = '/';
	memcpy(at, months + 3 * (civil.month - 1), 3);
	at += 3;
	*at++ = '/';
	at = put_digits(at, (unsigned)civil.year, 4);
	*at++ = ':';
	at = put_digits(at, (unsigned)civil.hour, 2);
	*at++ = ':';
	at = put_digits(at, (unsigned)civil.minute, 2);
	*at++ = ':';
	at = put_digits(at, (unsigned)civil.second, 2);
	memcpy(at, " +0000", 6);
	buf_put(out, text, (size_t)(at + 6 - text));
}

static void put_iso(int64_t time_ns, unsigned form, struct buf *out)
{
	static const unsigned powers[] = {1000000000, 100000000, 10000000, 1000000, 100000,
					  10000,      1000,      100,      10,      1};
	unsigned digits = (form & 31) - 16;
	struct civil civil;
	char text[40];
	clock_to_civil(time_ns, &civil);
	char *at = put_digits(text, (unsigned)civil.year, 4);
	*at++ = '-';
	at = put_digits(at, (unsigned)civil.month, 2);
	*at++ = '-';
	at = put_digits(at, (unsigned)civil.day, 2);
	*at++ = (form & 32) != 0 ? ' ' : 'T';
	at = put_digits(at, (unsigned)civil.hour, 2);
	*at++ = ':';
	at = put_digits(at, (unsigned)civil.minute, 2);
	*at++ = ':';
	at = put_digits(at, (unsigned)civil.second, 2);
	if (digits > 0) {
		*at++ = '.';
		at = put_digits(at, (unsigned)civil.nanosecond / powers[digits], digits);
	}
	if ((form & 64) != 0) {
		*at++ = 'Z';
	}
	buf_put(out, text, (size_t)(at - text));
}

bool recipe_put_time(int64_t time_ns, unsigned form, struct buf *out)
{
	if (form == 1 || form == 2) {
		buf_put_i64(out, floor_div(time_ns, form == 1 ? NS_PER_MS : NS_PER_SEC));
		return true;
	}
	if (form == 3) {
		put_common(time_ns, out);
		return true;
	}
	if (form >= 128 || (form & 31) < 16 || (form & 31) > 25) {
		return false;
	}
	put_iso(time_ns, form, out);
	return true;
}

/* The form that a text of this length and look could have. */
static unsigned guess_form(struct str text)
{
	if (text.len == 26 && text.ptr[2] == '/') {
		return 3;
	}
	if (text.len >= 19 && text.ptr[4] == '-' && text.ptr[7] == '-') {
		unsigned zone = text.ptr[text.len - 1] == 'Z' ? 64 : 0;
		size_t fraction = text.len - (zone != 0 ? 1 : 0) - 19;
		unsigned blank = text.ptr[10] == ' ' ? 32 : 0;
		fraction = fraction > 0 ? fraction - 1 : 0;
		return fraction <= 9 ? 16 + (unsigned)fraction + blank + zone : 0;
	}
	return text.len >= 12 ? 1 : 2;
}

unsigned recipe_time_form(int64_t time_ns, struct str text)
{
	char room[48];
	struct buf out = {.ptr = room, .capacity = sizeof room, .max_bytes = sizeof room - 1};
	if (text.len < 8 || text.len > 31 || text.ptr[0] < '0' || text.ptr[0] > '9') {
		return 0;
	}
	unsigned form = guess_form(text);
	bool fits = recipe_put_time(time_ns, form, &out) && !out.failed &&
		    str_equal(buf_str(&out), text);
	return fits ? form : 0;
}

#define EVERY_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t load(const char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return word;
}

/* Not 0 when a byte of eight is below 0x20, above 0x7e, a quote or a backslash. */
static inline uint64_t specials(uint64_t word)
{
	uint64_t quote = word ^ EVERY_BYTE('"');
	uint64_t slash = word ^ EVERY_BYTE('\\');
	uint64_t below = (word - EVERY_BYTE(0x20)) | (quote - EVERY_BYTE(1)) |
			 (slash - EVERY_BYTE(1)); /* all wrong above a wrong one only */
	return (below | (word + EVERY_BYTE(1)) | word) & EVERY_BYTE(0x80);
}

bool recipe_is_plain(struct str text)
{
	const char *at = text.ptr;
	size_t left = text.len;
	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), at += sizeof(uint64_t)) {
		if (specials(load(at)) != 0) {
			return false;
		}
	}
	if (left > 0 && text.len >= sizeof(uint64_t)) { /* once more what was looked at */
		return specials(load(at + left - sizeof(uint64_t))) == 0;
	}
	uint64_t rest = EVERY_BYTE(' ');
	for (size_t i = 0; i < left; i++) {
		rest = rest << 8 | (uint8_t)at[i];
	}
	return specials(rest) == 0;
}

void recipe_put_json(struct str text, struct buf *out)
{
	size_t start = out->len;
	if (recipe_is_plain(text)) {
		buf_put_str(out, text);
		return;
	}
	json_put_string(out, text);
	if (!out->failed) {
		memmove(out->ptr + start, out->ptr + start + 1, out->len - start - 2);
		buf_truncate(out, out->len - 2);
	}
}

static void put_escaped(uint8_t byte, struct buf *out)
{
	static const char letters[] = "\b\f\n\r\t\"\\";
	static const char words[] = "bfnrt\"\\";
	const char *at = byte != 0 ? strchr(letters, byte) : NULL;
	if (at != NULL) {
		buf_put_byte(out, '\\');
		buf_put_byte(out, (uint8_t)words[at - letters]);
	} else {
		buf_putf(out, "\\u%04x", byte);
	}
}

void recipe_put_plain(struct str text, struct buf *out)
{
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];
		if (byte < 0x20 || byte == '"' || byte == '\\') {
			buf_put(out, text.ptr + from, i - from);
			put_escaped(byte, out);
			from = i + 1;
		}
	}
	if (from < text.len) {
		buf_put(out, text.ptr + from, text.len - from);
	}
}
