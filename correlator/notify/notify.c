#include "correlator/notify/notify.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/service.h"
#include "correlator/notify/anchor-board.h"
#include "correlator/notify/daemonlink.h"
#include "correlator/notify/switchboard.h"
#include "correlator/notify/transfer.h"
#include "model/options.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CONNECT_FIRST_NS (100 * NS_PER_MS)
#define CONNECT_MAX_NS   (10 * NS_PER_SEC)
#define LOOK_AGAIN_NS    (30 * NS_PER_SEC) /* the wall clock may have been set */

struct notify {
	const struct notify_options *options;
	struct config *config;
	struct switchboard *board;
	struct anchor_board *anchors;
	struct daemonlink link;
	struct loop *loop;
	struct loop_event *link_event, *timer, *connect_timer;
	struct buf path; /* of feed.sock */
	int wake_fd;
	int64_t connect_wait_ns;
	bool trouble;   /* with the daemon, and it was told */
	bool reloading; /* asked to */
};

static bool on_receipt(void *owner, const struct feed_frame *receipt)
{
	struct notify *notify = owner;

	return daemonlink_send(&notify->link, receipt);
}

static int on_frame(void *owner, const struct feed_frame *frame, struct error *err)
{
	struct notify *notify = owner;

	if (frame->type == FEED_CHECKPOINT) {
		anchor_board_checkpoint(notify->anchors, frame);
		return 0;
	}
	return switchboard_alert(notify->board, frame, clock_now_ns(), err);
}

/* Lets the channels work, and comes back when the next thing is due. */
static void work(struct notify *notify)
{
	int64_t now_ns = clock_now_ns();
	anchor_board_work(notify->anchors);
	int64_t due_ns = switchboard_work(notify->board, now_ns);
	int64_t wait_ns = due_ns - now_ns < LOOK_AGAIN_NS ? due_ns - now_ns : LOOK_AGAIN_NS;

	loop_set_timer(notify->timer, clock_monotonic_ns() + (wait_ns > 0 ? wait_ns : 0));
}

static void connect_later(struct notify *notify, const struct error *err)
{
	if (!notify->trouble) {
		log_error(LOG_LEVEL_WARNING, "feed-unavailable", err);
	}
	notify->trouble = true;
	service_status("waiting for querytraild");
	loop_remove(notify->link_event);
	notify->link_event = NULL;
	switchboard_forget(notify->board);
	uint64_t random = hash_key_random().k0 % (uint64_t)(notify->connect_wait_ns + 1);
	loop_set_timer(notify->connect_timer,
		       clock_monotonic_ns() + notify->connect_wait_ns / 2 + (int64_t)random / 2);
	notify->connect_wait_ns = notify->connect_wait_ns * 2 < CONNECT_MAX_NS
					  ? notify->connect_wait_ns * 2
					  : CONNECT_MAX_NS;
}

static int on_link(void *owner, unsigned ready, struct error *err)
{
	struct notify *notify = owner;
	struct error why;
	bool greeted = notify->link.greeted;

	(void)ready;
	(void)err;
	/* the event goes before its descriptor: daemonlink_read closes it when it fails */
	int rc = daemonlink_read(&notify->link, on_frame, notify, &why);
	if (rc != 0) {
		connect_later(notify, &why);
	} else if (!greeted && notify->link.greeted) {
		notify->connect_wait_ns = CONNECT_FIRST_NS;
		if (notify->trouble) {
			log_write(LOG_LEVEL_NOTICE, "feed-connected", "connected to querytraild");
		}
		notify->trouble = false;
		service_status("connected to querytraild");
	}
	work(notify);
	return 0;
}

static int on_connect(void *owner, struct error *err)
{
	struct notify *notify = owner;
	struct loop_fd_call call = {.each = on_link, .owner = notify, .wanted = LOOP_READ};
	struct error why;

	int rc = daemonlink_open(&notify->link, notify->path.ptr, &why);
	if (rc == -ERR_CONFIG) {
		*err = why;
		return rc;
	}
	if (rc != 0) {
		connect_later(notify, &why);
		return 0;
	}
	return loop_add_fd(notify->loop, notify->link.fd, call, &notify->link_event, err);
}

/* A receipt may have found the connection broken: then the event of a closed descriptor must go. */
static void check_link(struct notify *notify)
{
	struct error why;

	if (notify->link_event != NULL && notify->link.fd < 0) {
		(void)error_set(&why, ERR_AGAIN, "querytraild takes no receipt");
		connect_later(notify, &why);
	}
}

static int on_wake(void *owner, unsigned ready, struct error *err)
{
	struct notify *notify = owner;
	uint64_t count;

	(void)ready;
	(void)err;
	(void)!read(notify->wake_fd, &count, sizeof(count)); /* only to make it unreadable again */
	work(notify);
	check_link(notify);
	return 0;
}

static int on_timer(void *owner, struct error *err)
{
	struct notify *notify = owner;

	(void)err;
	work(notify);
	check_link(notify);
	return 0;
}

static int on_stop(void *owner, struct error *err)
{
	struct notify *notify = owner;

	(void)err;
	loop_stop(notify->loop);
	return 0;
}

static int on_reload(void *owner, struct error *err)
{
	struct notify *notify = owner;

	notify->reloading = true;
	return on_stop(notify, err);
}

static enum log_level level_of(const char *word)
{
	static const char *const words[] = {"error", "warning", "notice", "info", "debug"};

