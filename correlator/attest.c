#include "correlator/daemonstate.h"

#include "base/clock.h"
#include "base/log.h"
#include "correlator/rollback.h"
#include "correlator/verdict.h"
#include "store/log/checkpoints.h"
#include "store/log/forget.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define NOTE_RUNS 65536 /* runs of leaves that one record names */

static const char *path_or_null(const char *path)
{
	return path[0] != 0 ? path : NULL;
}

int attest_open(struct daemon *daemon, struct error *err)
{
	const struct log_settings *settings = &daemon->settings.log;
	const struct signing_options options = {
		.store = keeper_store(daemon->keeper),
		.store_dir = daemon->store_dir.ptr,
		.key_file = path_or_null(settings->key_file),
		.next_key_file = path_or_null(settings->next_key_file),
		.interval_ns = settings->interval_ns,
	};
	int rc = signing_open(&options, &daemon->signing, err);
	return rc < 0 ? rc
		      : rollback_check(options.store, signing_origin(daemon->signing),
				       daemon->config, err);
}

int attest_note_keys(struct daemon *daemon, struct error *err)
{
	struct buf keys, news;
	buf_init(&keys, 0);
	buf_init(&news, ERROR_TEXT_MAX);
	int rc = 0;
	if (signing_news(daemon->signing, &keys, &news)) {
		rc = watch_note(daemon, "key", news.ptr, err);
		rc = rc < 0 ? rc
			    : store_meta_put(keeper_store(daemon->keeper), CHECKPOINTS_KEYS,
					     buf_str(&keys), err);
	}
	buf_done(&keys);
	buf_done(&news);
	return rc;
}

/* One record that names some runs of leaves. */
static int note_runs(struct daemon *daemon, const char *event, const struct leafset *runs,
		     struct error *err)
{
	struct record record;
	struct buf code, reason;
	char key[RECORD_KEY_MAX];
	int64_t now_ns = clock_now_ns();
	uint64_t count = leafset_count(runs);
	int len = snprintf(key, sizeof key, "%s:%llu:%lld", event,
			   (unsigned long long)runs->runs[0].first, (long long)now_ns);
	assert(len > 0 && (size_t)len < sizeof key);
	buf_init(&code, 0);
	buf_init(&reason, ERROR_TEXT_MAX);
	leafset_encode(runs, &code);
	buf_putf(&reason, "%llu records %s; the log keeps what proves the others",
		 (unsigned long long)count,
		 strcmp(event, FORGET_EVENT_REMOVED) == 0 ? "are gone for good"
							  : "lost some or all of what they said");
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT(VERDICT_SOURCE);
	record.key = str_make(key, (size_t)len);
	record.time_ns = now_ns;
	record_set_text(&record, FIELD_event, str_of(event));
	record_set_text(&record, FIELD_program, STR_LIT("querytraild"));
	record_set_text(&record, FIELD_reason, buf_str(&reason));
	record_set_text(&record, FIELD_leaves, buf_str(&code));
	record_set_number(&record, FIELD_record_count, (int64_t)count);
	int rc = buf_check(&code, "the leaves that were taken", err);
	rc = rc < 0 ? rc : keeper_note(daemon->keeper, &record, now_ns, err);
	buf_done(&code);
	buf_done(&reason);
	return rc;
}

static int note_kind(struct daemon *daemon, enum forget_kind kind, const char *event,
		     struct error *err)
{
	struct store *store = keeper_store(daemon->keeper);
	struct leafset leaves;
	leafset_init(&leaves);
	int rc = forget_pending(store, kind, &leaves, err);
	bool any = leaves.run_count > 0;
	for (size_t at = 0; at < leaves.run_count && rc == 0; at += NOTE_RUNS) {
		size_t left = leaves.run_count - at;
		const struct leafset some = {.runs = leaves.runs + at,
					     .run_count = left < NOTE_RUNS ? left : NOTE_RUNS};
		rc = note_runs(daemon, event, &some, err);
	}
	rc = rc < 0 || !any ? rc : forget_noted(store, kind, err);
	leafset_done(&leaves);
	return rc;
}

int attest_note_taken(struct daemon *daemon, struct error *err)
{
	int rc = note_kind(daemon, FORGET_REDACTED, FORGET_EVENT_REDACTED, err);
	return rc < 0 ? rc : note_kind(daemon, FORGET_REMOVED, FORGET_EVENT_REMOVED, err);
}

/* A store that can't be signed any more must not go on as if it were. */
static int sign(struct daemon *daemon, struct error *err)
{
	if (anchoring_refused(daemon->anchoring)) {
		return 0;
	}
	int rc = signing_run(daemon->signing, err);
	if (rc == -ERR_INPUT) {
		log_error(LOG_LEVEL_ERROR, "log-refused", err);
		rc = error_set(
			err, ERR_CORRUPT,
			"the log does not extend what was signed last: the store was changed");
	}
	return rc;
}

int attest_turn(void *owner, struct error *err)
{
	struct daemon *daemon = owner;
	int64_t now_ns = clock_monotonic_ns();
	if (keeper_is_open(daemon->keeper)) {
		return 0; /* its commit comes here again */
	}
	signing_committed(daemon->signing, now_ns);
	int64_t due_ns = signing_due_ns(daemon->signing);
	if (due_ns == INT64_MAX) {
		return 0;
	}
	if (due_ns > now_ns) {
		loop_set_timer(daemon->sign_timer, due_ns);
		return 0;
	}
	int rc = sign(daemon, err);
	return rc < 0 ? rc : herald_pump(daemon, err); /* anchors take it */
}

int attest_finish(struct daemon *daemon, struct error *err)
{
	return sign(daemon, err);
}
