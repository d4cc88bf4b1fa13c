/* accesslog - one API Gateway access log line, read into a request record.
 *
 * Shape:   a format is compiled once from the stage's template ('{"requestId":"$context.requestId",...}', CLF, CSV, any text with
 *          $context variables), or is the "well-known" one that reads a JSON object by the usual key names, and AWS's own CLF and
 *          CSV formats.
 * Trust:   any caller-set value (user agent, path, claims) may hold quotes and forged keys. With a template the line is read by
 *          the template's literal separators; a value that could be split in more than one way sets parse = ambiguous, and then
 *          ids and user come only from the reading in which every server-set field fits its own shape; else they stay absent.
 *          A JSON line that does not parse, or repeats a key, goes to the recovery parser: parse = recovered or ambiguous.
 *          Without a template a key that a caller adds, and that the gateway's format lacks, can't be told from a real one: configure
 *          the template. A line that does not fit the template but is well formed JSON is read by its keys (the stage's format was
 *          changed): parse = recovered.
 * User:    the first variable of user_fields (or of the built-in order, model/accesslog/user.c) that has a value; when its value
 *          is not sure, nobody is named, and user_kind stays absent too.
 * Unset:   "-" and "" count as absent for every variable; "(none)" too. Numbers that are no numbers stay in extra.
 * Limits:  a line <= ACCESSLOG_LINE_MAX; a template <= 16 KiB, 128 variables.
 * Life:    the record borrows from the line and the arena.
 * Threads: one at a time with a format, which remembers the keys of its lines. Blocking: never.
 * Source:  AWS "Variables for access logging" (REST, HTTP, WebSocket). Tests: tests/unit/accesslog.c, tests/fuzz/accesslog.c
 */
#ifndef MODEL_ACCESSLOG_ACCESSLOG_H
#define MODEL_ACCESSLOG_ACCESSLOG_H

#include "base/arena.h"
#include "model/record.h"

#define ACCESSLOG_LINE_MAX (1 << 20)

struct accesslog_format;

struct accesslog_options {
	struct str format; /* the stage's template; empty: well-known keys */
	/* which variables name the user, first present wins: "authorizer.claims.email", "authorizer.principalId",
	 * "identity.userArn", "identity.apiKeyId", ...; empty: a built-in order */
	const char *const *user_fields;
	size_t user_field_count;
};

/* Compiles. Returns 0 and *out_format (free with accesslog_format_free), or ERR_CONFIG naming the offset in the template. */
int accesslog_format_new(const struct accesslog_options *options,
			 struct accesslog_format **out_format, struct error *err);
void accesslog_format_free(struct accesslog_format *format);

/* Reads a line into record, which the caller has initialised with kind REQUEST, source and key, and time_ns with the time
 * that the transport gave (CloudWatch timestamp) or 0. Sets raw, parse, extra and all fields found; time_ns from
 * requestTimeEpoch (milliseconds or seconds, told apart by size) or requestTime when it was 0.
 * Returns 0 also for damaged lines that still hold at least one request id; or ERR_INPUT when nothing usable was found (the
 * caller makes a reject record), ERR_LIMIT when the line or the arena is too large. */
int accesslog_parse(const struct accesslog_format *format, struct str line, struct arena *arena,
		    struct record *record, struct error *err);

/* Whether the line is CloudWatch's own test line for a new log delivery, or empty, and is to be skipped. */
bool accesslog_is_noise(struct str log_stream, struct str line);

#endif
