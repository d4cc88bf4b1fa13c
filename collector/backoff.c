#include "collector/backoff.h"

#include "base/clock.h"
#include "base/error.h"

void backoff_init(struct backoff *backoff, uint64_t seed)
{
	*backoff = (struct backoff){.state = seed};
}

void backoff_reset(struct backoff *backoff)
{
	backoff->tries = 0;
}

static void limits_of(int code, int64_t *out_base_ns, int64_t *out_cap_ns)
{
	switch (code < 0 ? -code : code) {
	case ERR_AUTH: /* many wrong tries may lock an account */
		*out_base_ns = 5 * NS_PER_SEC;
		*out_cap_ns = 5 * NS_PER_MIN;
		return;
	case ERR_GONE:
		*out_base_ns = 2 * NS_PER_SEC;
		*out_cap_ns = NS_PER_MIN;
		return;
	case ERR_CONFIG: /* somebody must change something first */
		*out_base_ns = 10 * NS_PER_SEC;
		*out_cap_ns = 5 * NS_PER_MIN;
		return;
	default:
		*out_base_ns = 200 * NS_PER_MS;
		*out_cap_ns = 30 * NS_PER_SEC;
		return;
	}
}

int64_t backoff_bound(unsigned tries, int code)
{
	int64_t bound_ns;
	int64_t cap_ns;

	limits_of(code, &bound_ns, &cap_ns);
	for (unsigned i = 1; i < tries && bound_ns < cap_ns; i++) {
		bound_ns *= 2;
	}
	return bound_ns < cap_ns ? bound_ns : cap_ns;
}

/* splitmix64: any seed is a good one */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t backoff_next(struct backoff *backoff, int code)
{
	if (backoff->tries < 1000) {
		backoff->tries++;
	}
	uint64_t bound_ns = (uint64_t)backoff_bound(backoff->tries, code);
	return (int64_t)(next_random(&backoff->state) % (bound_ns + 1));
}
