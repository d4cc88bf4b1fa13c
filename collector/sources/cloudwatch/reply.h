/* reply - a page of FilterLogEvents, as CloudWatch or a compatible server sends it.
 *
 * Why not jansson: one event with a lone surrogate or a repeated key makes it refuse the whole page, which then could never be passed;
 *          and a tree of 10,000 events costs ten times their bytes.
 * Shape:   the events in the order of the page; texts are raw JSON slices, unescaped by reply_text when they are needed.
 * Rules:   an event that lacks its message or repeats a key is marked with a problem and kept; a page that repeats nextToken or
 *          is no object is refused as a whole. Unknown members are skipped.
 * Limits:  REPLY_EVENTS_MAX events.
 * Life:    borrows from body and the arena.
 * Threads: pure. Blocking: never.
 * Source:  AWS "FilterLogEvents". Tests: tests/unit/cloudwatch-reply.c, tests/fuzz/cloudwatch-reply.c
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_REPLY_H
#define COLLECTOR_SOURCES_CLOUDWATCH_REPLY_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

#define REPLY_EVENTS_MAX 16384

struct reply_event {
	struct str stream, message, event_id; /* as they stand in the JSON text, see reply_text */
	int64_t timestamp_ms, ingestion_ms;   /* INT64_MIN: absent or no number */
	struct str raw;                       /* the whole object */
	const char *problem;                  /* why it cannot be used, a static phrase; or NULL */
};

struct reply_page {
	struct reply_event *events;
	size_t event_count;
	struct str next_token; /* unescaped; empty: the last page */
};

/* Reads a page. Returns 0; ERR_INPUT with the offset when it is no page; ERR_LIMIT when the arena is full or it has too many
 * events. */
int reply_parse(struct str body, struct arena *arena, struct reply_page *out_page,
		struct error *err);

/* Unescapes a slice into the arena (a lone surrogate becomes three bytes, WTF-8); false when the arena is full. scratch is cleared. */
bool reply_text(struct str slice, struct arena *arena, struct buf *scratch, struct str *out_text);

/* A member of a flat JSON object, by name: its text (unescaped) or number, appended to out. For error bodies and credential
 * documents. Returns false when body is no object or has no such member. */
bool reply_member(struct str body, const char *name, struct buf *out);

#endif
