/* tallies - what the source counts: lines, repeats, rejects, how late lines became visible.
 *
 * Shape:   lateness is ingestion time less event time, in classes up to 1 s, 10 s, 30 s, 1 min, 5 min, 30 min, 2 h, and beyond.
 * Threads: one per process. Blocking: never. Tests: tests/unit/tallies.c
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_TALLIES_H
#define COLLECTOR_SOURCES_CLOUDWATCH_TALLIES_H

#include "base/buf.h"

#include <stdint.h>

#define TALLIES_CLASSES 8

struct tallies {
	uint64_t lines, repeats, rejects, noise;
	uint64_t late[TALLIES_CLASSES];
	uint64_t found_by_sweep; /* lines that the tail had missed */
	uint64_t pages, throttled, tokens_lost;
};

/* Counts a line's lateness. */
void tallies_late(struct tallies *tallies, int64_t late_ms);

/* Appends one line for people: "lines 12, repeats 3, ...; visible after <=1s 5, <=10s 7". */
void tallies_put(const struct tallies *tallies, struct buf *out);

#endif
