#include "correlator/daemonstate.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/service.h"
#include "correlator/pause.h"

#include <signal.h>
#include <unistd.h>

#define STOP_GRACE_NS (8 * NS_PER_SEC)

static int on_stop(void *owner, struct error *err)
{
	struct daemon *daemon = owner;
	(void)err;
	if (daemon->stopping) {
		loop_stop(daemon->loop); /* asked twice: do not wait for the children */
		return 0;
	}
	service_stopping();
	daemon->stopping = true;
	daemon->stop_deadline_ns = clock_monotonic_ns() + STOP_GRACE_NS;
	if (daemon->spawn != NULL) {
		spawn_terminate(daemon->spawn);
	}
	loop_set_timer(daemon->watch_timer, 0);
	return 0;
}

static int on_reload(void *owner, struct error *err)
{
	return household_reload(owner, err);
}

static int on_commit_due(void *owner, struct error *err)
{
	return intake_commit(owner, err);
}

static int add_events(struct daemon *daemon, struct error *err)
{
	struct loop *loop = daemon->loop;
	int rc = loop_add_signal(loop, SIGTERM, (struct loop_call){on_stop, daemon},
				 &daemon->signals[0], err);
	rc = rc < 0 ? rc
		    : loop_add_signal(loop, SIGINT, (struct loop_call){on_stop, daemon},
				      &daemon->signals[1], err);
	rc = rc < 0 ? rc
		    : loop_add_signal(loop, SIGHUP, (struct loop_call){on_reload, daemon},
				      &daemon->signals[2], err);
	rc = rc < 0 ? rc
		    : loop_add_timer(loop, (struct loop_call){on_commit_due, daemon},
				     &daemon->commit_timer, err);
	rc = rc < 0 ? rc
		    : loop_add_timer(loop, (struct loop_call){sealing_turn, daemon},
				     &daemon->seal_timer, err);
	rc = rc < 0 ? rc
		    : loop_add_timer(loop, (struct loop_call){attest_turn, daemon},
				     &daemon->sign_timer, err);
	rc = rc < 0 ? rc
		    : loop_add_timer(loop, (struct loop_call){watch_tick, daemon},
				     &daemon->watch_timer, err);
	if (rc == 0) {
		loop_keep_watchdog(loop);
		loop_set_timer(daemon->watch_timer, 0);
	}
	return rc;
}

static int open_keeper(struct daemon *daemon, struct error *err)
{
	struct keeper_options options = {.store_dir = daemon->store_dir.ptr,
					 .store_key = secret_peek(&daemon->settings.store_key),
					 .join = &daemon->settings.join,
					 .records_only = daemon->options.records_only,
					 .max_keys = DAEMON_KEYS_MAX,
					 .now_ns = clock_now_ns()};
	int64_t start_ns = clock_monotonic_ns();
	int rc = keeper_open(&options, &daemon->keeper, err);
	if (rc < 0) {
		return rc;
	}
	struct keeper_figures figures = keeper_figures(daemon->keeper);
	log_write(LOG_LEVEL_INFO, "store-opened", "%s holds %llu records, taken in in %lld ms",
		  daemon->store_dir.ptr, (unsigned long long)figures.leaves,
		  (long long)((clock_monotonic_ns() - start_ns) / NS_PER_MS));
	const struct error *strangers = store_strangers(keeper_store(daemon->keeper));
	if (strangers != NULL) {
		log_write(LOG_LEVEL_ERROR, "store-damaged", "%s", strangers->text);
	}
	sealer_init(&daemon->sealer, keeper_store(daemon->keeper), &daemon->settings.seal);
	const char *config = daemon->options.config_path;
	config = config == NULL && access(DAEMON_CONFIG_PATH, F_OK) == 0 ? DAEMON_CONFIG_PATH
									 : config;
	const struct life_options life = {.keeper = daemon->keeper,
					  .store_dir = daemon->store_dir.ptr,
					  .config_path = config,
					  .settings = &daemon->settings.retention};
	rc = life_new(&life, &daemon->life, err);
	rc = rc < 0 ? rc : household_apply(daemon, err);
	return rc < 0 ? rc : ruleload_start(daemon, err);
}

static int open_server(struct daemon *daemon, struct error *err)
{
	struct buf path;
	buf_init(&path, 4096);
	buf_put_str(&path, buf_str(&daemon->runtime_dir));
	buf_put_text(&path, "/feed.sock");
	struct feedserver_options options = {.loop = daemon->loop,
					     .path = path.ptr,
					     .handlers = &intake_handlers,
					     .owner = daemon};
	int rc = buf_check(&path, "the runtime folder's path", err);
	rc = rc < 0 ? rc : io_make_dir(daemon->runtime_dir.ptr, 0750, err);
	rc = rc < 0 ? rc : feedserver_open(&options, &daemon->server, err);
	buf_done(&path);
	return rc;
}

/* Says that it started; and, when that will revise verdicts, why. */
static int note_start(struct daemon *daemon, struct error *err)
{
	static const char others[] =
		"querytraild started with other options of the join (routes, signing key, times) "
		"than those by which the store was judged: verdicts are revised";
	if (!keeper_figures(daemon->keeper).other_options) {
		return watch_note(daemon, "start", "querytraild started", err);
	}
	log_write(LOG_LEVEL_WARNING, "judged-anew", "%s", others);
	return watch_note(daemon, "start", others, err);
}

