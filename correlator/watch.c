#include "correlator/daemonstate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/service.h"
#include "correlator/verdict.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#define TICK_MAX_NS (15 * NS_PER_SEC)
#define TICK_MIN_NS (20 * NS_PER_MS)
#define STATUS_NS   (2 * NS_PER_SEC) /* the status counts alerts, of which there may be many */

int watch_note(struct daemon *daemon, const char *event, const char *reason, struct error *err)
{
	struct record record;
	char key[RECORD_KEY_MAX];
	int64_t now_ns = clock_now_ns();
	int len =
		snprintf(key, sizeof key, "%s:%lld:%ld", event, (long long)now_ns, (long)getpid());
	assert(len > 0 && (size_t)len < sizeof key);
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT(VERDICT_SOURCE);
	record.key = str_make(key, (size_t)len);
	record.time_ns = now_ns;
	record_set_text(&record, FIELD_event, str_of(event));
	record_set_text(&record, FIELD_program, STR_LIT("querytraild"));
	record_set_text(&record, FIELD_reason, str_of(reason));
	return keeper_note(daemon->keeper, &record, now_ns, err);
}

/* Records that nothing came from a source since it was last heard. */
static int note_silence(struct daemon *daemon, struct roster_source *source, int64_t now_ns,
			struct error *err)
{
	struct record record;
	char key[RECORD_KEY_MAX];
	struct buf reason;
	int len = snprintf(key, sizeof key, "silence:%lld", (long long)source->heard_ns);
	assert(len > 0 && (size_t)len < sizeof key);
	buf_init(&reason, 256);
	buf_put_text(&reason, "nothing was heard of the source for ");
	clock_put_duration(&reason, daemon->settings.silence_limit_ns);
	buf_put_text(&reason, " or longer");
	record_init(&record, RECORD_GAP);
	record.source = str_of(source->about.name);
	record.key = str_make(key, (size_t)len);
	record.time_ns = source->heard_ns;
	record_set_number(&record, FIELD_gap_from, source->heard_ns);
	record_set_text(&record, FIELD_gap_kind, STR_LIT("silence"));
	record_set_text(&record, FIELD_reason, buf_str(&reason));
	int rc = keeper_note(daemon->keeper, &record, now_ns, err);
	log_write(LOG_LEVEL_WARNING, "source-silent", "source %s: %.*s", source->about.name,
		  STR_ARG(buf_str(&reason)));
	source->silent = true;
	source->about.gaps++;
	roster_set_state(source, "silent", buf_str(&reason), now_ns);
	buf_done(&reason);
	return rc;
}

static int look_for_silence(struct daemon *daemon, struct error *err)
{
	struct roster *roster = keeper_roster(daemon->keeper);
	int64_t now_ns = clock_now_ns();
	for (;;) {
		struct roster_source *source =
			roster_silent(roster, now_ns, daemon->settings.silence_limit_ns);
		if (source == NULL) {
			return 0;
		}
		int rc = note_silence(daemon, source, now_ns, err);
		if (rc < 0) {
			return rc;
		}
		intake_schedule(daemon);
	}
}

/* "52 rules (1 bad, 3 idle), 4 alerts firing, 2 deliveries waiting, 1 dead" */
static int put_alerts(struct daemon *daemon, struct buf *out, struct error *err)
{
	struct alerting_figures rules = alerting_figures(keeper_alerting(daemon->keeper));
	struct alerts_counts counts = {0};
	int rc = alerts_count(keeper_store(daemon->keeper), &counts, err);
	buf_putf(out, "; %zu rules", rules.rules);
	if (rules.bad_rules + rules.idle_rules > 0) {
		buf_putf(out, " (%zu bad, %zu idle)", rules.bad_rules, rules.idle_rules);
	}
	buf_putf(out, ", %llu alerts firing", (unsigned long long)counts.firing);
	if (counts.waiting + counts.dead > 0) {
		buf_putf(out, ", deliveries: %llu waiting, %llu dead",
			 (unsigned long long)counts.waiting, (unsigned long long)counts.dead);
	}
	if (daemon->settings.alerts.channels.count > 0 && daemon->notify == NULL) {
		buf_put_text(out, ", querytrail-notify is not connected");
	}
	return rc;
}

