#include "correlator/daemonstate.h"

#include "base/clock.h"
#include "base/log.h"
#include "correlator/verdict.h"

#include <stdlib.h>

/* A peer's source; kinds are what its HELLO said that it may give. */
struct peer_source {
	struct roster_source *source;
	unsigned kinds;
	bool urgent; /* querytrail-serve or a person: an answer waits */
};

/* Kinds that no peer may give: they are the daemon's own. */
#define OWN_KINDS (1u << RECORD_VERDICT | 1u << RECORD_LIFECYCLE | 1u << RECORD_ALERT)

/* What persons do to alerts comes through the command line, by itself or behind querytrail-serve; the keeper looks at what it is. */
static unsigned own_kinds(struct str source)
{
	bool of_persons = str_is(source, "querytrail") || str_is(source, "querytrail-serve");
	return of_persons ? OWN_KINDS & ~(1u << RECORD_LIFECYCLE) : OWN_KINDS;
}

int intake_commit(struct daemon *daemon, struct error *err)
{
	bool more = false;
	if (roomwait_wanted(daemon)) {
		return 0;
	}
	int rc = keeper_commit(daemon->keeper, clock_now_ns(), &more, err);
	if (rc < 0) {
		return rc;
	}
	struct error damage;
	if (keeper_damage(daemon->keeper, &damage)) {
		log_error(LOG_LEVEL_ERROR, "block-damaged", &damage);
	}
	daemon->last_commit_ns = clock_monotonic_ns();
	daemon->first_waits_ns = 0;
	daemon->urgent = false;
	loop_unset_timer(daemon->commit_timer);
	feedserver_confirm(daemon->server);
	rc = herald_pump(daemon, err);
	rc = rc < 0 ? rc : attest_turn(daemon, err);
	if (rc < 0) {
		return rc;
	}
	daemon->unjudged = more;
	if (more) {
		daemon->first_waits_ns = daemon->last_commit_ns;
		daemon->urgent = true;
		if (!keeper_wants_seal(daemon->keeper)) {
			intake_schedule(daemon);
			return 0;
		}
	}
	return sealing_turn(daemon, err);
}

void intake_schedule(struct daemon *daemon)
{
	if (daemon->paused_ns != 0) {
		return; /* the timer is set for the next look */
	}
	int64_t now_ns = clock_monotonic_ns();
	if (daemon->first_waits_ns == 0) {
		daemon->first_waits_ns = now_ns;
	}
	int64_t due_ns = now_ns; /* a timer that is due is served when nothing is left to be read */
	bool small = keeper_pending_records(daemon->keeper) < DAEMON_SMALL_RECORDS;
	if (small && !daemon->urgent) {
		int64_t gap_ns = daemon->settings.commit_interval_ns < DAEMON_SMALL_GAP_NS
					 ? daemon->settings.commit_interval_ns
					 : DAEMON_SMALL_GAP_NS;
		int64_t earliest_ns = daemon->last_commit_ns + gap_ns;
		due_ns = earliest_ns > due_ns ? earliest_ns : due_ns;
	}
	int64_t latest_ns = daemon->first_waits_ns + daemon->settings.commit_interval_ns;
	loop_set_timer(daemon->commit_timer, due_ns < latest_ns ? due_ns : latest_ns);
}

/* The one peer that speaks for a source; a dead one makes room. */
static int take_place(struct roster_source *source, struct feedpeer *peer, struct error *err)
{
	struct feedpeer *other = source->peer;
	if (other != NULL && other != peer) {
		if (!feedpeer_is_dead(other)) {
			return error_set(err, ERR_AGAIN,
					 "source %s is already being collected by another process",
					 source->about.name);
		}
		struct error why;
		(void)error_set(&why, ERR_GONE, "the connection ended"); /* only told */
		feedpeer_refuse(other, &why);
	}
	source->peer = peer;
	return 0;
}

static int on_hello(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		    struct str *out_cursor, struct error *err)
{
	struct daemon *daemon = owner;
	struct roster_source *source = NULL;
	if (herald_is_notify(frame)) {
		*out_cursor = (struct str){0};
		return herald_hello(daemon, peer, err);
	}
	/* that the name is one, feed_decode has seen to */
	if (str_is(frame->source, VERDICT_SOURCE) ||
	    (frame->kinds & own_kinds(frame->source)) != 0) {
		return error_set(err, ERR_CONFIG,
				 "HELLO of %.*s: the name or the kinds are the daemon's own",
				 STR_ARG(frame->source));
	}
	int rc = roster_add(keeper_roster(daemon->keeper), frame->source, &source, err);
	rc = rc < 0 ? rc : take_place(source, peer, err);
	if (rc < 0) {
		return rc;
	}
	struct peer_source *data = calloc(1, sizeof *data);
	if (data == NULL) {
		source->peer = NULL;
		return error_set(err, ERR_NOMEM, "no memory for a peer of feed.sock");
	}
	*data = (struct peer_source){.source = source,
				     .kinds = frame->kinds,
				     .urgent = str_is(frame->source_type, "serve") ||
					       str_is(frame->source_type, "person")};
	feedpeer_set_data(peer, data);
	unsigned configured = settings_source_kinds(daemon->config, source->about.name);
	roster_set_type(source, frame->source_type, configured != 0 ? configured : frame->kinds);
	if (source->heard_ns == 0) {
		source->heard_ns = clock_now_ns();
	}
	*out_cursor = source->about.cursor;
	log_write(LOG_LEVEL_INFO, "peer-connected", "%.*s speaks for source %s",
		  STR_ARG(frame->program), source->about.name);
	return 0;
}

