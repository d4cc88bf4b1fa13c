/* The runner hands every record to the daemon, whatever happens to the connection, and only moves on when it is committed. */
#include "collector/runner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/io.h"
#include "model/feed.h"
#include "model/options.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#define LINES 5000

/* What the daemon of a test does on one connection. */
enum manner {
	COMMIT_ALL,
	DROP_SECOND, /* takes the second batch and hangs up without a word */
	LOSE_ANSWER, /* commits the second batch and hangs up before it says so */
	REFUSE,      /* answers the greeting with an error */
	SPEAK_RUBBISH,
};

struct daemon {
	int listener;
	const enum manner *manners; /* one a connection; the last one goes on */
	size_t manner_count;
	struct buf cursor; /* committed */
	struct strmap keys;
	size_t connections, batches, records, statuses;
	enum feed_state last_state;
	bool stop_after_first;
};

static void send_frame(int fd, const struct feed_frame *frame)
{
	struct buf scratch;
	struct error err;

	buf_init(&scratch, 0);
	(void)feed_send(fd, frame, &scratch, &err); /* the other side may be gone */
	buf_done(&scratch);
}

static void commit(struct daemon *daemon, const struct feed_frame *batch)
{
	struct error err;

	for (size_t i = 0; i < batch->record_count; i++) {
		struct record record;
		assert_int_equal(record_decode(batch->records[i], &record, &err), 0);
		assert_int_equal(strmap_put(&daemon->keys, record.key, 1), 0);
	}
	daemon->records += batch->record_count;
	buf_clear(&daemon->cursor);
	buf_put_str(&daemon->cursor, batch->cursor);
}

static bool greet(struct daemon *daemon, int fd, const struct feed_frame *hello, enum manner manner)
{
	struct feed_frame answer = {.type = FEED_WELCOME, .cursor = buf_str(&daemon->cursor)};

	assert_int_equal(hello->type, FEED_HELLO);
	assert_true(str_is(hello->source, "log"));
	assert_true(str_is(hello->source_type, "file"));
	if (manner == REFUSE) {
		answer = (struct feed_frame){
			.type = FEED_ERROR, .code = ERR_AGAIN, .text = STR_LIT("not now")};
	} else if (manner == SPEAK_RUBBISH) {
		struct error err;
		(void)io_write_all(fd, STR_LIT("HTTP/1.1 400 Bad Request\r\n\r\n"),
				   &err); /* as above */
		return false;
	}
	send_frame(fd, &answer);
	return manner != REFUSE;
}

/* Serves one connection until it ends. */
static void serve(struct daemon *daemon, int fd, enum manner manner)
{
	struct buf input;
	struct arena arena;
	struct feed_frame frame;
	struct error err;
	size_t batches = 0;

	buf_init(&input, FEED_FRAME_MAX + 64);
	arena_init(&arena, FEED_FRAME_MAX);
	bool on = feed_receive(fd, &input, &arena, &frame, &err) == 0 &&
		  greet(daemon, fd, &frame, manner);
	while (on && feed_receive(fd, &input, &arena, &frame, &err) == 0) {
		if (frame.type == FEED_STATUS) {
			daemon->statuses++;
			daemon->last_state = frame.state;
			continue;
		}
		assert_int_equal(frame.type, FEED_BATCH);
		batches++;
		assert_true(frame.sequence == batches);
		if (manner == DROP_SECOND && batches == 2) {
			break;
		}
		commit(daemon, &frame);
		daemon->batches++;
		if (manner == LOSE_ANSWER && batches == 2) {
			break;
		}
		struct feed_frame answer = {
			.type = FEED_COMMITTED, .sequence = batches, .stored = frame.record_count};
		send_frame(fd, &answer);
		if (daemon->stop_after_first) {
			(void)kill(getpid(), SIGTERM); /* to ourselves: it cannot fail */
		}
		arena_clear(&arena);
	}
	buf_done(&input);
	arena_done(&arena);
}

