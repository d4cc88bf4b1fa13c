/* pace - how often a service may be called: additive increase, multiplicative decrease.
 *
 * Shape:   calls are at least 1/rate apart. The rate halves when the service throttles, down to 1 in 20 s, and grows by a twentieth
 *          of the configured one with each call that went well.
 * Threads: one per process. Blocking: never; waiting is the runner's. Tests: tests/unit/pace.c
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_PACE_H
#define COLLECTOR_SOURCES_CLOUDWATCH_PACE_H

#include <stdint.h>

struct pace {
	double most_per_s, now_per_s;
	int64_t last_ns; /* monotonic time of the last call; 0: none */
};

/* At most `most` calls a second. */
void pace_init(struct pace *pace, int64_t most);

/* A call is made now. */
void pace_call(struct pace *pace, int64_t now_ns);

/* How it went. */
void pace_good(struct pace *pace);
void pace_throttled(struct pace *pace);

/* How long to wait before the next call; 0 when it may be made now. */
int64_t pace_wait_ns(const struct pace *pace, int64_t now_ns);

#endif