/* Everything up to the loop. */
static int start(struct daemon *daemon, struct error *err)
{
	int rc = household_load(daemon, &daemon->config, err);
	rc = rc < 0 ? rc : settings_read(daemon->config, &daemon->settings, err);
	if (rc < 0) {
		return rc;
	}
	log_set_level(daemon->settings.log_level);
	household_find_places(daemon);
	/* a file size limit is a full disk like any other, and told like one */
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGXFSZ, &ignore, NULL); /* cannot fail with these arguments */
	rc = loop_new(&daemon->loop, err);
	rc = rc < 0 ? rc : open_keeper(daemon, err);
	rc = rc < 0 ? rc : attest_open(daemon, err);
	rc = rc < 0 ? rc : add_events(daemon, err);
	rc = rc < 0 ? rc : herald_open(daemon, err);
	rc = rc < 0 ? rc : open_server(daemon, err);
	rc = rc < 0 ? rc : note_start(daemon, err);
	rc = rc < 0 ? rc : attest_note_keys(daemon, err);
	rc = rc < 0 ? rc : attest_note_taken(daemon, err);
	rc = rc < 0 ? rc : intake_commit(daemon, err);
	if (rc == 0 && daemon->options.spawn) {
		rc = household_start_children(daemon, err);
	}
	return rc;
}

/* Commits what was received, and that we stop. */
static int finish(struct daemon *daemon, struct error *err)
{
	int rc = feedserver_drain(daemon->server, err);
	rc = rc < 0 ? rc : attest_note_taken(daemon, err);
	rc = rc < 0 ? rc : watch_note(daemon, "stop", "querytraild was asked to stop", err);
	rc = rc < 0 ? rc : intake_commit(daemon, err);
	if (rc == 0 && daemon->options.import && !daemon->options.records_only &&
	    !daemon->unjudged) { /* else what is sealed as settled would never be judged */
		sealing_finish(daemon);
	}
	return rc < 0 ? rc : attest_finish(daemon, err);
}

static void release(struct daemon *daemon)
{
	roomwait_forget(daemon);
	spawn_close(daemon->spawn, 2000);
	feedserver_close(daemon->server, "querytraild is stopping");
	dispatch_free(daemon->dispatch);
	anchoring_free(daemon->anchoring);
	life_free(daemon->life);
	sealer_done(&daemon->sealer);
	signing_close(daemon->signing);
	keeper_close(daemon->keeper);
	loop_free(daemon->loop);
	settings_done(&daemon->settings);
	config_free(daemon->config);
	buf_done(&daemon->store_dir);
	buf_done(&daemon->runtime_dir);
	buf_done(&daemon->children_config);
}

/* The disk is full: waits for room. Returns 0 when it is to be tried again, or the failure. */
static int await_room(struct daemon *daemon, bool told, struct error *err)
{
	struct error why = *err, asked;
	const struct pause pause = {daemon->store_dir.ptr, PAUSE_ROOM_BYTES, PAUSE_TRY_NS};
	if (!told) {
		log_error(LOG_LEVEL_ERROR, "disk-full", &why);
		log_write(LOG_LEVEL_ERROR, "collection-pauses",
			  "collection pauses until there is room; nothing is lost, and what is "
			  "stored "
			  "can be asked for");
	}
	spawn_close(daemon->spawn, 2000); /* they would wait for an answer */
	daemon->spawn = NULL;
	int rc = pause_until_room(&pause, &asked);
	if (rc == -ERR_CANCELLED && !daemon->options.import) {
		return rc;
	}
	return rc == 0 ? 0 : -why.code;
}

/* From opening the store to closing it. *again: the disk was full, and it is to be tried again. */
static int run_once(const struct daemon_options *options, bool *again, struct error *err)
{
	struct daemon daemon = {.options = *options};
	error_clear(&daemon.import_failed);
	buf_init(&daemon.store_dir, 4096);
	buf_init(&daemon.runtime_dir, 4096);
	buf_init(&daemon.children_config, 4096);
	int rc = start(&daemon, err);
	bool was_full = *again;
	if (rc == 0) {
		service_ready();
		if (was_full) {
			log_write(LOG_LEVEL_WARNING, "collection-goes-on",
				  "there is room again: collection goes on");
			was_full = false;
		}
		rc = loop_run(daemon.loop, err);
		rc = rc < 0 ? rc : finish(&daemon, err);
	}
	if (rc == 0 && daemon.import_failed.code != 0) {
		rc = -daemon.import_failed.code;
		*err = daemon.import_failed;
	}
	*again = false;
	if (rc < 0 && err->full && !daemon.stopping && daemon.store_dir.len > 0) {
		rc = await_room(&daemon, was_full, err);
		*again = rc == 0;
	}
	release(&daemon);
	return rc;
}

int daemon_run(const struct daemon_options *options, struct error *err)
{
	struct error why;
	bool again = false;
	int rc;
	error_clear(&why);
	do {
		rc = run_once(options, &again, &why);
	} while (again);
	if (err != NULL && rc < 0) {
		*err = why;
	}
	return rc == -ERR_CANCELLED ? 0 : rc;
}