	for (int i = 0; i < 5; i++) {
		if (str_is(str_of(word), words[i])) {
			return (enum log_level)(LOG_LEVEL_ERROR + i);
		}
	}
	return LOG_LEVEL_INFO;
}

/* Takes a configuration and opens its channels; on failure all is as before. */
static int use_config(struct notify *notify, struct error *err)
{
	struct desk_call call = {.each = on_receipt, .owner = notify};
	struct switchboard *board = NULL;
	struct anchor_board *anchors = NULL;
	struct config *config = NULL;

	int rc = config_load(options_schema(), notify->options->config_path, &config, NULL, err);
	if (rc == 0) {
		rc = switchboard_new(config, notify->wake_fd, call, &board, err);
	}
	if (rc == 0) {
		rc = anchor_board_new(config, notify->wake_fd, call, &anchors, err);
	}
	if (rc != 0) {
		switchboard_free(board);
		config_free(config);
		return rc;
	}
	if (notify->board != NULL) {
		switchboard_finish(notify->board, NOTIFY_GRACE_NS);
		anchor_board_finish(notify->anchors, 0);
	}
	switchboard_free(notify->board);
	anchor_board_free(notify->anchors);
	notify->anchors = anchors;
	config_free(notify->config);
	notify->board = board;
	notify->config = config;
	log_set_level(level_of(config_text(config, "", "log_level")));
	const char *runtime = notify->options->runtime_dir != NULL
				      ? notify->options->runtime_dir
				      : config_text(config, "", "runtime");
	buf_clear(&notify->path);
	buf_putf(&notify->path, "%s/feed.sock", runtime);
	return buf_check(&notify->path, "the path of feed.sock", err);
}

static int add_events(struct notify *notify, struct error *err)
{
	static const int stops[] = {SIGTERM, SIGINT};
	struct loop_call stop = {.each = on_stop, .owner = notify};
	struct loop_call reload = {.each = on_reload, .owner = notify};
	struct loop_call timer = {.each = on_timer, .owner = notify};
	struct loop_call reconnect = {.each = on_connect, .owner = notify};
	struct loop_fd_call wake = {.each = on_wake, .owner = notify, .wanted = LOOP_READ};
	struct loop_event *event;
	int rc = 0;

	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]) && rc == 0; i++) {
		rc = loop_add_signal(notify->loop, stops[i], stop, &event, err);
	}
	if (rc == 0) {
		rc = loop_add_signal(notify->loop, SIGHUP, reload, &event, err);
	}
	if (rc == 0) {
		rc = loop_add_timer(notify->loop, timer, &notify->timer, err);
	}
	if (rc == 0) {
		rc = loop_add_timer(notify->loop, reconnect, &notify->connect_timer, err);
	}
	if (rc == 0) {
		rc = loop_add_fd(notify->loop, notify->wake_fd, wake, &event, err);
	}
	return rc;
}

/* Between two runs of the loop: the new configuration, and a new connection, over which the daemon sends all that waits. */
static void reload(struct notify *notify)
{
	struct error err;

	notify->reloading = false;
	if (use_config(notify, &err) != 0) {
		log_error(LOG_LEVEL_ERROR, "reload-failed", &err);
		return;
	}
	loop_remove(notify->link_event);
	notify->link_event = NULL;
	daemonlink_close(&notify->link);
	notify->connect_wait_ns = CONNECT_FIRST_NS;
	loop_set_timer(notify->connect_timer, clock_monotonic_ns());
	log_write(LOG_LEVEL_NOTICE, "reloaded", "the configuration was loaded again: %zu channels",
		  switchboard_count(notify->board));
}

static int serve(struct notify *notify, struct error *err)
{
	int rc = loop_new(&notify->loop, err);

	if (rc == 0) {
		rc = add_events(notify, err);
	}
	if (rc == 0) {
		rc = use_config(notify, err);
	}
	if (rc != 0) {
		return rc;
	}
	loop_keep_watchdog(notify->loop);
	loop_set_timer(notify->connect_timer, clock_monotonic_ns());
	service_ready();
	for (;;) {
		rc = loop_run(notify->loop, err);
		if (rc != 0 || !notify->reloading) {
			break;
		}
		reload(notify);
	}
	service_stopping();
	int64_t end_ns = clock_monotonic_ns() + NOTIFY_GRACE_NS;
	switchboard_finish(notify->board, NOTIFY_GRACE_NS);
	anchor_board_finish(notify->anchors, end_ns - clock_monotonic_ns());
	return rc;
}

int notify_prepare(struct error *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (sigaction(SIGPIPE, &ignore, NULL) != 0) {
		return error_errno(err, "cannot ignore SIGPIPE");
	}
	return transfer_global(err);
}

int notify_run(const struct notify_options *options, struct error *err)
{
	struct notify notify = {
		.options = options, .connect_wait_ns = CONNECT_FIRST_NS, .wake_fd = -1};

	int rc = notify_prepare(err);
	if (rc != 0) {
		return rc;
	}
	buf_init(&notify.path, 4096);
	daemonlink_init(&notify.link);
	notify.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = notify.wake_fd < 0 ? error_errno(err, "cannot make an eventfd") : serve(&notify, err);
	switchboard_free(notify.board);
	anchor_board_free(notify.anchors);
	daemonlink_done(&notify.link);
	loop_free(notify.loop);
	config_free(notify.config);
	buf_done(&notify.path);
	if (notify.wake_fd >= 0) {
		close(notify.wake_fd);
	}
	return rc;
}
