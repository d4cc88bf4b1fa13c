/* json - a pull scanner that keeps offsets, and a writer.
 *
 * Why:     log lines must be parsed at a rate, with repeated keys and lone surrogates reported, and given back byte for byte;
 *          a tree of values would lose all three. Whole API replies are read with jansson instead (collector/sources/).
 * Shape:   json_next gives one event after the other: object and array borders, keys, scalars. Text events carry the raw slice
 *          between the quotes and whether it holds escapes; json_unescape gives the text.
 * Limits:  depth 64; numbers are slices, never converted here.
 * Errors:  a syntax error gives JSON_ERROR once and for ever; pos is the offset of the offending byte.
 * Life:    slices borrow from the input. Threads: one scanner per thread. Blocking: never.
 * Source:  RFC 8259. Tests: tests/unit/json.c, tests/fuzz/json.c
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

#define JSON_DEPTH_MAX 64

enum json_event {
	JSON_END, /* the value is complete; only white space may follow (see json_next) */
	JSON_ERROR,
	JSON_OBJECT_BEGIN,
	JSON_OBJECT_END,
	JSON_ARRAY_BEGIN,
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_scanner {
	struct str input;
	size_t pos;
	struct str
		text; /* KEY, STRING: between the quotes, raw; NUMBER: the digits; others: the word or bracket */
	size_t start;        /* offset of the event's first byte (the quote for text) */
	bool has_escapes;    /* KEY, STRING: text holds backslashes */
	const char *problem; /* JSON_ERROR: a static phrase ("unterminated string") */
	unsigned depth;
	uint64_t in_object; /* bit d: level d + 1 is an object */
	int state;
};

/* A scanner over one value in input. Raw control bytes and invalid UTF-8 inside strings are accepted (the caller decides);
 * NULs too. */
struct json_scanner json_scanner(struct str input);

/* The next event. After the value closes, JSON_END with pos behind it; the caller checks that nothing follows, or scans the
 * next value from there (concatenated JSON). */
enum json_event json_next(struct json_scanner *scanner);

/* Skips the value that would come next (after a KEY, or inside an array), however deep. Sets *out_raw to its bytes.
 * Returns false on a syntax error. */
bool json_skip(struct json_scanner *scanner, struct str *out_raw);

/* Appends the text of a raw string slice: escapes resolved, surrogate pairs joined. A lone surrogate is written as three bytes
 * in the manner of WTF-8 when wtf8 is set, else as U+FFFD. Returns how many lone surrogates there were. */
size_t json_unescape(struct str raw, bool wtf8, struct buf *out);

/* Appends s as a JSON string with its quotes: control bytes, quote and backslash escaped, DEL and U+2028/9 and bidi controls as
 * \u, invalid UTF-8 as U+FFFD, WTF-8 surrogates as \uDXXX; everything else itself. */
void json_put_string(struct buf *buf, struct str s);

/* Writes objects and arrays without counting commas: json_put_key writes a comma when one is due.
 * buf must end where the member goes; first says whether it is the first member and is set to false. */
void json_put_key(struct buf *buf, bool *first, const char *key);

#endif
