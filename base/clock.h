/* clock - where time comes from, and civil time in UTC without locale.
 *
 * Shape:   a time is int64 nanoseconds since 1970-01-01T00:00:00 UTC, from 1677 to 2262; a duration is int64 nanoseconds.
 * Rules:   library code takes "now" as an argument or through a struct clock, so that tests own it.
 * Threads: pure, but for clock_now_ns and clock_monotonic_ns, which ask the system. Blocking: never.
 * Source:  proleptic Gregorian calendar; RFC 3339. Tests: tests/unit/clock.c
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/buf.h"

#define NS_PER_US   INT64_C(1000)
#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_SEC  INT64_C(1000000000)
#define NS_PER_MIN  (60 * NS_PER_SEC)
#define NS_PER_HOUR (3600 * NS_PER_SEC)
#define NS_PER_DAY  (86400 * NS_PER_SEC)

/* A clock that a test can replace: now gives wall time; owner is handed through. */
struct clock {
	int64_t (*now_ns)(void *owner);
	void *owner;
};

/* The system's wall clock as a struct clock. */
struct clock clock_system(void);

/* The time of a clock. */
static inline int64_t clock_now(const struct clock *clock)
{
	return clock->now_ns(clock->owner);
}

/* The system's wall time; the system's monotonic time (only differences mean something). */
int64_t clock_now_ns(void);
int64_t clock_monotonic_ns(void);

/* One point of civil time in UTC. */
struct civil {
	int year;   /* 1..9999 */
	int month;  /* 1..12 */
	int day;    /* 1..31 */
	int hour;   /* 0..23 */
	int minute; /* 0..59 */
	int second; /* 0..60; 60 is read as 59 */
	int nanosecond;
};

/* Nanoseconds of civil; false when a part is out of range, the day does not exist, or the result does not fit. */
bool clock_from_civil(const struct civil *civil, int64_t *out_ns);

/* The civil time of ns. */
void clock_to_civil(int64_t ns, struct civil *out_civil);

/* Reads RFC 3339 ("2026-11-22T10:00:00.1234567Z", offset, 'T' or a space, 0-9 fraction digits) and, when date_only is
 * allowed, a bare "2026-11-22". Without an offset the time is UTC. Returns false when the text is anything else. */
bool clock_parse_rfc3339(struct str text, int64_t *out_ns);

/* Appends RFC 3339 in UTC with `digits` (0..9) digits of fraction: "2026-11-22T10:00:00.123Z". */
void clock_put_rfc3339(struct buf *buf, int64_t ns, int digits);

/* Reads a duration: a number and a unit ns us ms s m min h d w, without a space ("250ms", "1.5h", "2d"); false when it is
 * anything else or does not fit. */
bool clock_parse_duration(struct str text, int64_t *out_ns);

/* Appends a duration that clock_parse_duration reads back, in the largest unit that is exact ("250ms", "90m"). */
void clock_put_duration(struct buf *buf, int64_t ns);

#endif
