/* firing - the alerts that fire, for a channel that must hear of them again and again.
 *
 * Shape:   a round sends each of them once, in messages of the channel's batch; the next round begins resend_ns after this one began.
 * Limits:  FIRING_MAX alerts, FIRING_BYTES of them; firing_add refuses more.
 * Threads: one thread. Blocking: never; now comes in. Tests: tests/unit/notify-firing.c
 */
#ifndef CORRELATOR_NOTIFY_FIRING_H
#define CORRELATOR_NOTIFY_FIRING_H

#include "correlator/notify/channel.h"

#define FIRING_MAX   16384
#define FIRING_BYTES (64u << 20)

struct firing {
	struct firing_entry *entries;
	size_t count, bytes;
	int64_t resend_ns;
	int64_t began_ns; /* of the round */
	uint64_t round;
	size_t left; /* of this round */
};

/* An empty set. resend_ns > 0. */
void firing_init(struct firing *firing, int64_t resend_ns);
void firing_done(struct firing *firing);

/* Puts an alert in, or replaces an older revision of it; holds the notice. It was sent just now: it has its turn with the next
 * round. Returns 0, ERR_LIMIT, ERR_NOMEM. */
int firing_add(struct firing *firing, struct notice *notice, int64_t now_ns, struct error *err);

/* Takes an alert out; one that is not there is fine. */
void firing_remove(struct firing *firing, struct str id);

/* Makes a round due at once: what fires was learned of, and not sent by us. */
void firing_hurry(struct firing *firing);

/* When the next message of resends is due, or INT64_MAX when nothing fires. */
int64_t firing_due_ns(const struct firing *firing, int64_t now_ns);

/* The next message of this round, when it is due: up to max notices, held for the caller. Returns how many. */
size_t firing_take(struct firing *firing, int64_t now_ns, struct notice **out_notices, size_t max);

#endif
