#include "correlator/ledger-line.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/parse.h"

#include <stdio.h>

#define VERSION "1"

void ledger_line_init(struct ledger_line *line)
{
	*line = (struct ledger_line){0};
	buf_init(&line->digests, 0);
}

void ledger_line_done(struct ledger_line *line)
{
	buf_done(&line->digests);
}

/* The first digits of the SHA-256 of a text. */
static void put_digits(struct str text, char out[LEDGER_LINE_DIGITS + 1])
{
	uint8_t digest[DIGEST_BYTES];
	digest_sha256(text, digest);
	for (size_t i = 0; i < LEDGER_LINE_DIGITS / 2; i++) {
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]); /* fits */
	}
}

static bool is_id(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
			return false;
		}
	}
	return text.len == LEDGER_ID_DIGITS;
}

static bool take_id(struct str text, char out[LEDGER_ID_DIGITS + 1])
{
	if (!is_id(text)) {
		return false;
	}
	memcpy(out, text.ptr, LEDGER_ID_DIGITS);
	out[LEDGER_ID_DIGITS] = 0;
	return true;
}

static bool take_kind(struct str text, enum ledger_kind *out_kind)
{
	if (str_is(text, "erased")) {
		*out_kind = LEDGER_ERASED;
		return true;
	}
	*out_kind = LEDGER_MASKED;
	return str_is(text, "masked");
}

/* One member; those that nothing depends on are passed over. */
static bool take_member(struct ledger_line *line, struct str key, struct str value)
{
	if (str_is(key, "ledger")) {
		return str_is(value, VERSION);
	}
	if (str_is(key, "prev")) {
		return value.len == 0 || take_id(value, line->prev);
	}
	if (str_is(key, "erasure")) {
		return take_id(value, line->id);
	}
	if (str_is(key, "store")) {
		return take_id(value, line->store);
	}
	if (str_is(key, "time")) {
		return clock_parse_rfc3339(value, &line->time_ns);
	}
	if (str_is(key, "kind")) {
		return take_kind(value, &line->kind);
	}
	if (str_is(key, "records")) {
		return parse_base64(value, &line->digests) &&
		       line->digests.len % LEDGER_DIGEST_BYTES == 0;
	}
	return true;
}

static bool read_object(struct str object, struct ledger_line *line)
{
	struct json_scanner scanner = json_scanner(object);
	if (json_next(&scanner) != JSON_OBJECT_BEGIN) {
		return false;
	}
	for (;;) {
		enum json_event event = json_next(&scanner);
		if (event == JSON_OBJECT_END) {
			return json_next(&scanner) == JSON_END && scanner.pos == object.len &&
			       line->id[0] != 0 && line->kind != LEDGER_NONE;
		}
		struct str key = scanner.text;
		if (event != JSON_KEY) {
			return false;
		}
		event = json_next(&scanner);
		if ((event != JSON_STRING && event != JSON_NUMBER) ||
		    !take_member(line, key, scanner.text)) {
			return false;
		}
	}
}

static void clear(struct ledger_line *line)
{
	struct buf digests = line->digests;
	*line = (struct ledger_line){.digests = digests};
	buf_clear(&line->digests);
}

const char *ledger_line_read(struct str text, struct ledger_line *line)
{
	char digits[LEDGER_LINE_DIGITS + 1];
	clear(line);
	if (text.len > LEDGER_LINE_MAX) {
		return "it is longer than a line may be";
	}
	if (text.len < LEDGER_LINE_DIGITS + 1) {
		return "it is no entry";
	}
	size_t size = text.len - LEDGER_LINE_DIGITS - 1;
	struct str object = str_slice(text, 0, size);
	put_digits(object, digits);
	if (text.ptr[size] != ' ' || memcmp(digits, text.ptr + size + 1, LEDGER_LINE_DIGITS) != 0) {
		return "it is damaged: its digest does not fit what it says";
	}
	if (!read_object(object, line)) {
		clear(line);
		return "it is no entry that this version knows";
	}
	return NULL;
}

void ledger_line_digest_of(struct str text, char out[LEDGER_LINE_DIGITS + 1])
{
	size_t behind = text.len > LEDGER_LINE_DIGITS ? text.len - LEDGER_LINE_DIGITS : 0;
	struct str digits = str_slice(text, behind, LEDGER_LINE_DIGITS);
	if (!take_id(digits, out)) {
		put_digits(text, out); /* the next line names something else: that is told */
	}
}

void ledger_line_begin(struct ledger_line *line, const struct ledger_append *entry)
{
	(void)snprintf(line->id, sizeof line->id, "%.*s", STR_ARG(entry->id));          /* fits */
	(void)snprintf(line->store, sizeof line->store, "%.*s", STR_ARG(entry->store)); /* fits */
	line->kind = entry->kind;
	line->time_ns = entry->time_ns;
}

static void put_text(struct buf *out, bool *first, const char *key, struct str text)
{
	json_put_key(out, first, key);
	json_put_string(out, text);
}

static void put_bytes(struct buf *out, bool *first, const char *key, struct str bytes)
{
	json_put_key(out, first, key);
	buf_put_byte(out, '"');
	parse_put_base64(out, bytes);
	buf_put_byte(out, '"');
}

void ledger_line_put(struct ledger_line *line, const struct ledger_append *entry, bool first,
		     struct buf *out)
{
	size_t start = out->len;
	bool none = true;
	buf_put_byte(out, '{');
	json_put_key(out, &none, "ledger");
	buf_put_text(out, VERSION);
	put_text(out, &none, "prev", str_of(line->prev));
	put_text(out, &none, "erasure", str_of(line->id));
	put_text(out, &none, "store", str_of(line->store));
	json_put_key(out, &none, "time");
	buf_put_byte(out, '"');
	clock_put_rfc3339(out, line->time_ns, 3);
	buf_put_byte(out, '"');
	put_text(out, &none, "kind", str_of(line->kind == LEDGER_ERASED ? "erased" : "masked"));
	if (first) {
		put_text(out, &none, "by", entry->by);
		put_text(out, &none, "reason", entry->reason);
		put_bytes(out, &none, "leaves", entry->leaves);
	}
	put_bytes(out, &none, "records", buf_str(&line->digests));
	buf_put_byte(out, '}');
	if (!out->failed) {
		put_digits(str_make(out->ptr + start, out->len - start), line->prev);
	}
	buf_put_byte(out, ' ');
	buf_put_text(out, line->prev);
	buf_put_byte(out, '\n');
}
