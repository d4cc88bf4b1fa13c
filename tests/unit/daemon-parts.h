/* daemon-parts - the daemon's parts in this process, with folders of their own and a client, for tests that drive them by hand.
 *
 * Rules:   include it after cmocka.h.
 * Life:    the daemon runs no loop of its own: parts_serve lets it work.
 * Threads: one at a time. */
#ifndef TESTS_UNIT_DAEMON_PARTS_H
#define TESTS_UNIT_DAEMON_PARTS_H

#include "base/clock.h"
#include "base/io.h"
#include "correlator/daemonstate.h"
#include "tests/unit/store-filled.h"

#include <sys/socket.h>

#define PARTS_CLIENTS 3
#define PARTS_HOUR_NS (3600 * NS_PER_SEC)

struct parts {
	struct fixture fixture;
	struct daemon daemon;
	char store[100], run[100], config[100];
	int fd[PARTS_CLIENTS];
	struct buf in, out;
	struct arena arena;
	struct feed_frame frame; /* last received */
	struct error err;
};

static inline int parts_on_commit(void *owner, struct error *err)
{
	return intake_commit(owner, err);
}

static inline void parts_write_config(struct parts *parts, const char *text)
{
	assert_int_equal(io_replace_file(parts->config, str_of(text), 0600, &parts->err), 0);
}

/* Folders and a configuration; nothing is open. */
static inline void parts_prepare(struct parts *parts, const char *config)
{
	memset(parts, 0, sizeof *parts);
	fixture_init(&parts->fixture);
	const char *dir = parts->fixture.dir;
	assert_true(snprintf(parts->store, sizeof parts->store, "%s/store", dir) > 0);
	assert_true(snprintf(parts->run, sizeof parts->run, "%s/run", dir) > 0);
	assert_true(snprintf(parts->config, sizeof parts->config, "%s/c.yaml", dir) > 0);
	parts_write_config(parts, config);
	parts->daemon.options = (struct daemon_options){.config_path = parts->config,
							.store_dir = parts->store,
							.runtime_dir = parts->run,
							.records_only = true};
	buf_init(&parts->daemon.store_dir, 4096);
	buf_init(&parts->daemon.runtime_dir, 4096);
	buf_init(&parts->daemon.children_config, 4096);
	buf_init(&parts->in, FEED_FRAME_MAX + 64);
	buf_init(&parts->out, FEED_FRAME_MAX + 64);
	arena_init(&parts->arena, FEED_FRAME_MAX);
	for (size_t i = 0; i < PARTS_CLIENTS; i++) {
		parts->fd[i] = -1;
	}
}

/* Opens all that the daemon opens before its loop runs. */
static inline void parts_open(struct parts *parts)
{
	struct daemon *daemon = &parts->daemon;
	struct error *err = &parts->err;
	assert_int_equal(household_load(daemon, &daemon->config, err), 0);
	assert_int_equal(settings_read(daemon->config, &daemon->settings, err), 0);
	household_find_places(daemon);
	const struct keeper_options keeper = {.store_dir = daemon->store_dir.ptr,
					      .join = &daemon->settings.join,
					      .max_keys = 100000,
					      .now_ns = clock_now_ns()};
	assert_int_equal(loop_new(&daemon->loop, err), 0);
	assert_int_equal(keeper_open(&keeper, &daemon->keeper, err), 0);
	assert_int_equal(attest_open(daemon, err), 0);
	assert_int_equal(loop_add_timer(daemon->loop, (struct loop_call){attest_turn, daemon},
					&daemon->sign_timer, err),
			 0);
	sealer_init(&daemon->sealer, keeper_store(daemon->keeper), &daemon->settings.seal);
	assert_int_equal(household_apply(daemon, err), 0);
	assert_int_equal(loop_add_timer(daemon->loop, (struct loop_call){sealing_turn, daemon},
					&daemon->seal_timer, err),
			 0);
	assert_int_equal(loop_add_timer(daemon->loop, (struct loop_call){parts_on_commit, daemon},
					&daemon->commit_timer, err),
			 0);
	assert_int_equal(loop_add_timer(daemon->loop, (struct loop_call){watch_tick, daemon},
					&daemon->watch_timer, err),
			 0);
	assert_int_equal(herald_open(daemon, err), 0);
	assert_int_equal(io_make_dir(parts->run, 0700, err), 0);
	const struct feedserver_options server = {
		.loop = daemon->loop,
		.path = fixture_path(&parts->fixture, "run/feed.sock"),
		.handlers = &intake_handlers,
		.owner = daemon};
	assert_int_equal(feedserver_open(&server, &daemon->server, err), 0);
	daemon->settings.commit_interval_ns = PARTS_HOUR_NS; /* only what a test wants commits */
}

