/* clocks - how far a server's clock is from the gateway's, going by pairs whose ids agree exactly.
 *
 * Shape:   a statement ran within its request, so each pair bounds the offset from both sides; the estimate is the interval that
 *          most pairs share (Marzullo). Pairs outside it are outliers: contexts that a pool kept, damaged times.
 * Rules:   reported, never applied: verdicts use the configured offset alone.
 * Threads: pure. Blocking: never.
 * Source:  K. Marzullo, "Maintaining the time in a distributed system" (1984); RFC 5905 section 11.2.1. Tests: tests/unit/clocks.c
 */
#ifndef CORRELATOR_JOIN_CLOCKS_H
#define CORRELATOR_JOIN_CLOCKS_H

#include "correlator/join/book.h"

/* The newest pairs of a source that an estimate rests on. */
#define CLOCKS_PAIRS_MAX 4096

/* Intersects count >= 1 intervals. Returns 0, setting offset_ns, bound_ns, pair_count and outlier_count of out, or -ERR_NOMEM. */
int clocks_intersect(const struct clock_interval *interval, size_t count,
		     struct join_clock_estimate *out);

/* What a statement that names a request says of its server's clock; false without a latency. */
bool clocks_pair(const struct book *book, const struct statement *row, struct clock_interval *out);

/* Estimates each source of statements; returns how many of at most max were written. Sources without a pair are left out. */
size_t clocks_estimate(const struct book *book, struct join_clock_estimate *out, size_t max);

#endif
