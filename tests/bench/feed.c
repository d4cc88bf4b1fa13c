/* bench-feed - how fast a batch becomes durable, how much memory the daemon takes, and how soon a question is answered.
 *
 * Starts querytraild on an empty store, plays one collector that sends EVENTS records over feed.sock, then asks `querytrail who` for
 * one user's statements in fresh processes, starts the daemon again, and gives the same events to a plain SQLite database. Prints one line a figure.
 * Usage: bench-feed [--keep|--rules] [EVENTS]   --keep: the store stays, and its path is the last line; --rules: with the
 *        rules that came with querytrail; otherwise none runs
 *        bench-feed --ask STORE         only the questions, on a store that was kept (no daemon runs on it) */
#include "model/feed.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "store/store.h"
#include "tests/bench/peer.h"
#include "tests/bench/shape.h"
#include "tests/stage/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define BATCH_RECORDS 4096
#define ASK_ROUNDS    7
#define PEER_SHARE    4  /* the peer gets a quarter, which favours it: it slows down as it grows */
#define ASK_USER      12 /* a busy user, about half a percent of the requests */

struct bench {
	struct stage stage;
	struct buf frame, reply, bytes;
	int feed;
	bool rules; /* those that came with querytrail run */
	struct arena arena;
	struct str records[BATCH_RECORDS];
	size_t ends[BATCH_RECORDS];
};

static void must(int result, const struct error *err, const char *what)
{
	if (result != 0) {
		fprintf(stderr, "%s: %s\n", what, err->text);
		exit(1);
	}
}

static void connect_feed(struct bench *bench)
{
	char path[STAGE_PATH_MAX];
	struct error err = {0};
	must(io_replace_file(stage_path(&bench->stage, "c.yaml", path),
			     str_of(bench->rules
					    ? "log_level: warning\n"
					    : "log_level: warning\nrules:\n  disabled: [\"*\"]\n"),
			     0600, &err),
	     &err, "configuration");
	stage_start_daemon(&bench->stage, "c.yaml", false);
	for (int i = 0; i < 1500 && bench->feed < 0; i++) {
		stage_pause(20);
		(void)io_unix_connect(stage_path(&bench->stage, "run/feed.sock", path),
				      &bench->feed, &err); /* tried again */
	}
}

static void receive(struct bench *bench, enum feed_type want, uint64_t sequence)
{
	struct feed_frame frame;
	struct error err = {0};
	arena_clear(&bench->arena);
	must(feed_receive(bench->feed, &bench->reply, &bench->arena, &frame, &err), &err,
	     "receive");
	if (frame.type != want || (want == FEED_COMMITTED && frame.sequence != sequence)) {
		fprintf(stderr, "an unexpected frame %d: %.*s\n", (int)frame.type,
			STR_ARG(frame.text));
		exit(1);
	}
}

static void say_hello(struct bench *bench)
{
	struct error err = {0};
	struct feed_frame hello = {.type = FEED_HELLO,
				   .program = STR_LIT("bench-feed"),
				   .source = STR_LIT("bench"),
				   .source_type = STR_LIT("file"),
				   .kinds = 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT};
	must(feed_send(bench->feed, &hello, &bench->frame, &err), &err, "hello");
	receive(bench, FEED_WELCOME, 0);
}

static void make_batch(struct bench *bench, struct shape *shape, size_t count)
{
	struct record record;
	struct error err = {0};
	buf_clear(&bench->bytes);
	for (size_t i = 0; i < count; i++) {
		shape_next(shape, &record);
		must(record_encode(&record, &bench->bytes, &err), &err, "encode");
		bench->ends[i] = bench->bytes.len;
	}
	for (size_t i = 0; i < count; i++) {
		size_t start = i == 0 ? 0 : bench->ends[i - 1];
		bench->records[i] = str_make(bench->bytes.ptr + start, bench->ends[i] - start);
	}
}

