#include "collector/sources/cloudwatch/pace.h"

#define LEAST_PER_S 0.05

void pace_init(struct pace *pace, int64_t most)
{
	*pace = (struct pace){.most_per_s = (double)most, .now_per_s = (double)most};
}

void pace_call(struct pace *pace, int64_t now_ns)
{
	pace->last_ns = now_ns;
}

void pace_good(struct pace *pace)
{
	pace->now_per_s += pace->most_per_s / 20;
	if (pace->now_per_s > pace->most_per_s) {
		pace->now_per_s = pace->most_per_s;
	}
}

void pace_throttled(struct pace *pace)
{
	pace->now_per_s /= 2;
	if (pace->now_per_s < LEAST_PER_S) {
		pace->now_per_s = LEAST_PER_S;
	}
}

int64_t pace_wait_ns(const struct pace *pace, int64_t now_ns)
{
	if (pace->last_ns == 0) {
		return 0;
	}
	int64_t due_ns = pace->last_ns + (int64_t)(1e9 / pace->now_per_s);
	return due_ns > now_ns ? due_ns - now_ns : 0;
}
