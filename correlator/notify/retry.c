#include "correlator/notify/retry.h"

#include "base/clock.h"

#include <assert.h>

int64_t retry_bound_ns(const struct channel_settings *settings, uint32_t failed)
{
	int64_t bound_ns = settings->retry_wait_ns;

	assert(failed >= 1);
	for (uint32_t i = 1; i < failed && bound_ns < settings->retry_max_ns; i++) {
		bound_ns *= 2; /* the schema keeps both far from overflow */
	}
	return bound_ns < settings->retry_max_ns ? bound_ns : settings->retry_max_ns;
}

int64_t retry_wait_ns(const struct channel_settings *settings, uint32_t failed,
		      int64_t retry_after_ns, uint64_t random)
{
	int64_t wait_ns;

	if (retry_after_ns > 0) {
		int64_t asked_ns = retry_after_ns < settings->retry_max_ns ? retry_after_ns
									   : settings->retry_max_ns;
		wait_ns = asked_ns + (int64_t)(random % (uint64_t)(asked_ns / 10 + 1));
	} else {
		int64_t bound_ns = retry_bound_ns(settings, failed);
		wait_ns = (int64_t)(random % (uint64_t)(bound_ns + 1));
	}
	return wait_ns < settings->retry_max_ns ? wait_ns : settings->retry_max_ns;
}

void bucket_init(struct bucket *bucket, uint32_t rate_per_min, int64_t now_ns)
{
	assert(rate_per_min >= 1);
	uint32_t at_once = rate_per_min / 10 > 0 ? rate_per_min / 10 : 1;
	*bucket = (struct bucket){.cost_ns = NS_PER_MIN / rate_per_min, .seen_ns = now_ns};
	bucket->full_ns = bucket->cost_ns * at_once;
	bucket->have_ns = bucket->full_ns;
}

static int64_t have_at(const struct bucket *bucket, int64_t now_ns)
{
	int64_t passed_ns = now_ns > bucket->seen_ns ? now_ns - bucket->seen_ns : 0;

	return passed_ns >= bucket->full_ns - bucket->have_ns ? bucket->full_ns
							      : bucket->have_ns + passed_ns;
}

static int64_t worth(const struct bucket *bucket, size_t count)
{
	int64_t most = bucket->full_ns / bucket->cost_ns;

	return (int64_t)count < most ? (int64_t)count * bucket->cost_ns : bucket->full_ns;
}

int64_t bucket_ready_ns(const struct bucket *bucket, size_t count, int64_t now_ns)
{
	int64_t missing_ns = worth(bucket, count) - have_at(bucket, now_ns);

	return missing_ns > 0 ? now_ns + missing_ns : now_ns;
}

void bucket_take(struct bucket *bucket, size_t count, int64_t now_ns)
{
	bucket->have_ns = have_at(bucket, now_ns) - (int64_t)count * bucket->cost_ns;
	bucket->seen_ns = now_ns;
}
