/* retry - when a channel may send: the wait after a failure, and the rate.
 *
 * Wait:    the nth failure waits a random part of min(retry_max, retry_wait * 2^(n-1)) ("full jitter"), or as long as the receiver
 *          asks (Retry-After), with up to a tenth of that added so that not all come back at once; never longer than retry_max.
 * Rate:    a token bucket: rate_per_min tokens flow in a minute, a tenth of them (at least 1) may be taken at once.
 * Threads: pure. Blocking: never.
 * Source:  "full jitter" of the AWS Architecture Blog; RFC 9110 section 10.2.3. Tests: tests/unit/notify-retry.c
 */
#ifndef CORRELATOR_NOTIFY_RETRY_H
#define CORRELATOR_NOTIFY_RETRY_H

#include "correlator/notify/channel.h"

/* The wait after the failed-th failure (at least 1); random is any 64 random bits. */
int64_t retry_wait_ns(const struct channel_settings *settings, uint32_t failed,
		      int64_t retry_after_ns, uint64_t random);

/* The longest that retry_wait_ns gives without a Retry-After. */
int64_t retry_bound_ns(const struct channel_settings *settings, uint32_t failed);

struct bucket {
	int64_t cost_ns; /* how long one token takes to flow in */
	int64_t full_ns; /* what a full bucket is worth */
	int64_t have_ns;
	int64_t seen_ns;
};

/* A full bucket. */
void bucket_init(struct bucket *bucket, uint32_t rate_per_min, int64_t now_ns);

/* When count tokens are there: now_ns or later. More than a full bucket counts as a full one. */
int64_t bucket_ready_ns(const struct bucket *bucket, size_t count, int64_t now_ns);

/* Takes count tokens, which may put the bucket into debt. A clock that steps back gives nothing. */
void bucket_take(struct bucket *bucket, size_t count, int64_t now_ns);

#endif
