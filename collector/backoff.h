/* backoff - how long to wait before the next try: exponential with full jitter, by kind of failure.
 *
 * Shape:   the nth try in a row waits a random time between 0 and min(cap, base * 2^n); base and cap come from the code.
 * Threads: one struct backoff per thread. Blocking: never; waiting is the caller's.
 * Source:  "full jitter" of the AWS Architecture Blog, "Exponential Backoff And Jitter". Tests: tests/unit/backoff.c
 */
#ifndef COLLECTOR_BACKOFF_H
#define COLLECTOR_BACKOFF_H

#include <stdint.h>

struct backoff {
	unsigned tries; /* failures in a row */
	uint64_t state; /* of the random numbers */
};

/* No failure so far. seed differs between processes, so that they do not return in step. */
void backoff_init(struct backoff *backoff, uint64_t seed);

/* Counts one failure with an ERR_* code (the sign does not matter) and returns the nanoseconds to wait. */
int64_t backoff_next(struct backoff *backoff, int code);

/* The longest wait that backoff_next could have given for this try; for tests and messages. */
int64_t backoff_bound(unsigned tries, int code);

/* It worked: the next failure is the first again. */
void backoff_reset(struct backoff *backoff);

#endif