static inline void parts_init(struct parts *parts, const char *config)
{
	parts_prepare(parts, config);
	parts_open(parts);
}

static inline void parts_hang_up(struct parts *parts, size_t client)
{
	assert_int_equal(close(parts->fd[client]), 0);
	parts->fd[client] = -1;
}

static inline void parts_done(struct parts *parts)
{
	struct daemon *daemon = &parts->daemon;
	for (size_t i = 0; i < PARTS_CLIENTS; i++) {
		if (parts->fd[i] >= 0) {
			parts_hang_up(parts, i);
		}
	}
	spawn_close(daemon->spawn, 2000);
	feedserver_close(daemon->server, "the test ends");
	dispatch_free(daemon->dispatch);
	anchoring_free(daemon->anchoring);
	sealer_done(&daemon->sealer);
	signing_close(daemon->signing);
	keeper_close(daemon->keeper);
	loop_free(daemon->loop);
	settings_done(&daemon->settings);
	config_free(daemon->config);
	buf_done(&daemon->store_dir);
	buf_done(&daemon->runtime_dir);
	buf_done(&daemon->children_config);
	buf_done(&parts->in);
	buf_done(&parts->out);
	arena_done(&parts->arena);
	store_folder_remove(fixture_path(&parts->fixture, "run/children/conf.d"));
	store_folder_remove(fixture_path(&parts->fixture, "run/children"));
	store_folder_remove(parts->run);
	store_folder_remove(parts->store);
	fixture_done(&parts->fixture);
}

/* Lets the daemon work until nothing is left to do at once. */
static inline void parts_serve(struct parts *parts)
{
	for (int i = 0; i < 40; i++) {
		assert_int_equal(loop_step(parts->daemon.loop, 0, &parts->err), 0);
	}
}

/* Sends HELLO on a new connection; parts_serve lets it be heard. */
static inline void parts_greet(struct parts *parts, size_t client, const char *name,
			       const char *type, unsigned kinds)
{
	const struct feed_frame hello = {.type = FEED_HELLO,
					 .program = STR_LIT("test"),
					 .source = str_of(name),
					 .source_type = str_of(type),
					 .kinds = kinds};
	assert_int_equal(io_unix_connect(fixture_path(&parts->fixture, "run/feed.sock"),
					 &parts->fd[client], &parts->err),
			 0);
	assert_int_equal(feed_send(parts->fd[client], &hello, &parts->out, &parts->err), 0);
}

static inline void parts_send(struct parts *parts, size_t client, const struct feed_frame *frame)
{
	assert_int_equal(feed_send(parts->fd[client], frame, &parts->out, &parts->err), 0);
	parts_serve(parts);
}

/* Sends request n of the fixture's world as a batch. */
static inline void parts_send_request(struct parts *parts, size_t client, uint64_t sequence,
				      uint64_t n)
{
	struct str encoded;
	(void)fixture_record(&parts->fixture, n * FIXTURE_PERIOD, &encoded); /* only its bytes */
	const struct feed_frame frame = {.type = FEED_BATCH,
					 .sequence = sequence,
					 .cursor = STR_LIT("next"),
					 .watermark_ns = FIXTURE_START_NS,
					 .records = &encoded,
					 .record_count = 1};
	parts_send(parts, client, &frame);
}

/* The type of the next frame that lies in a client's socket, 0 when there is none; the frame is in parts->frame. */
static inline int parts_heard(struct parts *parts, size_t client)
{
	char byte;
	arena_clear(&parts->arena);
	if (recv(parts->fd[client], &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
		return 0;
	}
	assert_int_equal(feed_receive(parts->fd[client], &parts->in, &parts->arena, &parts->frame,
				      &parts->err),
			 0);
	return (int)parts->frame.type;
}

/* Counts the committed records of a kind whose field holds text (field 0: all). */
static inline size_t parts_count(struct parts *parts, enum record_kind kind, unsigned field,
				 const char *text)
{
	const struct scan_options everything = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct store *store = NULL;
	struct scan *scan = NULL;
	const struct scan_block *block = NULL;
	size_t count = 0;
	assert_int_equal(store_open(parts->store, STORE_READ, &store, &parts->err), 0);
	assert_int_equal(scan_open(store, &everything, &scan, &parts->err), 0);
	while (scan_next(scan, &block, &parts->err) == 0) {
		for (size_t row = 0; row < scan_row_count(block); row++) {
			struct record record;
			assert_int_equal(scan_record(block, row, &record, &parts->err), 0);
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

#endif
