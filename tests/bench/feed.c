/* bench-feed - how fast a batch becomes durable, how much memory the daemon takes, and how soon a question is answered.
 *
 * Starts querytraild on an empty store, plays one collector that sends EVENTS records over feed.sock, then asks `querytrail who` for
 * one user's statements in fresh processes. Prints one line a figure. Usage: bench-feed [EVENTS] */
#include "model/feed.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/process.h"
#include "tests/bench/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define BATCH_RECORDS 4096
#define ASK_ROUNDS    7
#define ASK_USER      12 /* a busy user, about half a percent of the requests */

struct bench {
	char folder[64];
	struct buf path, frame, reply, bytes;
	struct process daemon;
	int feed;
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

static const char *in_folder(struct bench *bench, const char *name)
{
	buf_clear(&bench->path);
	buf_putf(&bench->path, "%s/%s", bench->folder, name);
	return bench->path.ptr;
}

static void start_daemon(struct bench *bench)
{
	struct error err = {0};
	struct buf program, config, store, runtime;
	buf_init(&program, 0);
	buf_init(&config, 0);
	buf_init(&store, 0);
	buf_init(&runtime, 0);
	buf_putf(&config, "%s/c.yaml", bench->folder);
	buf_putf(&store, "%s/store", bench->folder);
	buf_putf(&runtime, "%s/run", bench->folder);
	must(io_make_dir(runtime.ptr, 0700, &err), &err, "folder");
	must(io_replace_file(config.ptr, STR_LIT("log_level: warning\n"), 0600, &err), &err,
	     "configuration");
	must(process_find("querytraild", &program, &err), &err, "querytraild");
	const char *argv[] = {"querytraild", "--config",  config.ptr,  "--store",
			      store.ptr,     "--runtime", runtime.ptr, NULL};
	struct process_start how = {.path = program.ptr, .argv = argv, .out_fd = -1, .err_fd = -1};
	must(process_start(&how, &bench->daemon, &err), &err, "start");
	for (int i = 0;
	     i < 200 && io_unix_connect(in_folder(bench, "run/feed.sock"), &bench->feed, &err) != 0;
	     i++) {
		(void)process_wait(&bench->daemon, 20, NULL); /* a pause */
	}
	buf_done(&program);
	buf_done(&config);
	buf_done(&store);
	buf_done(&runtime);
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

/* utime + stime of a process in seconds, and its peak resident memory in MiB, from /proc. */
static void read_usage(pid_t pid, double *out_cpu, double *out_rss)
{
	char path[64];
	struct buf text;
	buf_init(&text, 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	*out_cpu = 0;
	*out_rss = 0;
	uint64_t user = 0, system_time = 0, kib = 0;
	if (io_read_file(path, 65536, &text, NULL) == 0) {
		struct str rest =
			str_slice(buf_str(&text),
				  (size_t)str_find(buf_str(&text), STR_LIT(") "), 0), text.len);
		for (int i = 0; i < 12; i++) {
			(void)str_split(&rest, ' '); /* fields before utime */
		}
		(void)parse_u64(str_split(&rest, ' '),
				&user); /* 0 when the kernel writes something else */
		(void)parse_u64(str_split(&rest, ' '), &system_time); /* as above */
		*out_cpu = (double)(user + system_time) / (double)sysconf(_SC_CLK_TCK);
	}
	buf_clear(&text);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (io_read_file(path, 65536, &text, NULL) == 0) {
		ptrdiff_t at = str_find(buf_str(&text), STR_LIT("VmHWM:"), 0);
		struct str line = str_slice(buf_str(&text), (size_t)at + 6, 32);
		line = str_trim(line);
		(void)parse_u64(str_split(&line, ' '), &kib); /* as above */
		*out_rss = (double)kib / 1024.0;
	}
	buf_done(&text);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Asks one question in fresh processes; prints the median time, the peak memory and the rows. */
static void ask(struct bench *bench, const char *filter)
{
	struct buf program, store;
	struct error err = {0};
	double took[ASK_ROUNDS];
	uint64_t lines = 0;
	struct rusage usage = {0};
	buf_init(&program, 0);
	buf_init(&store, 0);
	buf_putf(&store, "%s/store", bench->folder);
	must(process_find("querytrail", &program, &err), &err, "querytrail");
	for (size_t round = 0; round < ASK_ROUNDS; round++) {
		const char *argv[] = {"querytrail", "who",      filter,  "--store",
				      store.ptr,    "--format", "jsonl", NULL};
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
	buf_done(&store);
}

static void remove_folder(struct bench *bench)
{
	const char *argv[] = {"rm", "-r", bench->folder, NULL};
	struct process_start how = {.path = "/bin/rm", .argv = argv, .out_fd = -1, .err_fd = -1};
	struct process process;
	if (process_start(&how, &process, NULL) == 0) {
		(void)process_wait(&process, -1,
				   NULL); /* what is left is in the temporary folder */
	}
}

int main(int argc, char **argv)
{
	uint64_t event_count = 1000000;
	struct bench bench = {.folder = "/tmp/bench-feed-XXXXXX",
			      .feed = -1,
			      .daemon = {.pid = -1, .in_fd = -1, .out_fd = -1}};
	if ((argc > 1 && !parse_u64(str_of(argv[1]), &event_count)) ||
	    mkdtemp(bench.folder) == NULL) {
		fprintf(stderr, "usage: bench-feed [EVENTS]\n");
		return 2;
	}
	buf_init(&bench.path, 0);
	buf_init(&bench.frame, 0);
	buf_init(&bench.reply, 0);
	buf_init(&bench.bytes, 0);
	arena_init(&bench.arena, 64 << 20);
	start_daemon(&bench);
	say_hello(&bench);
	double cpu_before, cpu_after, rss;
	read_usage(bench.daemon.pid, &cpu_before, &rss);
	int64_t start = clock_monotonic_ns();
	uint64_t bytes = send_all(&bench, event_count);
	double seconds = (double)(clock_monotonic_ns() - start) / 1e9;
	read_usage(bench.daemon.pid, &cpu_after, &rss);
	double cpu = cpu_after - cpu_before;
	printf("events                           %llu (%.0f B each on the feed)\n",
	       (unsigned long long)event_count, (double)bytes / (double)event_count);
	printf("feed to committed head           %8.0f events/s by the clock, %.0f events per "
	       "second of the daemon's CPU\n",
	       (double)event_count / seconds, (double)event_count / cpu);
	printf("daemon, peak resident            %8.0f MiB\n", rss);
	char filter[64] = "user:";
	shape_user(ASK_USER, filter + 5);
	ask(&bench, filter);
	ask(&bench, "table:dbo.Nothing");
	start = clock_monotonic_ns();
	int status = process_stop(&bench.daemon, 60000);
	printf("daemon, stop                     %8.1f ms, status %d\n",
	       (double)(clock_monotonic_ns() - start) / 1e6, status);
	(void)close(bench.feed); /* nothing is in flight */
	remove_folder(&bench);
	arena_done(&bench.arena);
	buf_done(&bench.path);
	buf_done(&bench.frame);
	buf_done(&bench.reply);
	buf_done(&bench.bytes);
	return status != 0;
}
