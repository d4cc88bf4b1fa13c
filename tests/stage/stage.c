#include "tests/stage/stage.h"

#include "base/io.h"
#include "base/parse.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define ARGUMENTS_MAX 16
#define GRACE_MS      20000
#define SHOWN_BYTES   6000

static void fail(const char *what, const struct error *err)
{
	fprintf(stderr, "stage: %s: %s\n", what, err->text);
	exit(2);
}

const char *stage_path(const struct stage *stage, const char *name, char out[STAGE_PATH_MAX])
{
	(void)snprintf(out, STAGE_PATH_MAX, "%s/%s", stage->folder,
		       name); /* fits: the folder is short */
	return out;
}

/* Test programs stand in BUILD/tests/<folder>: tells them where the others are. */
static void find_build(void)
{
	static const char *const folders[] = {"collector", "correlator", "query", "tests/sim"};
	char own[4096];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	struct buf paths;
	buf_init(&paths, 0);
	while (len > 1 && own[len - 1] != '/') {
		len--;
	}
	for (size_t i = 0; len > 1 && i < sizeof(folders) / sizeof(folders[0]); i++) {
		buf_putf(&paths, "%s%.*s../../%s", i == 0 ? "" : ":", (int)len, own, folders[i]);
	}
	if (paths.len != 0) {
		(void)setenv("QUERYTRAIL_LIBEXEC", paths.ptr,
			     0); /* without it a program is missing, and that is told */
	}
	buf_done(&paths);
}

