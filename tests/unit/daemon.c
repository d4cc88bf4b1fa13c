#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/process.h"
#include "correlator/daemon.h"
#include "model/feed.h"
#include "tests/unit/store-filled.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE_STEPS 500 /* of 10 ms */

/* A daemon in a child process, with folders of its own and a client. */
struct house {
	struct filled filled; /* its fixture's dir holds config and run/ and store/ */
	char store[100], run[100], config[100], socket[120];
	pid_t pid;
	int fd;
	struct buf in, out;
	struct arena arena;
	struct feed_frame frame;
	struct error err;
};

static void pause_ms(long ms)
{
	struct timespec time = {.tv_nsec = ms * 1000000};
	(void)nanosleep(&time, NULL); /* being woken early only asks sooner */
}

static void write_config(struct house *house, const char *text)
{
	assert_int_equal(io_replace_file(house->config, str_of(text), 0600, &house->err), 0);
}

static void house_init(struct house *house, const char *config)
{
	memset(house, 0, sizeof *house);
	house->fd = -1;
	fixture_init(&house->filled.fixture);
	const char *dir = house->filled.fixture.dir;
	assert_true(snprintf(house->store, sizeof house->store, "%s/store", dir) > 0);
	assert_true(snprintf(house->run, sizeof house->run, "%s/run", dir) > 0);
	assert_true(snprintf(house->config, sizeof house->config, "%s/c.yaml", dir) > 0);
	assert_true(snprintf(house->socket, sizeof house->socket, "%s/feed.sock", house->run) > 0);
	buf_init(&house->in, FEED_FRAME_MAX + 64);
	buf_init(&house->out, FEED_FRAME_MAX + 64);
	arena_init(&house->arena, FEED_FRAME_MAX);
	write_config(house, config);
}

static void start_daemon(struct house *house, bool import)
{
	house->pid = fork();
	assert_true(house->pid >= 0);
	if (house->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* no test leaves a daemon behind */
		struct error err;
		struct daemon_options options = {.config_path = house->config,
						 .store_dir = house->store,
						 .runtime_dir = house->run,
						 .import = import};
		int rc = daemon_run(&options, &err);
		_exit(rc < 0 ? error_exit_status(rc) : 0);
	}
}

