/* record - one thing that happened, and its canonical bytes.
 *
 * Shape:   a kind, the source's name, the key that names it within the source, an event time, and fields by number.
 *          A field is present or absent; absent and empty differ. Values borrow; a record owns nothing.
 * Canon:   one record has exactly one encoding: docs/format.md section 1. Encoding what was decoded gives the same bytes.
 * Limits:  an encoded record <= RECORD_MAX_BYTES; source 1..64 bytes of [A-Za-z0-9._-]; key 1..RECORD_KEY_MAX bytes.
 * Threads: a value. Blocking: never.
 * Source:  model/fields.def, docs/format.md section 1. Tests: tests/unit/record.c, tests/fuzz/record.c
 */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

#define RECORD_VERSION    1
#define RECORD_MAX_BYTES  (8 << 20)
#define RECORD_KEY_MAX    64
#define RECORD_SOURCE_MAX 64

enum record_kind { /* stored; never changes */
		   RECORD_REQUEST = 1,
		   RECORD_STATEMENT = 2,
		   RECORD_VERDICT = 3,
		   RECORD_ALERT = 4,
		   RECORD_ACCESS = 5,
		   RECORD_LIFECYCLE = 6,
		   RECORD_GAP = 7,
		   RECORD_REJECT = 8,
};
#define RECORD_KIND_COUNT 9 /* one more than the largest */

enum field_type {
	FIELD_TYPE_TEXT,
	FIELD_TYPE_BYTES,
	FIELD_TYPE_INT,
	FIELD_TYPE_TIME,
	FIELD_TYPE_BOOL,
};

enum field { /* FIELD_user = 20, ... */
#define FIELD(name, number, type, kinds, unit, help, ocsf) FIELD_##name = number,
#include "model/fields.def"
#undef FIELD
};
#define FIELD_LIMIT 128 /* field numbers are below this */

struct field_info {
	const char *name; /* NULL for a number without a field */
	enum field_type type;
	unsigned kinds; /* bit k: kind k may hold it */
	const char *unit;
	const char *help;
	const char *ocsf;
};

union field_value {
	struct str text; /* TEXT, BYTES */
	int64_t number;  /* INT, TIME, BOOL (0 or 1) */
};

struct record {
	enum record_kind kind;
	struct str source;
	struct str key;
	int64_t time_ns;
	uint64_t present[FIELD_LIMIT / 64];
	union field_value value[FIELD_LIMIT]; /* only those present are set */
};

/* About a field number below FIELD_LIMIT; never NULL. */
const struct field_info *field_info(unsigned number);

/* The field of a name, or 0. "time", "source", "leaf", "event_time" and "ingest_time" are no fields but parts of every
 * record. */
unsigned field_by_name(struct str name);

/* "request", "statement", ...; and back (0 when unknown). */
const char *record_kind_name(enum record_kind kind);
enum record_kind record_kind_by_name(struct str name);

/* Makes an empty record of a kind: no source, key or fields; time 0. Costs no clearing of values. */
void record_init(struct record *record, enum record_kind kind);

/* Whether a field is present. */
static inline bool record_has(const struct record *record, unsigned field)
{
	return (record->present[field / 64] >> (field % 64) & 1) != 0;
}

/* The value, or the empty str / fallback when it is absent. The type must fit (asserted). */
struct str record_text(const struct record *record, unsigned field);
int64_t record_number(const struct record *record, unsigned field, int64_t fallback);

/* Sets a value; text is borrowed. The type and kind must fit (asserted). */
void record_set_text(struct record *record, unsigned field, struct str text);
void record_set_number(struct record *record, unsigned field, int64_t number);
void record_unset(struct record *record, unsigned field);

/* Whether it may name a source: 1..RECORD_SOURCE_MAX of A-Z a-z 0-9 . _ - */
bool record_source_is_allowed(struct str source);

/* Appends the canonical bytes.
 * Returns 0, or ERR_LIMIT when they pass RECORD_MAX_BYTES or the buf's limit, ERR_INPUT when source or key is not allowed; then
 * out is as before. */
int record_encode(const struct record *record, struct buf *out, struct error *err);

/* Reads canonical bytes, all of them. The record borrows from bytes.
 * Returns 0, or ERR_CORRUPT (with the offset): unknown version, kind or field, wrong order, not canonical, bytes left over. */
int record_decode(struct str bytes, struct record *out_record, struct error *err);

/* What each record begins with. */
struct record_front {
	enum record_kind kind;
	struct str source;
	struct str key;
	int64_t time_ns;
};

/* Reads that alone, in a fraction of the time; what follows is not looked at. Borrows, returns and says as record_decode. */
int record_decode_front(struct str bytes, struct record_front *out_front, struct error *err);

/* The field digest of a redacted record, empty when there is none; reads only what stands before it. Borrows, returns and says as record_decode. */
int record_decode_digest(struct str bytes, struct str *out_digest, struct error *err);

/* The stable id of a record: 16 lower-case hexadecimal digits and a NUL, from SHA-256 over source, NUL, key. */
#define RECORD_ID_DIGITS 16
void record_stable_id(struct str source, struct str key, char out[RECORD_ID_DIGITS + 1]);

/* The same as a number, the first digit highest; and its digits. */
uint64_t record_stable_number(struct str source, struct str key);
void record_stable_digits(uint64_t number, char out[RECORD_ID_DIGITS + 1]);

/* Appends the record as one JSON object (no newline): kind, source, key (base64), time, then the fields present by name, in
 * number order; BYTES as text when they are valid UTF-8, else {"base64": ".."}; TIME as RFC 3339 with 9 digits. */
void record_put_json(const struct record *record, struct buf *out);

#endif