void stage_init(struct stage *stage, const char *name)
{
	find_build();
	char path[STAGE_PATH_MAX];
	struct error err = {0};
	*stage = (struct stage){.company = {.pid = -1, .in_fd = -1, .out_fd = -1},
				.daemon = {.pid = -1, .in_fd = -1, .out_fd = -1}};
	(void)snprintf(stage->folder, sizeof(stage->folder), "/tmp/%s-XXXXXX",
		       name); /* names are short */
	if (mkdtemp(stage->folder) == NULL) {
		(void)error_errno(&err, "make %s", stage->folder); /* told by fail */
		fail("folder", &err);
	}
	stage->log = open(stage_path(stage, "log", path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			  0600);
}

static void show_log(const struct stage *stage)
{
	char path[STAGE_PATH_MAX];
	struct buf text;
	buf_init(&text, 0);
	if (io_read_file(stage_path(stage, "log", path), SIZE_MAX, &text, NULL) == 0) {
		size_t from = text.len > SHOWN_BYTES ? text.len - SHOWN_BYTES : 0;
		fprintf(stderr, "%.*s\n", STR_ARG(str_slice(buf_str(&text), from, SHOWN_BYTES)));
	}
	fprintf(stderr, "kept: %s\n", stage->folder);
	buf_done(&text);
}

void stage_done(struct stage *stage, bool keep)
{
	(void)process_stop(&stage->daemon,
			   GRACE_MS); /* a test that wants its status asked before */
	(void)process_stop(&stage->company, GRACE_MS); /* it has nothing to lose */
	(void)close(stage->log);                       /* only a log */
	if (keep) {
		show_log(stage);
		return;
	}
	const char *argv[] = {"rm", "-r", stage->folder, NULL};
	struct process_start how = {.path = "/bin/rm", .argv = argv, .out_fd = -1, .err_fd = -1};
	struct process process;
	if (process_start(&how, &process, NULL) == 0) {
		(void)process_wait(&process, -1,
				   NULL); /* what is left is in the temporary folder */
	}
}

static void start(struct stage *stage, const char *const *argv, struct process_start how,
		  struct process *out_process)
{
	struct buf path;
	struct error err = {0};
	buf_init(&path, 0);
	int result = process_find(argv[0], &path, &err);
	if (result == 0) {
		how.path = path.ptr;
		how.argv = argv;
		how.err_fd = stage->log;
		result = process_start(&how, out_process, &err);
	}
	buf_done(&path);
	if (result != 0) {
		fail(argv[0], &err);
	}
}

void stage_start_company(struct stage *stage, const char *const *arguments)
{
	char folder[STAGE_PATH_MAX], byte = 0;
	const char *argv[ARGUMENTS_MAX + 4] = {"querytrail-sim"};
	struct error err = {0};
	size_t count = 1;
	while (*arguments != NULL && count <= ARGUMENTS_MAX) {
		argv[count++] = *arguments++;
	}
	argv[count++] = "--dir";
	argv[count] = stage_path(stage, "company", folder);
	start(stage, argv, (struct process_start){.pipe_in = true, .pipe_out = true, .out_fd = -1},
	      &stage->company);
	while (byte != '\n') {
		if (io_read_exact(stage->company.out_fd, &byte, 1, &err) != 0) {
			show_log(stage);
			fail("querytrail-sim did not start", &err);
		}
	}
}

void stage_start_daemon(struct stage *stage, const char *config, bool spawn)
{
	char config_path[STAGE_PATH_MAX], store[STAGE_PATH_MAX], runtime[STAGE_PATH_MAX];
	const char *argv[] = {"querytraild",
			      "--config",
			      stage_path(stage, config, config_path),
			      "--store",
			      stage_path(stage, "store", store),
			      "--runtime",
			      stage_path(stage, "run", runtime),
			      spawn ? "--spawn" : NULL,
			      NULL};
	start(stage, argv, (struct process_start){.out_fd = stage->log}, &stage->daemon);
}

void stage_command(struct stage *stage, const char *line)
{
	struct buf text;
	struct error err = {0};
	char byte = 0;
	buf_init(&text, 0);
	buf_putf(&text, "%s\n", line);
	int result = io_write_all(stage->company.in_fd, buf_str(&text), &err);
	buf_clear(&text);
	while (result == 0 && byte != '\n') {
		result = io_read_exact(stage->company.out_fd, &byte, 1, &err);
		buf_put_byte(&text, (uint8_t)byte);
	}
	if (result == 0 && !str_is(str_trim(buf_str(&text)), "ok")) {
		result = error_set(&err, ERR_INPUT, "%s", text.ptr);
	}
	buf_done(&text);
	if (result != 0) {
		fail(line, &err);
	}
}

void stage_read(const struct stage *stage, const char *name, struct buf *out)
{
	char path[STAGE_PATH_MAX];
	buf_init(out, 0);
	(void)io_read_file(stage_path(stage, name, path), SIZE_MAX, out,
			   NULL); /* not there: empty */
}

void stage_write(const struct stage *stage, const char *name, struct str text)
{
	char path[STAGE_PATH_MAX];
	struct error err = {0};
	if (io_replace_file(stage_path(stage, name, path), text, 0600, &err) != 0) {
		fail(name, &err);
	}
}

void stage_edit(const struct stage *stage, const char *from, const char *to, const char *old,
		const char *new)
{
	struct buf text, changed;
	struct error err = {0};
	stage_read(stage, from, &text);
	ptrdiff_t at = str_find(buf_str(&text), str_of(old), 0);
	if (at < 0) {
		(void)error_set(&err, ERR_INPUT, "there is no \"%s\" in it", old);
		fail(from, &err);
	}
	buf_init(&changed, 0);
	buf_put_str(&changed, str_slice(buf_str(&text), 0, (size_t)at));
	buf_put_text(&changed, new);
	buf_put_str(&changed, str_slice(buf_str(&text), (size_t)at + strlen(old), text.len));
	stage_write(stage, to, buf_str(&changed));
	buf_done(&changed);
	buf_done(&text);
}

bool stage_wait_said(const struct stage *stage, const char *text, size_t from, int limit_ms)
{
	enum { STEP_MS = 50 };
	bool said = false;
	for (int waited = 0; waited <= limit_ms && !said; waited += STEP_MS) {
		struct buf log;
		stage_read(stage, "log", &log);
		said = str_find(str_slice(buf_str(&log), from, log.len), str_of(text), 0) >= 0;
		buf_done(&log);
		if (!said) {
			stage_pause(STEP_MS);
		}
	}
	return said;
}

size_t stage_log_size(const struct stage *stage)
{
	off_t size = lseek(stage->log, 0, SEEK_END);
	return size > 0 ? (size_t)size : 0;
}

bool stage_source(const struct stage *stage, const char *name, struct store_source *out)
{
	char path[STAGE_PATH_MAX];
	struct store *store = NULL;
	const struct store_source *sources = NULL;
	size_t count = 0;
	bool found = false;
	if (store_open(stage_path(stage, "store", path), STORE_READ, &store, NULL) == 0 &&
	    store_sources(store, &sources, &count, NULL) == 0) {
		for (size_t i = 0; i < count && !found; i++) {
			found = strcmp(sources[i].name, name) == 0;
			*out = sources[i];
			out->cursor = (struct str){0};
		}
	}
	store_close(store);
	return found;
}

bool stage_wait_state(const struct stage *stage, const char *name, const char *state,
		      const char *text, int limit_ms)
{
	enum { STEP_MS = 50 };
	for (int waited = 0; waited <= limit_ms; waited += STEP_MS) {
		struct store_source source;
		if (stage_source(stage, name, &source) && strcmp(source.state, state) == 0 &&
		    str_find(str_of(source.state_text), str_of(text), 0) >= 0) {
			return true;
		}
		stage_pause(STEP_MS);
	}
	return false;
}

size_t stage_children(const struct stage *stage, pid_t out_pids[STAGE_CHILDREN_MAX])
{
	char path[64];
	struct buf text;
	size_t count = 0;
	int pid = (int)stage->daemon.pid;
	buf_init(&text, 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid); /* fits */
	if (io_read_file(path, 65536, &text, NULL) == 0) {
		struct str rest = buf_str(&text);
		uint64_t child;
		while (rest.ptr != NULL && count < STAGE_CHILDREN_MAX) {
			if (parse_u64(str_trim(str_split(&rest, ' ')), &child)) {
				out_pids[count++] = (pid_t)child;
			}
		}
	}
	buf_done(&text);
	return count;
}

uint64_t stage_stored(const struct stage *stage, bool *out_caught_up)
{
	char path[STAGE_PATH_MAX];
	struct store *store = NULL;
	const struct store_source *sources = NULL;
	size_t count = 0, caught_up = 0;
	uint64_t stored = 0;
	if (store_open(stage_path(stage, "store", path), STORE_READ, &store, NULL) == 0 &&
	    store_sources(store, &sources, &count, NULL) == 0) {
		for (size_t i = 0; i < count; i++) {
			struct str type = str_of(sources[i].type);
			bool collector = str_is(type, "cloudwatch") || str_is(type, "sqlserver");
			caught_up += collector && sources[i].caught_up;
			stored += collector ? sources[i].stored : 0;
		}
	}
	store_close(store);
	*out_caught_up = caught_up == 2;
	return stored;
}

bool stage_settle(struct stage *stage, int quiet_ms, int limit_ms)
{
	enum { STEP_MS = 100 };
	uint64_t before = UINT64_MAX;
	int quiet = 0;
	bool was_caught_up =
		false; /* within the quiet time: a sweep for late lines is not caught up while it runs */
	for (int waited = 0; waited < limit_ms && (quiet < quiet_ms || !was_caught_up);
	     waited += STEP_MS) {
		bool caught_up;
		if (process_wait(&stage->daemon, STEP_MS, NULL)) {
			return false;
		}
		uint64_t now = stage_stored(stage, &caught_up);
		quiet = now == before ? quiet + STEP_MS : 0;
		was_caught_up = caught_up || (was_caught_up && now == before);
		before = now;
	}
	return quiet >= quiet_ms && was_caught_up;
}

int stage_stop_daemon(struct stage *stage)
{
	return process_stop(&stage->daemon, GRACE_MS);
}

int stage_run(struct stage *stage, const char *const *argv, const char *out)
{
	char path[STAGE_PATH_MAX];
	struct process process;
	int status = 2;
	IO_CLOSE int fd =
		open(stage_path(stage, out, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	start(stage, argv, (struct process_start){.out_fd = fd}, &process);
	(void)process_wait(&process, -1, &status); /* waits for ever */
	return status;
}

void stage_pause(int ms)
{
	(void)poll(NULL, 0, ms); /* being woken early is no harm */
}

void stage_usage(pid_t pid, double *out_cpu_seconds, double *out_peak_mib)
{
	char path[64];
	struct buf text;
	uint64_t user = 0, system_time = 0, kib = 0;
	buf_init(&text, 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid); /* fits */
	if (io_read_file(path, 65536, &text, NULL) == 0) {
		ptrdiff_t name_end = str_find(buf_str(&text), STR_LIT(") "), 0);
		struct str rest = str_slice(buf_str(&text), (size_t)name_end + 2, text.len);
		for (int i = 0; i < 11; i++) {
			(void)str_split(&rest, ' '); /* state and what stands before utime */
		}
		(void)parse_u64(str_split(&rest, ' '),
				&user); /* stays 0 when the kernel writes something else */
		(void)parse_u64(str_split(&rest, ' '), &system_time); /* as above */
	}
	buf_clear(&text);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid); /* fits */
	if (io_read_file(path, 65536, &text, NULL) == 0) {
		ptrdiff_t at = str_find(buf_str(&text), STR_LIT("VmHWM:"), 0);
		struct str line = str_trim(str_slice(buf_str(&text), (size_t)at + 6, 32));
		(void)parse_u64(str_split(&line, ' '), &kib); /* as above */
	}
	buf_done(&text);
	*out_cpu_seconds = (double)(user + system_time) / (double)sysconf(_SC_CLK_TCK);
	*out_peak_mib = (double)kib / 1024.0;
}
