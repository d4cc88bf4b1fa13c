#include "query/demo.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/process.h"
#include "query/demo-alerts.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX  4096
#define STORY_BYTES_MAX 65536
#define LINE_BYTES_MAX  512
#define POLL_MS         100
#define GRACE_MS        10000
#define WORDS_MAX       12
#define PAGE_COLUMNS    "100" /* of the answers when nobody looks at a terminal */

struct demo {
	const struct demo_options *options;
	struct buf folder;
	struct buf story; /* company/story.txt: lines "key value" */
	struct process company, daemon;
	int company_log, daemon_log;
	char ready[LINE_BYTES_MAX]; /* what the company said: its addresses */
	uint64_t received;
	int64_t started_ns;
};

/* A path inside the demo's folder, for as long as the buf is not written again. */
static const char *in_folder(const struct demo *demo, struct buf *path, const char *name)
{
	buf_init(path, PATH_BYTES_MAX);
	buf_put_str(path, buf_str(&demo->folder));
	buf_putf(path, "/%s", name);
	return path->ptr != NULL ? path->ptr : "";
}

static int make_folder(struct demo *demo, struct error *err)
{
	if (demo->options->folder != NULL) {
		char *real = NULL;
		int result = io_make_dir(demo->options->folder, 0700, err);
		if (result == 0) {
			real = realpath(demo->options->folder, NULL);
			buf_put_text(&demo->folder, real != NULL ? real : demo->options->folder);
		}
		free(real);
		return result;
	}
	const char *temporary = getenv("TMPDIR");
	buf_putf(&demo->folder, "%s/querytrail-demo-XXXXXX",
		 temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
	if (demo->folder.failed || mkdtemp(demo->folder.ptr) == NULL) {
		return error_errno(err, "make a folder for the demo");
	}
	return 0;
}

static int open_log(const struct demo *demo, const char *name, int *out_fd, struct error *err)
{
	struct buf path;
	int fd =
		open(in_folder(demo, &path, name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int result = fd < 0 ? error_errno(err, "open %s", path.ptr) : 0;
	buf_done(&path);
	*out_fd = fd;
	return result;
}

static int start_program(const struct demo *demo, const char *const *argv, int log_fd,
			 struct process *out_process, struct error *err)
{
	struct buf path;
	buf_init(&path, PATH_BYTES_MAX);
	int result = process_find(argv[0], &path, err);
	if (result == 0) {
		bool is_company = out_process == &demo->company;
		struct process_start how = {.path = path.ptr,
					    .argv = argv,
					    .pipe_in = is_company,
					    .pipe_out = is_company,
					    .out_fd = log_fd,
					    .err_fd = log_fd};
		result = process_start(&how, out_process, err);
	}
	buf_done(&path);
	return result;
}

/* Reads the company's first line, "ready cloudwatch=.. sqlserver=..". */
static int read_ready(struct demo *demo, struct error *err)
{
	size_t len = 0;
	while (len + 1 < sizeof(demo->ready)) {
		struct pollfd wait = {.fd = demo->company.out_fd, .events = POLLIN};
		int ready = poll(&wait, 1, DEMO_LIMIT_SECONDS * 1000);
		if (ready < 0 && errno == EINTR) {
			continue;
		}
		char byte;
		if (ready <= 0 || read(demo->company.out_fd, &byte, 1) != 1) {
			return error_set(err, ERR_IO,
					 "the simulated company did not start; see %s/company.log",
					 demo->folder.ptr);
		}
		if (byte == '\n') {
			demo->ready[len] = '\0';
			return 0;
		}
		demo->ready[len++] = byte;
	}
	return error_set(err, ERR_IO, "the simulated company said something too long");
}

static int start_company(struct demo *demo, struct error *err)
{
	char seed[32], requests[32];
	(void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)demo->options->seed);
	(void)snprintf(requests, sizeof(requests), "%u", demo->options->request_count);
	struct buf folder;
	const char *argv[] = {"querytrail-sim",
			      "--seed",
			      seed,
			      "--requests",
			      requests,
			      "--dir",
			      in_folder(demo, &folder, "company"),
			      NULL};
	int result = open_log(demo, "company.log", &demo->company_log, err);
	if (result == 0) {
		result = start_program(demo, argv, demo->company_log, &demo->company, err);
	}
	if (result == 0) {
		result = read_ready(demo, err);
	}
	buf_done(&folder);
	if (result == 0) {
		struct buf path;
		result = io_read_file(in_folder(demo, &path, "company/story.txt"), STORY_BYTES_MAX,
				      &demo->story, err);
		buf_done(&path);
	}
	return result;
}

static int start_daemon(struct demo *demo, struct error *err)
{
	struct buf config, store, runtime;
	const char *argv[] = {"querytraild",
			      "--config",
			      in_folder(demo, &config, "company/querytrail.yaml"),
			      "--store",
			      in_folder(demo, &store, "store"),
			      "--runtime",
			      in_folder(demo, &runtime, "run"),
			      "--spawn",
			      NULL};
	int result = open_log(demo, "querytraild.log", &demo->daemon_log, err);
	if (result == 0) {
		result = start_program(demo, argv, demo->daemon_log, &demo->daemon, err);
	}
	buf_done(&config);
	buf_done(&store);
	buf_done(&runtime);
	return result;
}

/* Whether every collector has reached the end of what there is, and how much was received. */
static bool all_is_collected(const struct demo *demo, uint64_t *out_received)
{
	struct buf path;
	struct store *store = NULL;
	const struct store_source *sources = NULL;
	size_t count = 0, caught_up = 0;
	*out_received = 0;
	if (store_open(in_folder(demo, &path, "store"), STORE_READ, &store, NULL) == 0 &&
	    store_sources(store, &sources, &count, NULL) == 0) {
		for (size_t i = 0; i < count; i++) {
			bool collector = strcmp(sources[i].type, "cloudwatch") == 0 ||
					 strcmp(sources[i].type, "sqlserver") == 0;
			caught_up += collector && sources[i].caught_up && sources[i].stored != 0 &&
				     sources[i].watermark_ns != INT64_MIN;
			*out_received += collector ? sources[i].received - sources[i].duplicate : 0;
		}
	}
	store_close(store);
	buf_done(&path);
	return caught_up >= 2;
}

/* Waits until all is collected and nothing new came between two looks. */
static int wait_for_all(struct demo *demo, struct error *err)
{
	uint64_t before = UINT64_MAX;
	for (int i = 0; i < DEMO_LIMIT_SECONDS * 1000 / POLL_MS; i++) {
		if (process_wait(&demo->daemon, POLL_MS, NULL)) {
			return error_set(err, ERR_IO,
					 "querytraild ended early; see %s/querytraild.log",
					 demo->folder.ptr);
		}
		uint64_t received;
		if (all_is_collected(demo, &received) && received == before) {
			demo->received = received;
			return 0;
		}
		before = received;
	}
	return error_set(err, ERR_IO,
			 "nothing was collected within %d seconds; see %s/querytraild.log",
			 DEMO_LIMIT_SECONDS, demo->folder.ptr);
}

/* A word of the story; empty when the company did not tell it. */
static struct str story(const struct demo *demo, const char *key)
{
	struct str rest = buf_str(&demo->story);
	while (rest.ptr != NULL) {
		struct str value = str_split(&rest, '\n');
		struct str name = str_split(&value, ' ');
		if (str_is(name, key) && value.ptr != NULL) {
			return value;
		}
	}
	return STR_LIT("");
}

/* Shows a question and asks it by the command itself. words: the command's arguments, separated by newlines. */
static int ask(const struct demo *demo, const char *question, struct buf *words, struct error *err)
{
	const char *argv[WORDS_MAX + 6] = {"querytrail"};
	size_t count = 1;
	printf("\n%s\n  $ querytrail", question);
	struct str rest = buf_str(words);
	while (rest.ptr != NULL && count < WORDS_MAX) {
		struct str word = str_split(&rest, '\n');
		bool quoted =
			strcspn(word.ptr, " *>&|;()") < word.len; /* what a shell would take */
		printf(quoted ? " '%.*s'" : " %.*s", STR_ARG(word));
		((char *)(uintptr_t)word.ptr)[word.len] =
			'\0'; /* words is ours, and ends in a NUL */
		argv[count++] = word.ptr;
	}
	printf("\n\n");
	(void)fflush(stdout); /* a failure shows in the child's output as well */
	struct buf store;
	struct process process;
	argv[count++] = "--store";
	argv[count++] = in_folder(demo, &store, "store");
	if (!isatty(STDOUT_FILENO)) {
		argv[count++] = "--width";
		argv[count++] = PAGE_COLUMNS;
	}
	argv[count] = NULL;
	struct process_start how = {
		.path = "/proc/self/exe", .argv = argv, .out_fd = -1, .err_fd = STDOUT_FILENO};
	int status = 0;
	int result = process_start(&how, &process, err);
	if (result == 0) {
		(void)process_wait(&process, -1, &status); /* waits for ever */
		if (status == 2 || status > 4) {
			result =
				error_set(err, ERR_IO, "the question ended with status %d", status);
		}
	}
	buf_done(&store);
	return result;
}

struct question {
	const char *text;
	const char *before, *key, *after; /* arguments: before, then the story's word, then after */
};

static int ask_all(const struct demo *demo, struct error *err)
{
	static const struct question questions[] = {
		{"1. Who read the customers table, and much of it?",
		 "who\nverb:SELECT\nrows>1000\ntable:", "table", ""},
		{"2. What did this user run through the export route?",
		 "who\nroute:*/export\nuser:", "insider", ""},
		{"3. Which statements of this login had no API request?",
		 "who\ngrade:U1\nprincipal:", "bypass_login", ""},
		{"4. One of the requests, from the gateway to its SQL:", "show\n",
		 "extended_request_id", ""},
		{"5. What contradicts itself?", "who\ngrade:X", NULL,
		 "\n--format\ntext\n--limit\n4"},
	};
	int result = 0;
	for (size_t i = 0; result == 0 && i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct buf words;
		buf_init(&words, LINE_BYTES_MAX);
		buf_put_text(&words, questions[i].before);
		if (questions[i].key != NULL) {
			buf_put_str(&words, story(demo, questions[i].key));
		}
		buf_put_text(&words, questions[i].after);
		result = ask(demo, questions[i].text, &words, err);
		buf_done(&words);
	}
	return result;
}

/* One alert of the incident, whole. */
static int show_alert(const struct demo *demo, const char *what, const char *id, struct error *err)
{
	struct buf words;
	if (id[0] == '\0') {
		return error_set(err, ERR_IO, "the rules did not find what they should (%s)", what);
	}
	buf_init(&words, LINE_BYTES_MAX);
	buf_putf(&words, "alerts\nshow\n%s", id);
	int result = ask(demo, what, &words, err);
	buf_done(&words);
	return result;
}

static int show_alerts(const struct demo *demo, struct error *err)
{
	struct buf path;
	struct demo_alerts alerts;
	int result = demo_alerts_read(in_folder(demo, &path, "store"), &alerts, err);
	buf_done(&path);
	if (result != 0) {
		return result;
	}
	printf("\nMeanwhile the rules watched: %llu alerts, %llu of them high. Two belong to the "
	       "incident.\n",
	       (unsigned long long)alerts.count, (unsigned long long)alerts.high);
	result = show_alert(
		demo, "Somebody takes the customers away, page by page:", alerts.export_id, err);
	return result == 0 ? show_alert(demo, "And somebody takes all of them, past the gateway:",
					alerts.bypass_id, err)
			   : result;
}

static int write_report(const struct demo *demo, struct error *err)
{
	struct buf words;
	buf_init(&words, 2 * PATH_BYTES_MAX);
	buf_put_text(&words, "report\npci\ntable:");
	buf_put_str(&words, story(demo, "table"));
	buf_putf(&words, "\n--format\nhtml\n--format\npdf\n-o\n%s/reports", demo->folder.ptr);
	int result = ask(demo, "And what the auditor files, as a page and on A4:", &words, err);
	buf_done(&words);
	return result;
}

static void tell_begin(const struct demo *demo)
{
	struct str rest = str_of(demo->ready);
	(void)str_split(&rest, ' '); /* "ready" */
	printf("A company of one day: an online shop, its API Gateway, its SQL Server, and an "
	       "incident.\n");
	while (rest.ptr != NULL) {
		struct str value = str_split(&rest, ' ');
		struct str name = str_split(&value, '=');
		printf("  %-11.*s %.*s\n", STR_ARG(name), STR_ARG(value));
	}
	printf("  %-11s %s/store\n", "store", demo->folder.ptr);
	(void)fflush(stdout); /* a failure shows at the next write */
}

static void tell_collected(const struct demo *demo)
{
	double seconds = (double)(clock_monotonic_ns() - demo->started_ns) / (double)NS_PER_SEC;
	printf("\nquerytraild ran with two collectors: %llu records collected, joined and "
	       "committed in %.1f s.\n",
	       (unsigned long long)demo->received, seconds);
}

/* How a shell finds this program, when it does not yet: a line that puts its folder on the PATH. */
static void tell_path(void)
{
	char own[PATH_BYTES_MAX], here[PATH_BYTES_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	struct str folder = str_make(own, len > 0 ? (size_t)len : 0);
	while (folder.len > 1 && folder.ptr[folder.len - 1] != '/') {
		folder.len--;
	}
	folder.len -= folder.len > 1; /* the slash */
	struct str rest = str_of(getenv("PATH"));
	while (rest.ptr != NULL) {
		if (str_equal(str_split(&rest, ':'), folder)) {
			return;
		}
	}
	struct str cwd = str_of(getcwd(here, sizeof(here)));
	if (cwd.len > 1 && str_has_prefix(folder, cwd) && folder.len > cwd.len &&
	    folder.ptr[cwd.len] == '/') {
		printf("  export PATH=$PWD%.*s:$PATH\n",
		       STR_ARG(str_slice(folder, cwd.len, folder.len)));
	} else if (folder.len != 0) {
		printf("  export PATH=%.*s:$PATH\n", STR_ARG(folder));
	}
}

static void tell_end(const struct demo *demo)
{
	printf("\nThe store stays. Go on with it:\n\n");
	tell_path();
	printf("  export QUERYTRAIL_STORE=%s/store\n"
	       "  querytrail status\n"
	       "  querytrail who 'user:*@*' --since 2h --format text\n"
	       "  querytrail who grade:C --format csv\n"
	       "  querytrail alerts --severity high\n"
	       "  querytrail help filter\n\n"
	       "What really happened stands in %s/company/truth.jsonl; remove the folder when you "
	       "are done.\n",
	       demo->folder.ptr, demo->folder.ptr);
}

static int run(struct demo *demo, struct error *err)
{
	int result = make_folder(demo, err);
	if (result == 0) {
		result = start_company(demo, err);
	}
	if (result == 0) {
		tell_begin(demo);
		demo->started_ns = clock_monotonic_ns();
		result = start_daemon(demo, err);
	}
	if (result == 0) {
		result = wait_for_all(demo, err);
	}
	int status = process_stop(&demo->daemon, GRACE_MS);
	(void)process_stop(&demo->company, GRACE_MS); /* it has nothing to lose */
	if (result == 0 && status != 0) {
		result = error_set(err, ERR_IO,
				   "querytraild ended with status %d; see %s/querytraild.log",
				   status, demo->folder.ptr);
	}
	if (result == 0) {
		tell_collected(demo);
		result = ask_all(demo, err);
	}
	if (result == 0) {
		result = show_alerts(demo, err);
	}
	if (result == 0) {
		result = write_report(demo, err);
	}
	if (result == 0) {
		tell_end(demo);
	}
	return result;
}

int demo_run(const struct demo_options *options, struct error *err)
{
	struct demo demo = {.options = options,
			    .company = {.pid = -1, .in_fd = -1, .out_fd = -1},
			    .daemon = {.pid = -1, .in_fd = -1, .out_fd = -1},
			    .company_log = -1,
			    .daemon_log = -1};
	buf_init(&demo.folder, PATH_BYTES_MAX);
	buf_init(&demo.story, STORY_BYTES_MAX);
	int result = run(&demo, err);
	io_close_cleanup(&demo.company_log);
	io_close_cleanup(&demo.daemon_log);
	buf_done(&demo.folder);
	buf_done(&demo.story);
	return result;
}