static void *run_daemon(void *owner)
{
	struct daemon *daemon = owner;

	for (;;) {
		struct pollfd ready = {.fd = daemon->listener, .events = POLLIN};
		int fd = poll(&ready, 1, -1) > 0 ? accept(daemon->listener, NULL, NULL) : -1;
		if (fd < 0) { /* shut down */
			return NULL;
		}
		size_t i = daemon->connections++;
		serve(daemon, fd,
		      daemon->manners[i < daemon->manner_count ? i : daemon->manner_count - 1]);
		close(fd);
	}
}

struct house {
	char dir[32];
	struct config *config;
	struct daemon daemon;
	pthread_t thread;
};

static void put_path(const struct house *house, const char *name, struct buf *out)
{
	buf_clear(out);
	buf_putf(out, "%s/%s", house->dir, name);
}

/* A folder with a log of LINES lines, a configuration, and a daemon that has these manners. */
static void house_open(struct house *house, const enum manner *manners, size_t count)
{
	struct buf text;
	struct buf path;
	struct error err;

	*house = (struct house){.daemon = {.manners = manners, .manner_count = count}};
	memcpy(house->dir, "/tmp/runner.XXXXXX", sizeof("/tmp/runner.XXXXXX"));
	assert_non_null(mkdtemp(house->dir));
	buf_init(&text, 0);
	buf_init(&path, 0);
	for (int i = 0; i < LINES; i++) {
		buf_putf(&text, "{\"requestId\":\"%d\",\"requestTimeEpoch\":\"1795342830000\"}\n",
			 i);
	}
	put_path(house, "log", &path);
	assert_int_equal(io_replace_file(path.ptr, buf_str(&text), 0600, &err), 0);
	buf_clear(&text);
	buf_putf(&text,
		 "runtime: %s\nsources:\n  log: {type: file, content: access-log, files: [%s]}\n",
		 house->dir, path.ptr);
	struct config_input input = {.name = "test", .text = buf_str(&text)};
	assert_int_equal(config_parse(options_schema(), &input, &house->config, NULL, &err), 0);
	put_path(house, "feed.sock", &path);
	assert_int_equal(io_unix_listen(path.ptr, 0600, &house->daemon.listener, &err), 0);
	buf_init(&house->daemon.cursor, 0);
	strmap_init(&house->daemon.keys, 1u << 20);
	assert_int_equal(pthread_create(&house->thread, NULL, run_daemon, &house->daemon), 0);
	buf_done(&text);
	buf_done(&path);
}

static void house_close(struct house *house)
{
	struct buf path;

	(void)shutdown(house->daemon.listener, SHUT_RDWR); /* ends accept */
	assert_int_equal(pthread_join(house->thread, NULL), 0);
	close(house->daemon.listener);
	buf_init(&path, 0);
	put_path(house, "log", &path);
	(void)unlink(path.ptr); /* a leftover in /tmp fails no test */
	put_path(house, "feed.sock", &path);
	(void)unlink(path.ptr);  /* as above */
	(void)rmdir(house->dir); /* as above */
	buf_done(&path);
	buf_done(&house->daemon.cursor);
	strmap_done(&house->daemon.keys);
	config_free(house->config);
}

static void run_and_expect_all(const enum manner *manners, size_t count, size_t least_connections)
{
	struct house house;
	struct error err;

	house_open(&house, manners, count);
	struct runner_options options = {.config = house.config, .name = "log"};
	assert_int_equal(runner_run(&options, &err), 0);
	(void)shutdown(house.daemon.listener,
		       SHUT_RDWR); /* the daemon's figures stand still from here */
	assert_int_equal(house.daemon.keys.entry_count, LINES);
	assert_true(house.daemon.connections >= least_connections);
	house_close(&house);
	assert_int_equal(house.daemon.last_state, FEED_STATE_DONE);
}

