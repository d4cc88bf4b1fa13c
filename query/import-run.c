#include "query/import-run.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/process.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PROGRESS_MS   80
#define STOP_MS       30000
#define WIDTH_UNKNOWN 80
#define WIDTH_MOST    200

static void keep_source(const struct store_source *source, struct import_seen *out)
{
	static const struct hash_key fixed_key = {0}; /* only compared within this process */
	struct wire_reader reader = wire_reader(source->cursor);
	out->source = *source;
	out->has_cursor = filecursor_read(&reader, &out->cursor);
	out->cursor_hash = hash_bytes(&fixed_key, source->cursor);
	out->source.cursor = (struct str){0}; /* goes with the store */
}

void import_see(const char *store, const char *source, struct import_seen *out)
{
	struct store *opened = NULL;
	const struct store_source *sources;
	size_t count;
	*out = (struct import_seen){0};
	if (store_open(store, STORE_READ, &opened, NULL) != 0) {
		return;
	}
	if (store_sources(opened, &sources, &count, NULL) == 0) {
		for (size_t i = 0; i < count; i++) {
			if (strcmp(sources[i].name, source) == 0) {
				keep_source(&sources[i], out);
			}
		}
	}
	(void)store_sizes(opened, &out->sizes, NULL); /* then there are none to be shown */
	out->records = out->sizes.sealed_records + out->sizes.head_records;
	store_close(opened);
}

bool import_can_go_on(const struct import_seen *seen, const struct import_file *files, size_t count)
{
	const struct filecursor *cursor = &seen->cursor;
	bool stands = seen->has_cursor && cursor->files_hash == import_files_hash(files, count) &&
		      cursor->file_index < count && (cursor->file_index > 0 || cursor->offset > 0);
	for (size_t i = 0; stands && i < count; i++) {
		const struct timespec *changed = &files[i].changed;
		int64_t changed_ns = (int64_t)changed->tv_sec * NS_PER_SEC + changed->tv_nsec;
		stands = files[i].bytes > 0 && changed_ns < seen->source.last_batch_ns;
	}
	return stands;
}

/* The terminal's line of progress. */
struct progress {
	const struct import_run *run;
	struct import_pace pace;
	int log_fd;           /* what the daemon says; -1: it says it itself */
	size_t shown;         /* columns that the line takes */
	uint64_t last_stored; /* records in the store at the last look */
	bool seals;           /* has begun to, which comes last */
};

static void erase(struct progress *progress)
{
	struct output *out = &progress->run->session->err;
	if (progress->shown > 0) {
		buf_put_byte(&out->text, '\r');
		buf_put_fill(&out->text, ' ', progress->shown);
		buf_put_byte(&out->text, '\r');
		progress->shown = 0;
	}
}

/* Passes on what the daemon said. */
static void pass_on(struct progress *progress)
{
	struct output *out = &progress->run->session->err;
	char bytes[4096];
	ssize_t count;
	while (progress->log_fd >= 0 &&
	       (count = read(progress->log_fd, bytes, sizeof(bytes))) > 0) {
		erase(progress);
		buf_put(&out->text, bytes, (size_t)count);
		(void)output_flush(out, NULL); /* nobody else can be told */
	}
}

static void set_phase(struct progress *progress, const struct import_seen *seen,
		      struct import_state *state)
{
	const struct import_run *run = progress->run;
	bool begun = seen->has_cursor && seen->cursor_hash != run->before->cursor_hash;
	const struct filecursor *cursor = begun          ? &seen->cursor
					  : run->goes_on ? &run->before->cursor
							 : &(struct filecursor){0};
	bool all_read = begun && cursor->file_index >= run->file_count;
	bool grows = seen->records != progress->last_stored && !progress->seals;
	progress->last_stored = seen->records;
	state->phase = !all_read ? IMPORT_READING : grows ? IMPORT_JOINING : IMPORT_SEALING;
	progress->seals = state->phase == IMPORT_SEALING;
	state->done_bytes = import_files_done(run->files, run->file_count, cursor);
	state->file = cursor->file_index < run->file_count ? (size_t)cursor->file_index + 1
							   : run->file_count;
}

