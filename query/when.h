/* when - points and spans of time as people write them, and as we print them.
 *
 * Grammar: RFC 3339 (2026-11-22T10:00:00.5Z; T or space; seconds, fraction and offset may be missing), 2026-11-22, 2026-11, 2026,
 *          10:30 and 10:30:05 (today), now, today, yesterday, this-week, last-week, this-month, last-month, this-year (weeks begin on Monday; a
 *          space or a hyphen), 2h, "2 hours ago", "1.5 days ago", @1700000000.25. Case does not matter; no locale.
 * Shape:   a text names a half-open span [from, to): a day is a span of a day, 10:30 one of a minute,
 *          10:30:05 one of a second, 10:30:05.123 one of a millisecond, 2h and now one of a nanosecond.
 *          --since takes from, --until takes from too: "--until 2026-11-22" ends before that day begins.
 * Round trip: what when_put writes, when_parse reads back to the same instant in the same zone.
 * Threads: pure. Blocking: never.
 * Source:  RFC 3339; docs/query.md. Tests: tests/unit/when.c
 */
#ifndef QUERY_WHEN_H
#define QUERY_WHEN_H

#include "base/buf.h"
#include "query/zone.h"

struct when {
	int64_t from_ns;
	int64_t to_ns;
};

/* Reads text. Returns 0, or ERR_USAGE with a sentence that shows what is accepted. */
int when_parse(struct str text, const struct zone *zone, int64_t now_ns, struct when *out_when,
	       struct error *err);

/* Appends ns in the zone as "2026-11-22 10:00:00.123" with digits (0..9) of fraction; with_offset adds Z or +02:00. */
void when_put(struct buf *out, const struct zone *zone, int64_t ns, int digits, bool with_offset);

/* How many columns when_put takes. */
size_t when_width(int digits);

/* Appends a length of time for people: "3 s", "12 min", "2 h", "5 days". */
void when_put_age(struct buf *out, int64_t duration_ns);

#endif
