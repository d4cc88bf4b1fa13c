#include "correlator/daemonstate.h"

#include "base/clock.h"

#define CATCH_UP_NS (5 * NS_PER_SEC) /* so long at most nothing is taken in */

/* Up to where a kind is all there: the lowest of its sources. Files that are being read tell it by their progress alone. */
static int64_t known_of(const struct daemon *daemon, enum record_kind kind, unsigned *io_flowing)
{
	const struct roster *roster = keeper_roster(daemon->keeper);
	int64_t lowest_ns = INT64_MAX;
	bool any = false;
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_source *source = roster->sources[i];
		if ((source->about.kinds >> kind & 1) == 0) {
			continue;
		}
		int64_t known_ns = roster_is_done(source) ? INT64_MAX : source->about.watermark_ns;
		any = true;
		if (!roster_is_done(source) &&
		    settings_source_is_finite(daemon->config, source->about.name)) {
			*io_flowing |= 1u << kind;
			continue;
		}
		lowest_ns = known_ns < lowest_ns ? known_ns : lowest_ns;
	}
	return any ? lowest_ns : INT64_MIN;
}

static struct sealer_now look_around(const struct daemon *daemon)
{
	int64_t requests_ns = 0, statements_ns = 0;
	struct sealer_now now = {.wall_ns = clock_now_ns(),
				 .monotonic_ns = clock_monotonic_ns(),
				 .slack_ns = daemon->settings.join.slack_ns};
	roster_watermarks(keeper_roster(daemon->keeper), &requests_ns, &statements_ns);
	now.judged_ns = requests_ns < statements_ns ? requests_ns : statements_ns;
	now.requests_ns = known_of(daemon, RECORD_REQUEST, &now.flowing);
	now.statements_ns = known_of(daemon, RECORD_STATEMENT, &now.flowing);
	return now;
}

/* Whether the head holds so much that taking more has to wait for sealing. */
static bool is_behind(const struct daemon *daemon)
{
	struct seal_view view;
	struct error err;
	return seal_look(daemon->sealer.store, &view, &err) == 0 &&
	       view.head_bytes > daemon->sealer.settings.head_bytes / 2;
}

/* One piece of work, and more as long as the head is too large. Returns when to go on. */
static int64_t seal(struct daemon *daemon, struct sealer_now *now)
{
	int64_t until_ns = now->monotonic_ns + CATCH_UP_NS;
	int64_t next_ns;
	do {
		bool sealed = daemon->sealer.seal != NULL;
		if (sealed) {
			keeper_rest(daemon->keeper, false);
		}
		next_ns = sealer_turn(&daemon->sealer, now);
		if (sealed && daemon->sealer.seal == NULL && daemon->life != NULL) {
			life_sealed(daemon->life);
		}
		now->monotonic_ns = clock_monotonic_ns();
	} while (next_ns <= now->monotonic_ns && now->monotonic_ns < until_ns && is_behind(daemon));
	return next_ns;
}

/* The join waits for a seal: it was done, or there is none to be done. */
static void unpress(struct daemon *daemon, bool sealed)
{
	if (!sealed) {
		keeper_go_on(daemon->keeper);
	}
	daemon->urgent = true;
	intake_schedule(daemon);
}

/* A turn of the sealer, or of what works on what is stored: never of both at once. Returns when the next is due. */
static int64_t work(struct daemon *daemon, struct sealer_now *now)
{
	int64_t next_ns = INT64_MAX;
	bool busy = daemon->life != NULL && life_is_busy(daemon->life);
	bool sealed = daemon->sealer.seal != NULL;
	if (!busy) {
		next_ns = seal(daemon, now);
	}
	if (now->pressed && daemon->sealer.seal == NULL) {
		unpress(daemon, sealed);
	}
	if (daemon->life != NULL && daemon->sealer.seal == NULL) {
		int64_t life_ns = life_turn(daemon->life, now->monotonic_ns);
		next_ns = life_ns < next_ns ? life_ns : next_ns;
	}
	return next_ns;
}

int sealing_turn(void *owner, struct error *err)
{
	struct daemon *daemon = owner;
	if (keeper_is_open(daemon->keeper)) {
		return 0; /* an open transaction is committed soon, and then comes the next turn */
	}
	struct sealer_now now = look_around(daemon);
	now.pressed = keeper_wants_seal(daemon->keeper);
	if (daemon->unjudged && !now.pressed) {
		return 0; /* what the watermarks tell is not all said: the next commit goes on with it */
	}
	/* what was not judged is judged from the head by the next daemon */
	if (daemon->options.records_only || daemon->stopping) {
		if (now.pressed) {
			unpress(daemon, false);
		}
		return 0;
	}
	int64_t next_ns = work(daemon, &now);
	if (keeper_is_open(daemon->keeper)) {
		int rc = attest_note_taken(daemon, err);
		if (rc < 0) {
			return rc;
		}
		daemon->urgent = true;
		intake_schedule(daemon); /* the next turn comes behind the commit */
	}
	loop_set_timer(daemon->seal_timer, next_ns);
	return 0;
}

void sealing_finish(struct daemon *daemon)
{
	if (daemon->life != NULL) {
		life_pause(daemon->life);
	}
	struct sealer_now now = look_around(daemon);
	keeper_rest(daemon->keeper, true);
	sealer_finish(&daemon->sealer, &now);
}
