#include "query/order.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/process.h"
#include "query/feed-report.h"
#include "query/wrap.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEY_BYTES    16
#define SOURCE       "querytrail"
#define PASSWD_BYTES 65536
#define TURN_NS      (10 * NS_PER_SEC) /* how long to wait until nobody else speaks */
#define START_NS     (120 * NS_PER_SEC)
#define STEP_MS      50
#define STOP_MS      10000
#define LOG_BYTES    8192

static void pause_ms(long ms)
{
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
	(void)nanosleep(&wait, NULL); /* a signal only makes it shorter */
}

/* The name of the one who orders. */
static void put_name(const struct session *session, struct buf *out)
{
	char text[PASSWD_BYTES];
	struct passwd entry;
	struct passwd *found = NULL;
	if (session->surroundings->asker != NULL) {
		buf_put_text(out, session->surroundings->asker);
		return;
	}
	if (getpwuid_r(getuid(), &entry, text, sizeof(text), &found) == 0 && found != NULL) {
		buf_put_text(out, entry.pw_name);
	} else {
		buf_putf(out, "uid:%u", (unsigned)getuid());
	}
}

/* Sends it to the daemon at path; waits while somebody else gives an order. */
static int send_order(struct session *session, const char *path, const struct order *order,
		      struct error *err)
{
	struct record record = *order->record;
	struct buf name;
	char key[KEY_BYTES];
	bool served = session->surroundings->asker != NULL;
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
		return error_errno(err, "no random key for the order");
	}
	buf_init(&name, 1024);
	put_name(session, &name);
	record.source = STR_LIT(SOURCE);
	record.key = str_make(key, sizeof(key));
	record.time_ns = clock_now_ns();
	record_set_text(&record, FIELD_user, buf_str(&name));
	record_set_text(&record, FIELD_program, STR_LIT(SOURCE));
	record_set_number(&record, FIELD_peer_uid,
			  served ? session->surroundings->asker_uid : (int64_t)getuid());
	const struct feed_report report = {
		.path = path, .source = SOURCE, .source_type = "person", .record = &record};
	int64_t end_ns = clock_monotonic_ns() + TURN_NS;
	int result = feed_report_send(&report, err);
	while (result == -ERR_AGAIN && clock_monotonic_ns() < end_ns) {
		pause_ms(STEP_MS);
		result = feed_report_send(&report, err);
	}
	buf_done(&name);
	if (result == -ERR_GONE) { /* a caller takes that for an alert that is gone */
		result = -ERR_IO;
		err->code = ERR_IO;
	}
	return result == 0 && order->wait != NULL ? order->wait(order->owner, err) : result;
}

/* Whether a daemon listens there. */
static bool is_there(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

struct own {                /* a daemon for one order */
	const char *folder; /* of its sockets */
	int log_fd;
	struct process process;
};

static int start_daemon(const struct session *session, const struct order *order, struct own *own,
			struct error *err)
{
	struct buf program;
	const char *config = session_option(session, OPTION_CONFIG);
	config = config != NULL ? config : getenv("QUERYTRAIL_CONFIG");
	const char *argv[10] = {"querytraild", "--store", session_store_dir(session), "--runtime",
				own->folder};
	size_t count = 5;
	if (!order->works) {
		argv[count++] = "--records-only";
	}
	if (config != NULL && config[0] != '\0') {
		argv[count++] = "--config";
		argv[count++] = config;
	}
	buf_init(&program, PATH_MAX);
	int result = process_find("querytraild", &program, err);
	if (result == 0) {
		const struct process_start how = {.path = program.ptr,
						  .argv = argv,
						  .out_fd = own->log_fd,
						  .err_fd = own->log_fd};
		result = process_start(&how, &own->process, err);
	}
	buf_done(&program);
	return result;
}

/* What the daemon said, which matters when it did not do what it should. */
static void tell_log(struct session *session, int log_fd)
{
	char text[LOG_BYTES];
	ssize_t got = pread(log_fd, text, sizeof(text), 0);
	if (got > 0) {
		wrap_put_safe(&session->err, "  ", str_make(text, (size_t)got));
	}
}

/* Starts a daemon on the store for this one order. */
static int order_from_own(struct session *session, const struct order *order, struct error *err)
{
	char folder[] = "/tmp/querytrail-order-XXXXXX";
	char path[sizeof(folder) + 16];
	IO_CLOSE int log_fd = memfd_create("log", MFD_CLOEXEC); /* without it nothing is told */
	struct own own = {.folder = folder, .log_fd = log_fd};
	int status = 0;
	if (mkdtemp(folder) == NULL) {
		return error_errno(err, "no temporary folder");
	}
	(void)snprintf(path, sizeof(path), "%s/feed.sock", folder); /* fits */
	int result = start_daemon(session, order, &own, err);
	if (result == 0) {
		int64_t end_ns = clock_monotonic_ns() + START_NS;
		bool ended = false;
		while (!ended && !is_there(path) && clock_monotonic_ns() < end_ns) {
			ended = process_wait(&own.process, STEP_MS, &status);
		}
		if (ended) {
			result = error_set(err, status == 78 ? ERR_CONFIG : ERR_IO,
					   "querytraild ended with status %d", status);
		} else {
			result = send_order(session, path, order, err);
		}
		(void)process_stop(&own.process, STOP_MS); /* what it committed stands */
	}
	if (result != 0) {
		tell_log(session, log_fd);
	}
	(void)unlink(path);  /* it removes it itself */
	(void)rmdir(folder); /* what is left in it is told by its name in /tmp */
	return result;
}

int order_give(struct session *session, const struct order *order, struct error *err)
{
	char path[PATH_MAX];
	const char *runtime = session->surroundings->runtime;
	if (session->surroundings->served == NULL) {
		if (!session_daemon_runs(session)) {
			return order_from_own(session, order, err);
		}
		int result = session_load_config(session, NULL, err);
		if (result != 0) {
			error_prefix(err,
				     "a daemon writes this store, and its configuration says where "
				     "it listens (--config)");
			return result;
		}
		runtime = config_text(session->config, "", "runtime");
	}
	(void)snprintf(path, sizeof(path), "%s/feed.sock",
		       runtime); /* a cut path can't be opened */
	return send_order(session, path, order, err);
}