static int say_status(struct daemon *daemon, struct error *err)
{
	struct keeper_figures figures = keeper_figures(daemon->keeper);
	struct buf text;
	buf_init(&text, 1024);
	buf_putf(&text,
		 "%llu records, %zu of them in the join, %zu statements and %zu requests open%s",
		 (unsigned long long)figures.leaves, figures.in_memory, figures.open_statements,
		 figures.open_requests,
		 figures.join_full ? "; the join is full: new records get no verdicts" : "");
	int rc = put_alerts(daemon, &text, err);
	assert(!text.failed);
	service_status(text.ptr);
	buf_done(&text);
	return rc;
}

/* Ends alerts that have fired for as long as they may. */
static int expire_alerts(struct daemon *daemon, struct error *err)
{
	bool more = false;
	int rc = keeper_expire(daemon->keeper, clock_now_ns(), &more, err);
	if (rc == 0 && keeper_is_open(daemon->keeper)) {
		intake_schedule(daemon);
	}
	return rc;
}

/* Whether every source of the import gave all it had. */
static bool import_is_done(const struct daemon *daemon)
{
	size_t count = config_name_count(daemon->config, "sources");
	for (size_t i = 0; i < count; i++) {
		const char *name = config_name(daemon->config, "sources", i);
		const struct roster_source *source =
			roster_find(keeper_roster(daemon->keeper), str_of(name));
		if (settings_source_is_finite(daemon->config, name) &&
		    (source == NULL || !roster_is_done(source) || source->peer != NULL)) {
			return false;
		}
	}
	return true;
}

static int look_around(struct daemon *daemon, struct error *err)
{
	int rc = 0;
	if (daemon->paused_ns != 0) {
		return 0; /* who is silent now waits for us */
	}
	if (!daemon->stopping) {
		rc = look_for_silence(daemon, err);
		rc = rc < 0 ? rc : expire_alerts(daemon, err);
		rc = rc < 0 ? rc : attest_note_taken(daemon, err);
		if (rc == 0 && keeper_is_open(daemon->keeper)) {
			intake_schedule(daemon);
		}
	}
	int64_t now_ns = clock_monotonic_ns();
	if (rc < 0 || now_ns < daemon->status_due_ns) {
		return rc;
	}
	daemon->status_due_ns = now_ns + STATUS_NS;
	return say_status(daemon, err);
}

int watch_tick(void *owner, struct error *err)
{
	struct daemon *daemon = owner;
	int64_t now_ns = clock_monotonic_ns();
	int64_t next_ns = daemon->settings.silence_limit_ns / 4;
	int rc = look_around(daemon, err);
	if (rc < 0) {
		return rc;
	}
	if (daemon->stopping) {
		bool alone = daemon->spawn == NULL || spawn_running(daemon->spawn) == 0;
		if (alone || now_ns >= daemon->stop_deadline_ns) {
			loop_stop(daemon->loop);
			return 0;
		}
		next_ns = TICK_MIN_NS;
	} else if (daemon->options.import) {
		bool settled = daemon->first_waits_ns == 0;
		if (daemon->import_failed.code != 0 || (settled && import_is_done(daemon))) {
			loop_stop(daemon->loop);
			return 0;
		}
		next_ns = TICK_MIN_NS;
	}
	next_ns = next_ns > TICK_MAX_NS ? TICK_MAX_NS : next_ns;
	next_ns = next_ns < TICK_MIN_NS ? TICK_MIN_NS : next_ns;
	loop_set_timer(daemon->watch_timer, now_ns + next_ns);
	return 0;
}
