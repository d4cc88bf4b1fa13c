#include "correlator/daemonstate.h"

#include "base/clock.h"
#include "base/log.h"
#include "correlator/rollback.h"
#include "store/log/checkpoints.h"

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
