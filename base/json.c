#include "base/json.h"

#include "base/utf8.h"

#include <assert.h>

enum state {                    /* what may come next */
	     STATE_VALUE,       /* a value (at the top or behind a colon) */
	     STATE_FIRST_KEY,   /* a key or '}' */
	     STATE_FIRST_ITEM,  /* a value or ']' */
	     STATE_AFTER_VALUE, /* ',' or the closing bracket */
	     STATE_DONE,
	     STATE_FAILED,
};

struct json_scanner json_scanner(struct str input)
{
	return (struct json_scanner){.input = input, .state = STATE_VALUE};
}

static enum json_event fail(struct json_scanner *scanner, const char *problem)
{
	if (scanner->state != STATE_FAILED) {
		scanner->state = STATE_FAILED;
		scanner->problem = problem;
	}
	return JSON_ERROR;
}

static int peek(const struct json_scanner *scanner)
{
	return scanner->pos < scanner->input.len ? (uint8_t)scanner->input.ptr[scanner->pos] : -1;
}

static void skip_space(struct json_scanner *scanner)
{
	for (int c = peek(scanner); c == ' ' || c == '\n' || c == '\r' || c == '\t';
	     c = peek(scanner)) {
		scanner->pos++;
	}
}

static bool in_object(const struct json_scanner *scanner)
{
	return scanner->depth != 0 && (scanner->in_object >> (scanner->depth - 1) & 1) != 0;
}

static void after_value(struct json_scanner *scanner)
{
	scanner->state = scanner->depth == 0 ? STATE_DONE : STATE_AFTER_VALUE;
}

#define EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* High bits where a byte of word is 0; exact up to the first such byte, which is all that matters. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - EVERY_BYTE(0x01)) & ~word & EVERY_BYTE(0x80);
}

/* The first quote or backslash from `at` on; the input's length when there is none. */
static size_t find_mark(struct str input, size_t at)
{
	for (uint64_t word; input.len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, input.ptr + at, sizeof(word));
		uint64_t marks =
			zero_bytes(word ^ EVERY_BYTE('"')) | zero_bytes(word ^ EVERY_BYTE('\\'));
		if (marks != 0) {
			break; /* which of the bytes, is found below in either byte order */
		}
	}
	while (at < input.len && input.ptr[at] != '"' && input.ptr[at] != '\\') {
		at++;
	}
	return at;
}

/* Reads a quoted text; pos stands on the quote. */
static bool read_text(struct json_scanner *scanner)
{
	size_t begin = scanner->pos + 1;
	struct str input = scanner->input;
	scanner->has_escapes = false;
	for (size_t at = find_mark(input, begin); at < input.len; at = find_mark(input, at)) {
		if (input.ptr[at] == '"') {
			scanner->text = str_make(input.ptr + begin, at - begin);
			scanner->pos = at + 1;
			return true;
		}
		scanner->has_escapes = true;
		at = input.len - at > 2 ? at + 2 : input.len;
	}
	return false;
}

static enum json_event read_word(struct json_scanner *scanner, const char *word,
				 enum json_event event)
{
	struct str rest = str_slice(scanner->input, scanner->pos, scanner->input.len);
	if (!str_has_prefix(rest, str_of(word))) {
		return fail(scanner, "unknown word");
	}
	scanner->text = str_slice(rest, 0, strlen(word));
	scanner->pos += strlen(word);
	after_value(scanner);
	return event;
}