static int on_batch(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		    struct error *err)
{
	struct daemon *daemon = owner;
	struct peer_source *data = feedpeer_data(peer);
	if (data == NULL) {
		return error_set(err, ERR_INPUT, "querytrail-notify gives no records");
	}
	struct roster_source *source = data->source;
	if (keeper_is_full(daemon->keeper)) {
		int rc = intake_commit(daemon, err);
		if (rc < 0) {
			return rc == -ERR_LIMIT ? -ERR_IO : rc;
		}
	}
	/* paused: what fits waits in memory, unconfirmed; each peer has one batch in flight */
	if (daemon->paused_ns != 0 && keeper_is_full(daemon->keeper)) {
		return error_set(err, ERR_AGAIN,
				 "disk full: the daemon takes nothing in until there is room");
	}
	struct keeper_batch batch = {.source = source,
				     .kinds = data->kinds,
				     .records = frame->records,
				     .record_count = frame->record_count,
				     .cursor = frame->cursor,
				     .watermark_ns = frame->watermark_ns,
				     .caught_up = frame->caught_up,
				     .now_ns = clock_now_ns()};
	struct keeper_result result;
	int rc = keeper_take(daemon->keeper, &batch, &result, err);
	if (rc < 0) {
		return rc == -ERR_LIMIT ? -ERR_IO : rc;
	}
	if (result.conflicting > 0) {
		log_write(LOG_LEVEL_WARNING, "key-reused",
			  "source %s gave %llu events again with other bytes; both are kept",
			  source->about.name, (unsigned long long)result.conflicting);
	}
	if (frame->record_count > 0 && roster_is_done(source)) {
		roster_set_state(source, "ok", (struct str){0}, batch.now_ns);
	}
	roster_heard(source, batch.now_ns);
	feedpeer_set_counts(peer, &(struct feedpeer_counts){.stored = result.stored,
							    .duplicate = result.duplicate,
							    .rejected = result.rejected});
	daemon->urgent = daemon->urgent || data->urgent;
	intake_schedule(daemon);
	return 0;
}

static int on_status(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		     struct error *err)
{
	static const char *const words[] = {[FEED_STATE_OK] = "ok",
					    [FEED_STATE_RETRYING] = "retrying",
					    [FEED_STATE_FAILED] = "failed",
					    [FEED_STATE_DONE] = "done"};
	struct daemon *daemon = owner;
	struct peer_source *data = feedpeer_data(peer);
	int64_t now_ns = clock_now_ns();
	(void)err;
	if (data == NULL) {
		return 0; /* querytrail-notify logs what befalls its channels */
	}
	struct roster_source *source = data->source;
	roster_set_state(source, words[frame->state], frame->text, now_ns);
	if (frame->state == FEED_STATE_OK || frame->state == FEED_STATE_DONE) {
		roster_heard(source, now_ns);
	}
	if (source->dirty) {
		intake_schedule(daemon);
	}
	return 0;
}

static void on_gone(void *owner, struct feedpeer *peer, const struct error *why)
{
	struct peer_source *data = feedpeer_data(peer);
	struct daemon *daemon = owner;
	if (daemon->notify == peer) {
		herald_gone(daemon, why);
		return;
	}
	const char *name = data != NULL ? data->source->about.name : "(no name yet)";
	if (why != NULL) {
		log_write(LOG_LEVEL_WARNING, "peer-lost", "source %s: %s", name, why->text);
	} else {
		log_write(LOG_LEVEL_INFO, "peer-left", "source %s: its collector left", name);
	}
	if (data != NULL && data->source->peer == peer) {
		data->source->peer = NULL;
	}
	free(data);
}

const struct feedserver_handlers intake_handlers = {.hello = on_hello,
						    .batch = on_batch,
						    .status = on_status,
						    .receipt = herald_receipt,
						    .anchored = herald_anchored,
						    .drained = herald_drained,
						    .gone = on_gone};
