/* alert - an alert as it is told to the outside: to channels, to people, in JSON.
 *
 * Shape:   one text per row of model/alert.def, present or absent. Made by the daemon from the ALERT record, its rule and the records
 *          that it rests on; sent to querytrail-notify in an ALERT frame (model/feed.h).
 * Trust:   texts come from logs: whoever shows them escapes them for the place where they go.
 * Limits:  encoded <= ALERT_MAX_BYTES.
 * Life:    texts borrow. Threads: a value. Blocking: never.
 * Source:  model/alert.def, docs/format.md. Tests: tests/unit/alert.c, tests/fuzz/alert.c
 */
#ifndef MODEL_ALERT_H
#define MODEL_ALERT_H

#include "base/buf.h"
#include "base/error.h"

#define ALERT_MAX_BYTES (1u << 20)
#define ALERT_ID_DIGITS 16

enum alert_field {
#define ALERT_FIELD(name, help) ALERT_##name,
#include "model/alert.def"
#undef ALERT_FIELD
	ALERT_FIELD_COUNT
};

struct alert {
	struct str value[ALERT_FIELD_COUNT]; /* ptr NULL: absent */
};

/* The name of a field below ALERT_FIELD_COUNT, and what it holds. */
const char *alert_field_name(enum alert_field field);
const char *alert_field_help(enum alert_field field);

/* The stable id of an alert: of a rule's id and the stable id of the record that it rests on. */
void alert_id(struct str rule, const char *record_id, char out[ALERT_ID_DIGITS + 1]);

/* 1 informational .. 5 critical, and back; 0 and NULL when unknown. */
int alert_severity(struct str word);
const char *alert_severity_word(int severity);

/* Appends the encoded form: per field present u8 number + 1 and a wire block, in order; then a zero byte. Returns 0 or ERR_LIMIT (out as
 * before). */
int alert_encode(const struct alert *alert, struct buf *out, struct error *err);

/* Reads it, all of bytes; unknown higher numbers are passed over. Texts borrow. Returns 0 or ERR_INPUT. */
int alert_decode(struct str bytes, struct alert *out_alert, struct error *err);

/* Appends one JSON object with the fields present, in order; no newline. */
void alert_put_json(const struct alert *alert, struct buf *out);

#endif