static size_t digit_run(const struct json_scanner *scanner, size_t at)
{
	size_t start = at;
	while (at < scanner->input.len && scanner->input.ptr[at] >= '0' &&
	       scanner->input.ptr[at] <= '9') {
		at++;
	}
	return at - start;
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static enum json_event read_number(struct json_scanner *scanner)
{
	struct str input = scanner->input;
	size_t at = scanner->pos;
	at += input.ptr[at] == '-';
	size_t digits = digit_run(scanner, at);
	if (digits == 0 || (digits > 1 && input.ptr[at] == '0')) {
		return fail(scanner, "malformed number");
	}
	at += digits;
	if (at < input.len && input.ptr[at] == '.') {
		digits = digit_run(scanner, at + 1);
		if (digits == 0) {
			return fail(scanner, "malformed number");
		}
		at += 1 + digits;
	}
	if (at < input.len && (input.ptr[at] == 'e' || input.ptr[at] == 'E')) {
		at++;
		at += at < input.len && (input.ptr[at] == '+' || input.ptr[at] == '-');
		digits = digit_run(scanner, at);
		if (digits == 0) {
			return fail(scanner, "malformed number");
		}
		at += digits;
	}
	scanner->text = str_make(input.ptr + scanner->pos, at - scanner->pos);
	scanner->pos = at;
	after_value(scanner);
	return JSON_NUMBER;
}

static enum json_event begin(struct json_scanner *scanner, bool object)
{
	if (scanner->depth == JSON_DEPTH_MAX) {
		return fail(scanner, "nested deeper than 64");
	}
	scanner->text = str_make(scanner->input.ptr + scanner->pos, 1);
	scanner->pos++;
	uint64_t bit = UINT64_C(1) << scanner->depth;
	scanner->in_object = object ? scanner->in_object | bit : scanner->in_object & ~bit;
	scanner->depth++;
	scanner->state = object ? STATE_FIRST_KEY : STATE_FIRST_ITEM;
	return object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
}

static enum json_event end(struct json_scanner *scanner)
{
	bool object = in_object(scanner);
	scanner->text = str_make(scanner->input.ptr + scanner->pos, 1);
	scanner->pos++;
	scanner->depth--;
	after_value(scanner);
	return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_event read_value(struct json_scanner *scanner)
{
	int c = peek(scanner);
	switch (c) {
	case '{':
		return begin(scanner, true);
	case '[':
		return begin(scanner, false);
	case '"':
		if (!read_text(scanner)) {
			return fail(scanner, "unterminated string");
		}
		after_value(scanner);
		return JSON_STRING;
	case 't':
		return read_word(scanner, "true", JSON_TRUE);
	case 'f':
		return read_word(scanner, "false", JSON_FALSE);
	case 'n':
		return read_word(scanner, "null", JSON_NULL);
	case -1:
		return fail(scanner, "the text ends where a value should be");
	default:
		if (c == '-' || (c >= '0' && c <= '9')) {
			return read_number(scanner);
		}
		return fail(scanner, "no value begins like this");
	}
}

/* A key and its colon. */
static enum json_event read_key(struct json_scanner *scanner)
{
	scanner->start = scanner->pos;
	if (peek(scanner) != '"') {
		return fail(scanner, "a key in quotes should stand here");
	}
	if (!read_text(scanner)) {
		return fail(scanner, "unterminated key");
	}
	skip_space(scanner);
	if (peek(scanner) != ':') {
		return fail(scanner, "a colon should stand here");
	}
	scanner->pos++;
	scanner->state = STATE_VALUE;
	return JSON_KEY;
}

enum json_event json_next(struct json_scanner *scanner)
{
	if (scanner->state == STATE_FAILED) {
		return JSON_ERROR;
	}
	if (scanner->state == STATE_DONE) {
		return JSON_END;
	}
	skip_space(scanner);
	int closing = in_object(scanner) ? '}' : ']';
	if (scanner->state == STATE_AFTER_VALUE) {
		int c = peek(scanner);
		if (c != closing && c != ',') {
			return fail(scanner,
				    c < 0 ? "the text ends inside an object or array"
					  : "a comma or closing bracket should stand here");
		}
		if (c == ',') {
			scanner->pos++;
			skip_space(scanner);
			scanner->start = scanner->pos;
			return in_object(scanner) ? read_key(scanner) : read_value(scanner);
		}
	}
	scanner->start = scanner->pos;
	if (scanner->state != STATE_VALUE && peek(scanner) == closing) {
		return end(scanner);
	}
	return scanner->state == STATE_FIRST_KEY ? read_key(scanner) : read_value(scanner);
}

bool json_skip(struct json_scanner *scanner, struct str *out_raw)
{
	unsigned depth = scanner->depth;
	enum json_event event = json_next(scanner);
	size_t start = scanner->start;
	while (event != JSON_ERROR && event != JSON_END && scanner->depth > depth) {
		event = json_next(scanner);
	}
	if (event == JSON_ERROR || event == JSON_END || scanner->depth < depth) {
		return false;
	}
	*out_raw = str_make(scanner->input.ptr + start, scanner->pos - start);
	return true;
}

/* Four hexadecimal digits at pos, or -1. */
static int32_t read_unit(struct str raw, size_t pos)
{
	int32_t unit = 0;
	for (size_t i = 0; i < 4; i++) {
		char c = pos + i < raw.len ? raw.ptr[pos + i] : '\0';
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0) {
			return -1;
		}
		unit = unit << 4 | digit;
	}
	return unit;
}

static void put_surrogate(struct buf *out, uint32_t unit, bool wtf8)
{
	if (!wtf8) {
		utf8_put(out, 0xfffd);
		return;
	}
	uint8_t bytes[3] = {0xed, (uint8_t)(0x80 | (unit >> 6 & 0x3f)),
			    (uint8_t)(0x80 | (unit & 0x3f))};
	buf_put(out, bytes, sizeof(bytes));
}

/* Resolves the escape whose backslash stands at *pos. Returns how many lone surrogates it was (0 or 1). */
static size_t unescape_one(struct str raw, size_t *pos, bool wtf8, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	char c = *pos + 1 < raw.len ? raw.ptr[*pos + 1] : '\0';
	const char *simple = c != '\0' ? strchr(from, c) : NULL;
	if (simple != NULL) {
		buf_put_byte(out, (uint8_t)to[simple - from]);
		*pos += 2;
		return 0;
	}
	int32_t unit = c == 'u' ? read_unit(raw, *pos + 2) : -1;
	if (unit < 0) { /* not an escape: the backslash stands for itself */
		buf_put_byte(out, '\\');
		(*pos)++;
		return 0;
	}
	*pos += 6;
	if (unit < 0xd800 || unit > 0xdfff) {
		utf8_put(out, (uint32_t)unit);
		return 0;
	}
	bool pair = unit <= 0xdbff && *pos + 1 < raw.len && raw.ptr[*pos] == '\\' &&
		    raw.ptr[*pos + 1] == 'u';
	int32_t low = pair ? read_unit(raw, *pos + 2) : -1;
	if (low >= 0xdc00 && low <= 0xdfff) {
		utf8_put(out,
			 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
		*pos += 6;
		return 0;
	}
	put_surrogate(out, (uint32_t)unit, wtf8);
	return 1;
}

size_t json_unescape(struct str raw, bool wtf8, struct buf *out)
{
	size_t lone = 0;
	for (size_t pos = 0; pos < raw.len;) {
		ptrdiff_t slash = str_find_byte(raw, '\\', pos);
		size_t end_of_run = slash < 0 ? raw.len : (size_t)slash;
		buf_put(out, raw.ptr + pos, end_of_run - pos);
		pos = end_of_run;
		if (slash >= 0) {
			lone += unescape_one(raw, &pos, wtf8, out);
		}
	}
	return lone;
}

/* A WTF-8 surrogate at pos (three bytes ed a0..bf xx), or 0. */
static uint32_t wtf8_surrogate(struct str s, size_t pos)
{
	if (s.len - pos < 3 || (uint8_t)s.ptr[pos] != 0xed) {
		return 0;
	}
	uint8_t second = (uint8_t)s.ptr[pos + 1];
	uint8_t third = (uint8_t)s.ptr[pos + 2];
	if (second < 0xa0 || second > 0xbf || (third & 0xc0) != 0x80) {
		return 0;
	}
	return 0xd000u | (uint32_t)(second & 0x3f) << 6 | (third & 0x3fu);
}

static bool needs_escape(uint32_t cp)
{
	return cp < 0x20 || cp == '"' || cp == '\\' || (cp >= 0x7f && cp <= 0x9f) || cp == 0x61c ||
	       (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

static void put_escape(struct buf *buf, uint32_t cp)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *simple = cp != 0 && cp < 0x80 ? strchr(from, (int)cp) : NULL;
	if (simple != NULL) {
		buf_put_byte(buf, '\\');
		buf_put_byte(buf, (uint8_t)to[simple - from]);
	} else {
		buf_putf(buf, "\\u%04x", cp);
	}
}

/* How many bytes from pos on are ASCII that stands for itself in a JSON string. */
static size_t plain_run(struct str s, size_t pos)
{
	size_t at = pos;
	for (uint64_t word; s.len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, s.ptr + at, sizeof(word));
		uint64_t control = (word - EVERY_BYTE(0x20)) & ~word & EVERY_BYTE(0x80);
		uint64_t special =
			control | (word & EVERY_BYTE(0x80)) | zero_bytes(word ^ EVERY_BYTE('"')) |
			zero_bytes(word ^ EVERY_BYTE('\\')) | zero_bytes(word ^ EVERY_BYTE(0x7f));
		if (special != 0) {
			break;
		}
	}
	for (; at < s.len; at++) {
		uint8_t byte = (uint8_t)s.ptr[at];
		if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') {
			break;
		}
	}
	return at - pos;
}

/* A string of which nothing has to be escaped; most are. */
static void put_plain_string(struct buf *buf, struct str s)
{
	if (buf_reserve(buf, s.len + 2) != 0) {
		return;
	}
	char *at = buf->ptr + buf->len;
	at[0] = '"';
	if (s.len > 0) {
		memcpy(at + 1, s.ptr, s.len);
	}
	at[s.len + 1] = '"';
	at[s.len + 2] = '\0';
	buf->len += s.len + 2;
}

void json_put_string(struct buf *buf, struct str s)
{
	size_t first = plain_run(s, 0);
	if (first == s.len) {
		put_plain_string(buf, s);
		return;
	}
	buf_put_byte(buf, '"');
	size_t plain = 0; /* start of the run that can be copied as it is */
	for (size_t pos = first; pos < s.len; pos += plain_run(s, pos)) {
		uint8_t byte = (uint8_t)s.ptr[pos];
		size_t start = pos;
		uint32_t surrogate = wtf8_surrogate(s, pos);
		uint32_t cp = surrogate != 0 ? surrogate : utf8_next(s, &pos);
		pos += surrogate != 0 ? 3 : 0;
		bool invalid = cp == 0xfffd && (byte != 0xef || pos - start != 3);
		if (surrogate != 0 || needs_escape(cp) || invalid) {
			buf_put(buf, s.ptr + plain, start - plain);
			if (invalid) {
				utf8_put(buf, 0xfffd);
			} else {
				put_escape(buf, cp);
			}
			plain = pos;
		}
	}
	if (s.len != plain) {
		buf_put(buf, s.ptr + plain, s.len - plain);
	}
	buf_put_byte(buf, '"');
}

void json_put_key(struct buf *buf, bool *first, const char *key)
{
	if (!*first) {
		buf_put_byte(buf, ',');
	}
	*first = false;
	json_put_string(buf, str_of(key));
	buf_put_byte(buf, ':');
}