static int wait_daemon(struct house *house)
{
	int status = -1;
	for (int i = 0; i < PATIENCE_STEPS; i++) {
		if (waitpid(house->pid, &status, WNOHANG) == house->pid) {
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
		pause_ms(10);
	}
	(void)kill(house->pid, SIGKILL); /* the assertion tells */
	fail_msg("the daemon did not end");
	return -1;
}

static void connect_client(struct house *house)
{
	for (int i = 0; i < PATIENCE_STEPS && house->fd < 0; i++) {
		if (io_unix_connect(house->socket, &house->fd, &house->err) < 0) {
			house->fd = -1;
			pause_ms(10);
		}
	}
	assert_true(house->fd >= 0);
	struct timeval patience = {.tv_sec = 10};
	assert_int_equal(setsockopt(house->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
			 0);
}

static enum feed_type receive(struct house *house)
{
	arena_clear(&house->arena);
	int rc = feed_receive(house->fd, &house->in, &house->arena, &house->frame, &house->err);
	assert_int_equal(rc, 0);
	return house->frame.type;
}

static void greet(struct house *house, const char *name, const char *type, unsigned kinds)
{
	struct feed_frame frame = {.type = FEED_HELLO,
				   .program = STR_LIT("test"),
				   .source = str_of(name),
				   .source_type = str_of(type),
				   .kinds = kinds};
	connect_client(house);
	assert_int_equal(feed_send(house->fd, &frame, &house->out, &house->err), 0);
}

/* Sends request n of the fixture's world as a batch. */
static void send_request(struct house *house, uint64_t sequence, uint64_t n)
{
	struct str encoded;
	(void)fixture_record(&house->filled.fixture, n * FIXTURE_PERIOD,
			     &encoded); /* only its bytes count */
	struct feed_frame frame = {.type = FEED_BATCH,
				   .sequence = sequence,
				   .cursor = STR_LIT("next"),
				   .watermark_ns = FIXTURE_START_NS,
				   .records = &encoded,
				   .record_count = 1};
	assert_int_equal(feed_send(house->fd, &frame, &house->out, &house->err), 0);
}

static void send_state(struct house *house, enum feed_state state)
{
	struct feed_frame frame = {
		.type = FEED_STATUS, .state = state, .text = STR_LIT("so it is")};
	assert_int_equal(feed_send(house->fd, &frame, &house->out, &house->err), 0);
}

static void hang_up(struct house *house)
{
	assert_int_equal(close(house->fd), 0);
	house->fd = -1;
}

/* Counts the records of a kind whose field holds text (field 0: all). */
static size_t count_records(struct house *house, enum record_kind kind, unsigned field,
			    const char *text)
{
	struct scan_options everything = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct store *store = NULL;
	struct scan *scan = NULL;
	const struct scan_block *block = NULL;
	size_t count = 0;
	assert_int_equal(store_open(house->store, STORE_READ, &store, &house->err), 0);
	assert_int_equal(scan_open(store, &everything, &scan, &house->err), 0);
	while (scan_next(scan, &block, &house->err) == 0) {
		for (size_t row = 0; row < scan_row_count(block); row++) {
			struct record record;
			assert_int_equal(scan_record(block, row, &record, &house->err), 0);
			count += record.kind == kind && (field == 0 ||
							 str_is(record_text(&record, field), text))
					 ? 1
					 : 0;
		}
	}
	scan_close(scan);
	store_close(store);
	return count;
}

static void house_done(struct house *house)
{
	if (house->fd >= 0) {
		hang_up(house);
	}
	buf_done(&house->in);
	buf_done(&house->out);
	arena_done(&house->arena);
	store_folder_remove(house->store);
	assert_int_equal(rmdir(house->run), 0);
	fixture_done(&house->filled.fixture);
}

static void commits_and_stops(void **state)
{
	/* a batch is confirmed and then durable; what was sent before SIGTERM is stored; start and stop are recorded */
	struct house house;
	(void)state;
	house_init(&house, "log_level: error\n");
	start_daemon(&house, false);
	greet(&house, "api", "cloudwatch", 1u << RECORD_REQUEST);
	assert_int_equal(receive(&house), FEED_WELCOME);
	assert_int_equal(house.frame.cursor.len, 0);
	send_request(&house, 1, 1);
	assert_int_equal(receive(&house), FEED_COMMITTED);
	assert_int_equal(house.frame.stored, 1);
	assert_int_equal(count_records(&house, RECORD_REQUEST, 0, NULL), 1);
	send_request(&house, 2, 2);
	assert_int_equal(kill(house.pid, SIGTERM), 0);
	assert_int_equal(receive(&house), FEED_COMMITTED);
	assert_int_equal(receive(&house), FEED_ERROR);
	assert_int_equal(house.frame.code, ERR_AGAIN);
	assert_int_equal(wait_daemon(&house), 0);
	assert_int_equal(count_records(&house, RECORD_REQUEST, 0, NULL), 2);
	assert_int_equal(count_records(&house, RECORD_LIFECYCLE, FIELD_event, "start"), 1);
	assert_int_equal(count_records(&house, RECORD_LIFECYCLE, FIELD_event, "stop"), 1);
	house_done(&house);
}

static void killed_and_replayed(void **state)
{
	/* kill -9 after a commit: the cursor is as committed, and the same batch again is a duplicate */
	struct house house;
	(void)state;
	house_init(&house, "log_level: error\n");
	for (int round = 0; round < 3; round++) {
		start_daemon(&house, false);
		greet(&house, "api", "cloudwatch", 1u << RECORD_REQUEST);
		assert_int_equal(receive(&house), FEED_WELCOME);
		assert_true(str_is(house.frame.cursor, round == 0 ? "" : "next"));
		send_request(&house, 1, 1);
		assert_int_equal(receive(&house), FEED_COMMITTED);
		assert_int_equal(house.frame.stored, round == 0 ? 1 : 0);
		assert_int_equal(house.frame.duplicate, round == 0 ? 0 : 1);
		assert_int_equal(kill(house.pid, SIGKILL), 0);
		assert_int_equal(wait_daemon(&house), 128 + SIGKILL);
		hang_up(&house);
	}
	assert_int_equal(count_records(&house, RECORD_REQUEST, 0, NULL), 1);
	assert_int_equal(unlink(house.socket), 0);
	house_done(&house);
}

static void one_speaker_for_a_source(void **state)
{
	/* a second collector of a connected source is told AGAIN; names and kinds of the daemon's own are CONFIG */
	struct house house;
	(void)state;
	house_init(&house, "log_level: error\n");
	start_daemon(&house, false);
	greet(&house, "api", "cloudwatch", 1u << RECORD_REQUEST);
	assert_int_equal(receive(&house), FEED_WELCOME);
	int first = house.fd;
	static const struct {
		const char *name;
		unsigned kinds;
		int code;
	} cases[] = {{"api", 2, ERR_AGAIN},
		     {"querytraild", 2, ERR_CONFIG},
		     {"x", 1u << RECORD_VERDICT, ERR_CONFIG}};
	for (size_t i = 0; i < 3; i++) {
		house.fd = -1;
		greet(&house, cases[i].name, "cloudwatch", cases[i].kinds);
		assert_int_equal(receive(&house), FEED_ERROR);
		assert_int_equal(house.frame.code, cases[i].code);
		hang_up(&house);
	}
	house.fd = first;
	hang_up(&house);
	greet(&house, "api", "cloudwatch", 1u << RECORD_REQUEST);
	assert_int_equal(receive(&house), FEED_WELCOME);
	assert_int_equal(kill(house.pid, SIGTERM), 0);
	assert_int_equal(wait_daemon(&house), 0);
	house_done(&house);
}

static void silence_becomes_a_gap(void **state)
{
	/* a configured source that says nothing for longer than the limit is recorded once */
	struct house house;
	(void)state;
	house_init(&house,
		   "log_level: error\ndaemon:\n  silence_limit: 1s\nsources:\n  api:\n    type: "
		   "cloudwatch\n    region: eu-west-1\n    log_group: g\n");
	start_daemon(&house, false);
	connect_client(&house);
	pause_ms(999);
	for (int i = 0; i < PATIENCE_STEPS; i++) {
		if (count_records(&house, RECORD_GAP, FIELD_gap_kind, "silence") != 0) {
			break;
		}
		pause_ms(10);
	}
	pause_ms(600);
	assert_int_equal(kill(house.pid, SIGTERM), 0);
	assert_int_equal(wait_daemon(&house), 0);
	assert_int_equal(count_records(&house, RECORD_GAP, FIELD_gap_kind, "silence"), 1);
	house_done(&house);
}

static void bad_reload_changes_nothing(void **state)
{
	/* SIGHUP with a broken file: the daemon goes on as before; with a good one it is recorded */
	struct house house;
	(void)state;
	house_init(&house, "log_level: error\n");
	start_daemon(&house, false);
	greet(&house, "api", "cloudwatch", 1u << RECORD_REQUEST);
	assert_int_equal(receive(&house), FEED_WELCOME);
	write_config(&house, "log_level: [broken\n");
	assert_int_equal(kill(house.pid, SIGHUP), 0);
	send_request(&house, 1, 1);
	assert_int_equal(receive(&house), FEED_COMMITTED);
	assert_int_equal(count_records(&house, RECORD_LIFECYCLE, FIELD_event, "config"), 0);
	write_config(&house, "log_level: error\njoin:\n  clock_slack: 9s\n");
	assert_int_equal(kill(house.pid, SIGHUP), 0);
	for (int i = 0; i < PATIENCE_STEPS; i++) {
		if (count_records(&house, RECORD_LIFECYCLE, FIELD_event, "config") != 0) {
			break;
		}
		pause_ms(10);
	}
	assert_int_equal(count_records(&house, RECORD_LIFECYCLE, FIELD_event, "config"), 1);
	send_request(&house, 2, 2);
	assert_int_equal(receive(&house), FEED_COMMITTED);
	assert_int_equal(kill(house.pid, SIGTERM), 0);
	assert_int_equal(wait_daemon(&house), 0);
	house_done(&house);
}

static void import_ends_by_itself(void **state)
{
	/* when its file source says done: committed, settled, status 0; a second import waits for its source anew */
	struct house house;
	(void)state;
	house_init(
		&house,
		"log_level: error\nsources:\n  api:\n    type: file\n    content: access-log\n    "
		"files: [/dev/null]\n");
	for (int round = 0; round < 2; round++) {
		start_daemon(&house, true);
		greet(&house, "api", "file", 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT);
		assert_int_equal(receive(&house), FEED_WELCOME);
		send_request(&house, 1, 1);
		assert_int_equal(receive(&house), FEED_COMMITTED);
		assert_int_equal(house.frame.stored, round == 0 ? 1 : 0);
		send_state(&house, FEED_STATE_DONE);
		hang_up(&house);
		assert_int_equal(wait_daemon(&house), 0);
	}
	assert_int_equal(count_records(&house, RECORD_REQUEST, 0, NULL), 1);
	house_done(&house);
}

static void second_daemon_is_refused(void **state)
{
	/* on the same store: status 78, and the first goes on */
	struct house house;
	(void)state;
	house_init(&house, "log_level: error\n");
	start_daemon(&house, false);
	connect_client(&house);
	pid_t first = house.pid;
	start_daemon(&house, false);
	assert_int_equal(wait_daemon(&house), 78);
	house.pid = first;
	assert_int_equal(kill(house.pid, SIGTERM), 0);
	assert_int_equal(wait_daemon(&house), 0);
	house_done(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_and_stops),
		cmocka_unit_test(killed_and_replayed),
		cmocka_unit_test(one_speaker_for_a_source),
		cmocka_unit_test(silence_becomes_a_gap),
		cmocka_unit_test(bad_reload_changes_nothing),
		cmocka_unit_test(import_ends_by_itself),
		cmocka_unit_test(second_daemon_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
