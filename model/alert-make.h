/* alert-make - an alert put together from the records that it rests on: the one way for channels and for the command line.
 *
 * Limits:  a text of more than ALERT_TEXT_MAX bytes is cut and ends in an ellipsis; the statement at statement_bytes.
 * Life:    the alert borrows from the records, the texts given, and the arena.
 * Threads: pure. Blocking: never. Tests: tests/unit/alert-make.c
 */
#ifndef MODEL_ALERT_MAKE_H
#define MODEL_ALERT_MAKE_H

#include "base/arena.h"
#include "model/alert.h"
#include "model/record.h"

#define ALERT_TEXT_MAX 16384

struct alert_parts {
	struct str id, rule;
	struct str explanation, next_steps; /* of the rule; may be empty */
	struct str resolution;              /* empty while it fires */
	int severity;                       /* 1..5 */
	int64_t time_ns, fired_ns, resolved_ns;
	/* NULL: there is none. request is the one that the verdict names, or that the alert rests on. */
	const struct record *alert, *statement, *verdict, *request, *other;
	size_t statement_bytes; /* of the statement; 0: none of it */
};

/* Returns 0 or -ERR_NOMEM. */
int alert_make(const struct alert_parts *parts, struct arena *arena, struct alert *out_alert);

#endif
