/* redact - a record without its literals, or without all that says whom it is about; one way, fails closed.
 *
 * Shape:   source, key, kind, time and leaf of a record stay, so that the record is known when its line comes again and what refers to it finds it.
 *          LITERALS takes what repeats values: a statement becomes its template (model/tsql/template.h), raw, extra and every text that quotes
 *          go; who, where, when, ids and route stay. ALL leaves of a request, statement or reject nothing but what redact.c lists. Of an alert the
 *          texts go that repeat its record. Other kinds are left as they are.
 * Marks:   field redacted says "literals ID" or "erased ID", with the id of the order; field digest commits to the canonical bytes that
 *          the record had at first, as its leaf in the log does: at a second redaction it stays.
 * Closed:  each field is listed in redact.c with what becomes of it; one that is not listed goes.
 * Threads: one struct redactor per thread. Blocking: never.
 * Source:  docs/format.md section 1.1. Tests: tests/unit/redact.c
 */
#ifndef MODEL_REDACT_H
#define MODEL_REDACT_H

#include "model/record.h"

enum redact_degree {
	REDACT_NOTHING,
	REDACT_LITERALS,
	REDACT_ALL,
};

#define REDACT_ID_MAX 64

struct redact_order {
	enum redact_degree degree;
	struct str id; /* of the retention or erasure: 1..REDACT_ID_MAX of A-Z a-z 0-9 . _ - */
	struct str
		commitment; /* what its leaf commits to, 32 bytes; empty: what it holds already, or SHA-256 of its canonical bytes */
};

struct redactor;

/* Returns NULL without memory. */
struct redactor *redactor_new(void);
void redactor_free(struct redactor *redactor);

/* Appends the canonical bytes of what stays of a record; nothing when nothing is to be taken from it (its kind has nothing to take, or as much
 * was taken before).
 * Returns 0, or with out as it was ERR_CORRUPT (encoded is not canonical), ERR_INPUT (the id), ERR_LIMIT or ERR_NOMEM. */
int redact_record(struct redactor *redactor, const struct redact_order *order, struct str encoded,
		  struct buf *out, struct error *err);

/* How much was taken from a record, and the id of the order (empty when nothing was). */
enum redact_degree redact_degree_of(const struct record *record, struct str *out_id);

/* Whether anything can be taken from records of a kind. */
bool redact_touches(enum record_kind kind);

#endif
