/* line - an event of a page becomes a record.
 *
 * Key:     eventid_key; for an event without id SHA-256[:16] over stream, time and message.
 * Threads: pure. Blocking: never. Tests: tests/contract/source.c, tests/integration/cloudwatch-faults.py
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_LINE_H
#define COLLECTOR_SOURCES_CLOUDWATCH_LINE_H

#include "collector/sources/cloudwatch/eventid.h"
#include "collector/sources/cloudwatch/reply.h"
#include "model/accesslog/accesslog.h"

struct line {
	struct str stream, message; /* in the arena */
	uint8_t key[RECORD_KEY_MAX];
	size_t key_len;
	bool exact; /* the key is the 26 bytes of a decimal id */
	bool noise; /* CloudWatch's own test line, or an empty one */
};

/* Unescapes the event and finds its key. scratch is cleared. Returns 0, or ERR_LIMIT when the arena is full. */
int line_read(const struct reply_event *event, struct arena *arena, struct buf *scratch,
	      struct line *out_line, struct error *err);

struct line_context {
	struct str source;
	const struct accesslog_format *format;
	int64_t fallback_ms; /* the time of an event that has none */
	struct arena *arena;
};

/* What a line is made into: a request, or a reject with the reason and at most 4 MiB of its bytes.
 * Returns 0, ERR_LIMIT when the arena is full, ERR_NOMEM. */
int line_record(const struct line_context *context, const struct reply_event *event,
		const struct line *line, struct record *out_record, struct error *err);

#endif