static size_t line_width(const struct output *out)
{
	struct winsize size;
	size_t width = WIDTH_UNKNOWN;
	if (ioctl(out->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		width = size.ws_col;
	}
	width = width < WIDTH_MOST ? width : WIDTH_MOST;
	return width - 1; /* the last column would wrap on some */
}

static void show(struct progress *progress)
{
	const struct import_run *run = progress->run;
	struct output *out = &run->session->err;
	struct import_seen seen;
	struct buf line;
	import_see(run->store, run->source, &seen);
	struct import_state state = {
		.all_bytes = import_files_bytes(run->files, run->file_count),
		.file_count = run->file_count,
		.records = seen.source.received - run->before->source.received,
		.sealed = seen.sizes.sealed_records,
		.stored = seen.records,
	};
	set_phase(progress, &seen, &state);
	import_pace_take(&progress->pace, clock_monotonic_ns(), &state);
	buf_init(&line, 4096);
	import_state_put(&state, line_width(out), &line);
	if (line.len < progress->shown) { /* what was there before */
		erase(progress);
	}
	if (line.len > 0) { /* a terminal can be too narrow for anything */
		buf_put_byte(&out->text, '\r');
		buf_put_str(&out->text, buf_str(&line));
	}
	progress->shown = line.len;
	buf_done(&line);
	(void)output_flush(out, NULL); /* only for show */
}

static bool is_interrupted(void)
{
	sigset_t set;
	struct timespec none = {0, 0};
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	return sigtimedwait(&set, NULL, &none) > 0;
}

static int start(const struct import_run *run, int err_fd, struct process *out, struct error *err)
{
	struct buf program;
	buf_init(&program, PATH_MAX);
	int result = process_find("querytraild", &program, err);
	const char *const argv[] = {"querytraild",         "--spawn", "--config", run->config_path,
				    "--import-until-done", NULL};
	struct process_start how = {
		.path = program.ptr, .argv = argv, .out_fd = err_fd, .err_fd = err_fd};
	result = result != 0 ? -ERR_IO : process_start(&how, out, err);
	buf_done(&program);
	return result;
}

static int wait_for(struct progress *progress, struct process *daemon, struct error *err)
{
	int status = 0;
	bool interrupted = false;
	while (!interrupted && !process_wait(daemon, PROGRESS_MS, &status)) {
		pass_on(progress);
		interrupted = is_interrupted();
		if (progress->run->show && !interrupted) {
			show(progress);
		}
	}
	(void)process_stop(daemon, interrupted ? STOP_MS : 0); /* else it has ended */
	pass_on(progress);
	erase(progress);
	(void)output_flush(&progress->run->session->err, NULL); /* only for show */
	if (interrupted) {
		return error_set(err, ERR_CANCELLED,
				 "interrupted; what was committed stays, and the same command goes "
				 "on from there");
	}
	if (status != 0) {
		return error_set(err, status == 78 ? ERR_CONFIG : ERR_IO,
				 "querytraild ended with status %d; what it committed stays, and a "
				 "second import goes on from there",
				 status);
	}
	return 0;
}

int import_run(const struct import_run *run, struct error *err)
{
	struct progress progress = {.run = run, .log_fd = -1, .last_stored = run->before->records};
	struct process daemon;
	IO_CLOSE int read_fd = -1;
	int pipe_fds[2];
	int err_fd = run->session->err.fd;
	if (run->show && pipe2(pipe_fds, O_CLOEXEC) == 0) {
		read_fd = pipe_fds[0];
		err_fd = pipe_fds[1];
		(void)fcntl(read_fd, F_SETFL, O_NONBLOCK); /* can't fail for a pipe of our own */
		progress.log_fd = read_fd;
	}
	int result = start(run, err_fd, &daemon, err);
	if (progress.log_fd >= 0) {
		(void)close(err_fd); /* the daemon has it */
	}
	return result != 0 ? result : wait_for(&progress, &daemon, err);
}