/* One batch is in flight while the next is made. Returns the bytes sent. */
static uint64_t send_all(struct bench *bench, uint64_t event_count)
{
	struct shape shape;
	struct error err = {0};
	uint64_t sent = 0, sequence = 0, bytes = 0;
	shape_init(&shape, 1, INT64_C(1790000000) * NS_PER_SEC);
	while (sent < event_count) {
		size_t count = event_count - sent < BATCH_RECORDS ? (size_t)(event_count - sent)
								  : BATCH_RECORDS;
		make_batch(bench, &shape, count);
		if (sequence != 0) {
			receive(bench, FEED_COMMITTED, sequence);
		}
		struct feed_frame batch = {.type = FEED_BATCH,
					   .sequence = ++sequence,
					   .cursor = STR_LIT("c"),
					   .watermark_ns = shape.time_ns - NS_PER_SEC,
					   .records = bench->records,
					   .record_count = count};
		must(feed_send(bench->feed, &batch, &bench->frame, &err), &err, "batch");
		sent += count;
		bytes += bench->bytes.len;
	}
	receive(bench, FEED_COMMITTED, sequence);
	shape_done(&shape);
	return bytes;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Asks one question in fresh processes; prints the median time, the peak memory and the rows. */
static void ask(const char *store, const char *filter)
{
	struct buf program;
	struct error err = {0};
	double took[ASK_ROUNDS];
	uint64_t lines = 0;
	struct rusage usage = {0};
	buf_init(&program, 0);
	must(process_find("querytrail", &program, &err), &err, "querytrail");
	for (size_t round = 0; round < ASK_ROUNDS; round++) {
		const char *argv[] = {"querytrail", "who",      filter,  "--store",
				      store,        "--format", "jsonl", NULL};
		struct process_start how = {.path = program.ptr,
					    .argv = argv,
					    .pipe_out = true,
					    .out_fd = -1,
					    .err_fd = -1};
		struct process process;
		char bytes[65536];
		ssize_t got;
		int status = 0;
		int64_t start = clock_monotonic_ns();
		lines = 0;
		must(process_start(&how, &process, &err), &err, "ask");
		while ((got = read(process.out_fd, bytes, sizeof(bytes))) > 0) {
			for (ssize_t i = 0; i < got; i++) {
				lines += bytes[i] == '\n';
			}
		}
		(void)wait4(process.pid, &status, 0, &usage); /* the child ended its output */
		took[round] = (double)(clock_monotonic_ns() - start) / 1e6;
		process.pid = -1;
		(void)process_stop(&process, 0); /* closes the pipe */
	}
	qsort(took, ASK_ROUNDS, sizeof(took[0]), by_value);
	printf("who %-28s %8.1f ms median of %d fresh processes (%.1f best), %llu lines, %.0f MiB "
	       "peak\n",
	       filter, took[ASK_ROUNDS / 2], ASK_ROUNDS, took[0], (unsigned long long)lines,
	       (double)usage.ru_maxrss / 1024.0);
	buf_done(&program);
}

/* Sends everything; returns how many events a second of the daemon's CPU took in. */
static double measure_feed(struct bench *bench, uint64_t event_count)
{
	double cpu_before, cpu_after, peak_mib;
	stage_usage(bench->stage.daemon.pid, &cpu_before, &peak_mib);
	int64_t start = clock_monotonic_ns();
	uint64_t bytes = send_all(bench, event_count);
	double seconds = (double)(clock_monotonic_ns() - start) / 1e9;
	stage_usage(bench->stage.daemon.pid, &cpu_after, &peak_mib);
	double speed = (double)event_count / (cpu_after - cpu_before);
	printf("events                           %llu (%.0f B each on the feed)\n",
	       (unsigned long long)event_count, (double)bytes / (double)event_count);
	printf("feed to committed head           %8.0f events/s by the clock, %.0f per second of "
	       "the daemon's CPU\n",
	       (double)event_count / seconds, speed);
	printf("daemon, peak resident            %8.0f MiB\n", peak_mib);
	return speed;
}

static int stop_daemon(struct bench *bench)
{
	int64_t start = clock_monotonic_ns();
	int status = stage_stop_daemon(&bench->stage);
	printf("daemon, stop                     %8.1f ms, status %d\n",
	       (double)(clock_monotonic_ns() - start) / 1e6, status);
	(void)close(bench->feed); /* nothing is in flight */
	bench->feed = -1;
	return status;
}

/* The daemon reads the whole head again before it welcomes anybody. */
static void measure_restart(struct bench *bench)
{
	double cpu_seconds, peak_mib;
	int64_t start = clock_monotonic_ns();
	connect_feed(bench);
	say_hello(bench);
	stage_usage(bench->stage.daemon.pid, &cpu_seconds, &peak_mib);
	printf("daemon, started again            %8.1f s until it takes a batch (%.1f s of CPU), "
	       "%.0f MiB peak\n",
	       (double)(clock_monotonic_ns() - start) / 1e9, cpu_seconds, peak_mib);
}

static double store_bytes(const struct stage *stage)
{
	char path[STAGE_PATH_MAX];
	struct store *store = NULL;
	uint64_t bytes = 0;
	struct error err = {0};
	must(store_open(stage_path(stage, "store", path), STORE_READ, &store, &err), &err, "store");
	must(store_size(store, &bytes, &err), &err, "store");
	store_close(store);
	return (double)bytes;
}

static void compare_with_peer(const struct bench *bench, uint64_t event_count, double speed)
{
	char path[STAGE_PATH_MAX];
	double bytes = store_bytes(&bench->stage) / (double)event_count;
	uint64_t peer_count = event_count / PEER_SHARE;
	struct peer_result peer =
		peer_run(stage_path(&bench->stage, "peer.db", path), peer_count, BATCH_RECORDS);
	double peer_speed = (double)peer_count / peer.cpu_seconds;
	double peer_bytes = (double)peer.bytes / (double)peer_count;
	printf("plain SQLite, five indexes       %8.0f events per second of CPU (%llu events); "
	       "ours: %.1f times as fast\n",
	       peer_speed, (unsigned long long)peer_count, speed / peer_speed);
	printf("bytes an event on disk           %8.0f with its verdict; plain SQLite, without "
	       "verdicts: %.0f; ours: %.2f times its size\n",
	       bytes, peer_bytes, bytes / peer_bytes);
}

static void ask_all(const char *store)
{
	char filter[64] = "user:";
	shape_user(ASK_USER, filter + 5);
	ask(store, filter);
	ask(store, "table:dbo.Nothing");
}

int main(int argc, char **argv)
{
	uint64_t event_count = 1000000;
	struct bench bench = {.feed = -1};
	if (argc == 3 && str_is(str_of(argv[1]), "--ask")) {
		ask_all(argv[2]);
		return 0;
	}
	bool keep = argc > 1 && str_is(str_of(argv[1]), "--keep");
	bench.rules = argc > 1 && str_is(str_of(argv[1]), "--rules");
	int events_at = keep || bench.rules ? 2 : 1;
	if (argc > events_at + 1 ||
	    (argc > events_at &&
	     (!parse_u64(str_of(argv[events_at]), &event_count) || event_count < PEER_SHARE))) {
		fprintf(stderr, "usage: bench-feed [--keep|--rules] [EVENTS] | --ask STORE\n");
		return 2;
	}
	buf_init(&bench.frame, 0);
	buf_init(&bench.reply, 0);
	buf_init(&bench.bytes, 0);
	arena_init(&bench.arena, 64 << 20);
	stage_init(&bench.stage, "bench-feed");
	connect_feed(&bench);
	say_hello(&bench);
	double speed = measure_feed(&bench, event_count);
	char store[STAGE_PATH_MAX];
	ask_all(stage_path(&bench.stage, "store", store));
	int status = stop_daemon(&bench);
	measure_restart(&bench);
	status = stop_daemon(&bench) != 0 ? 1 : status;
	compare_with_peer(&bench, event_count, speed);
	stage_done(&bench.stage, keep || status != 0);
	arena_done(&bench.arena);
	buf_done(&bench.frame);
	buf_done(&bench.reply);
	buf_done(&bench.bytes);
	if (keep) {
		printf("store kept                       %s\n", store);
	}
	return status != 0;
}