/* Everything arrives in several batches, is committed once, and the end is told. */
static void test_all_well(void **state)
{
	(void)state;
	static const enum manner manners[] = {COMMIT_ALL};
	struct house house;
	struct error err;

	house_open(&house, manners, 1);
	struct runner_options options = {.config = house.config, .name = "log", .once = true};
	assert_int_equal(runner_run(&options, &err), 0);
	assert_int_equal(house.daemon.keys.entry_count, LINES);
	assert_int_equal(house.daemon.records, LINES);
	assert_true(house.daemon.batches > 3);
	assert_int_equal(house.daemon.connections, 1);
	house_close(&house);
	assert_true(house.daemon.statuses > 0);
	assert_int_equal(house.daemon.last_state, FEED_STATE_DONE);
}

/* A daemon that dies with a batch in hand gets it again; one that dies behind its commit gets what follows. */
static void test_lost_connections(void **state)
{
	(void)state;
	static const enum manner manners[] = {DROP_SECOND, LOSE_ANSWER, DROP_SECOND, COMMIT_ALL};

	run_and_expect_all(manners, 4, 4);
}

/* A daemon that refuses or speaks another language is asked again later. */
static void test_refusals(void **state)
{
	(void)state;
	static const enum manner manners[] = {REFUSE, SPEAK_RUBBISH, COMMIT_ALL};

	run_and_expect_all(manners, 3, 3);
}

/* SIGTERM ends the run with 0 between two batches: what was sent is committed. */
static void test_stop(void **state)
{
	(void)state;
	static const enum manner manners[] = {COMMIT_ALL};
	struct house house;
	struct error err;

	house_open(&house, manners, 1);
	house.daemon.stop_after_first = true;
	struct runner_options options = {.config = house.config, .name = "log"};
	assert_int_equal(runner_run(&options, &err), 0);
	assert_true(house.daemon.batches >= 1);
	assert_true(house.daemon.records < LINES);
	assert_true(house.daemon.cursor.len > 0);
	house_close(&house);
	sigset_t set;
	int signal_number;
	(void)sigemptyset(&set); /* cannot fail with valid arguments, nor can the next two */
	(void)sigaddset(&set, SIGTERM);
	assert_int_equal(sigwait(&set, &signal_number),
			 0); /* it stays pending: the runner only looks */
}

/* An unknown name is ERR_CONFIG and says which one was meant. */
static void test_names(void **state)
{
	(void)state;
	static const enum manner manners[] = {COMMIT_ALL};
	struct house house;
	struct error err;

	house_open(&house, manners, 1);
	struct runner_options options = {.config = house.config, .name = "lag"};
	assert_int_equal(runner_run(&options, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "did you mean \"log\""));
	options.name = "something else";
	assert_int_equal(runner_run(&options, &err), -ERR_CONFIG);
	house_close(&house);
}

/* Printing needs no daemon: one JSON object a line. With once, a file that does not exist ends the run. */
static void test_print(void **state)
{
	(void)state;
	static const enum manner manners[] = {COMMIT_ALL};
	struct house house;
	struct error err;
	char *text = NULL;
	size_t size = 0;
	size_t lines = 0;

	house_open(&house, manners, 1);
	FILE *file = open_memstream(&text, &size);
	assert_non_null(file);
	struct runner_options options = {
		.config = house.config, .name = "log", .print = file, .once = true};
	assert_int_equal(runner_run(&options, &err), 0);
	assert_int_equal(fclose(file), 0);
	for (size_t i = 0; i < size; i++) {
		lines += text[i] == '\n';
	}
	assert_int_equal(lines, LINES);
	assert_int_equal(strncmp(text, "{\"kind\":\"request\",\"source\":\"log\"", 31), 0);
	assert_int_equal(house.daemon.connections, 0);
	free(text);
	struct buf path;
	buf_init(&path, 0);
	put_path(&house, "log", &path);
	assert_int_equal(unlink(path.ptr), 0);
	buf_done(&path);
	options.print = stderr;
	assert_int_equal(runner_run(&options, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "cannot open"));
	house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_well), cmocka_unit_test(test_lost_connections),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_stop),
		cmocka_unit_test(test_names),    cmocka_unit_test(test_print),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
