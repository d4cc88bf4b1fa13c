/* faults-store - what befalls a daemon and its store: a full disk, a second daemon, damage, bad configurations, peers that send
 * rubbish, SIGTERM in mid-flow. Each is told with its place; nothing is lost or double. Speaks TAP. */
#include "base/io.h"
#include "tests/stage/same.h"
#include "tests/stage/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT_MS 15000
#define CONFIG   "company/querytrail.yaml"

struct trial {
	struct stage stage;
	struct tap tap;
};

static void check(struct trial *trial, bool good, const char *what)
{
	tap_check(&trial->tap, good, what);
}

/* Waits until the daemon ends by itself; its status, or -1. */
static int end_of(struct trial *trial)
{
	int status = -1;
	return process_wait(&trial->stage.daemon, LIMIT_MS, &status) ? status : -1;
}

static size_t begin(struct trial *trial, const char *config, bool spawn)
{
	size_t from = stage_log_size(&trial->stage);
	stage_start_daemon(&trial->stage, config, spawn);
	return from;
}

/* The disk is full in the middle of it, here by a limit of the size of files: the daemon says so and waits; with space again nothing is
 * missing. */
static void full_disk(struct trial *trial)
{
	struct stage *stage = &trial->stage;
	size_t from = begin(trial, CONFIG, true);
	struct rlimit limit = {.rlim_cur = 3000000, .rlim_max = RLIM_INFINITY}, all = limit;
	all.rlim_cur = RLIM_INFINITY;
	bool set = stage_wait_said(stage, "holds 0 records", from, LIMIT_MS) &&
		   prlimit(stage->daemon.pid, RLIMIT_FSIZE, &limit, NULL) == 0;
	check(trial, set && stage_wait_said(stage, "disk full, paused since", from, LIMIT_MS),
	      "a full disk pauses the daemon");
	check(trial,
	      prlimit(stage->daemon.pid, RLIMIT_FSIZE, &all, NULL) == 0 &&
		      stage_wait_said(stage, "there is room again", from, LIMIT_MS),
	      "with space it goes on by itself");
	check(trial, stage_settle(stage, 1000, LIMIT_MS), "and takes in everything");
	check(trial,
	      same_all(stage, "gateway", "company/access.log") &&
		      same_all(stage, "database", "company/audit.jsonl"),
	      "nothing is missing, nothing double");
}

/* A second daemon on the store of one that runs. */
static void second_daemon(struct trial *trial)
{
	struct stage *stage = &trial->stage;
	char config[STAGE_PATH_MAX], store[STAGE_PATH_MAX], run[STAGE_PATH_MAX];
	const char *argv[] = {"querytraild",
			      "--config",
			      stage_path(stage, CONFIG, config),
			      "--store",
			      stage_path(stage, "store", store),
			      "--runtime",
			      stage_path(stage, "run2", run),
			      NULL};
	size_t from = stage_log_size(stage);
	check(trial, stage_run(stage, argv, "second") == 78, "a second daemon is refused");
	check(trial, stage_wait_said(stage, "already open for writing by process", from, 0),
	      "and told by whom");
}

/* A peer of feed.sock that says these bytes; true when the daemon answers or hangs up. */
static bool rubbish(struct trial *trial, const void *bytes, size_t len, size_t times)
{
	char path[STAGE_PATH_MAX], answer[512];
	IO_CLOSE int fd = -1;
	struct timeval patience = {.tv_sec = 5};
	if (io_unix_connect(stage_path(&trial->stage, "run/feed.sock", path), &fd, NULL) != 0) {
		return false;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (size_t i = 0; i < times; i++) {
		if (send(fd, bytes, len, MSG_NOSIGNAL) < 0) {
			return true; /* it hung up before all was said */
		}
	}
	return recv(fd, answer, sizeof(answer), 0) >= 0;
}

static void bad_peers(struct trial *trial)
{
	static const char words[] = "GET /logs HTTP/1.1\r\n\r\n", zeros[64] = {0};
	static const char large[] =
		"\xff\xff\xff\x7f\x01xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const char largest[] = "\x00\x00\x80\x01\x02xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	struct stage *stage = &trial->stage;
	size_t from = stage_log_size(stage);
	check(trial,
	      rubbish(trial, words, sizeof(words) - 1, 1) &&
		      rubbish(trial, zeros, sizeof(zeros), 1) &&
		      rubbish(trial, large, sizeof(large) - 1, 4096) &&
		      rubbish(trial, largest, sizeof(largest) - 1, 600000),
	      "rubbish and frames that are too large are turned away");
	check(trial, stage_wait_said(stage, "a frame from the feed says it has", from, LIMIT_MS),
	      "and told");
	char config[STAGE_PATH_MAX];
	const char *argv[] = {"querytrail-collect", "--config",
			      stage_path(stage, "run/children/querytrail.yaml", config), "gateway",
			      NULL};
	struct process_start how = {.argv = argv, .out_fd = -1, .err_fd = stage->log};
	struct process twin;
	struct buf path;
	buf_init(&path, 0);
	bool started = process_find(argv[0], &path, NULL) == 0;
	how.path = path.ptr;
	started = started && process_start(&how, &twin, NULL) == 0;
	check(trial,
	      started && stage_wait_said(stage,
					 "gateway is already being collected by another process",
					 from, LIMIT_MS),
	      "a second collector of one source is told so");
	if (started) {
		(void)process_stop(&twin, LIMIT_MS); /* it never gave anything */
	}
	buf_done(&path);
	check(trial, !process_wait(&stage->daemon, 0, NULL), "the daemon goes on");
}

/* SIGHUP with a broken configuration changes nothing, with a good one takes it. */
static void reload(struct trial *trial)
{
	struct stage *stage = &trial->stage;
	struct buf good;
	stage_read(stage, CONFIG, &good);
	size_t from = stage_log_size(stage);
	stage_write(stage, CONFIG, STR_LIT("sources: [broken\n"));
	(void)kill(stage->daemon.pid, SIGHUP);
	check(trial,
	      stage_wait_said(stage, "the configuration stays as it was: ", from, LIMIT_MS) &&
		      stage_wait_said(stage, "querytrail.yaml:2:1: ", from, 0),
	      "SIGHUP with a broken configuration is told with its place");
	stage_write(stage, CONFIG, buf_str(&good));
	(void)kill(stage->daemon.pid, SIGHUP);
	check(trial, stage_wait_said(stage, "the configuration was read again", from, 1500),
	      "with a good one it is read again, at once");
	check(trial,
	      stage_wait_said(stage, "querytrail-collect speaks for source gateway", from,
			      LIMIT_MS),
	      "and the collectors are back");
	buf_done(&good);
}

/* Configurations that no program starts with. */
static void bad_configs(struct trial *trial)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"sources: [broken\n", "bad.yaml:2:1: "},
		{"stor: /x\n", "did you mean \"store\"?"},
		{"store: \"a\\0b\"\n", "holds a NUL"},
		{"\x89PNG\r\n\x1a\n", "not UTF-8 text"},
		{"a: [[[[[[[[[[[[[[1]]]]]]]]]]]]]]\n", "nested deeper than"},
		{"a: &a [x]\nb: [*a, *a]\n", "anchors and tags are not allowed"},
		{"daemon:\n  commit_interval: -5s\n", "bad.yaml:2:20: "},
		{"join:\n  signing_key_file: /nonexistent/key\n", "/nonexistent/key"},
		{"sources:\n  ../../x:\n    type: file\n", "can't be a name"},
		{"sources:\n  querytraild:\n    type: file\n    content: access-log\n    files: "
		 "[x]\n",
		 "this name is querytrail's own"},
		{"sources:\n  a:\n    type: file\n    type: file\n", "stands twice"},
		{": x\n", "should be a mapping"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char what[128];
		stage_write(&trial->stage, "bad.yaml", str_of(cases[i].text));
		size_t from = begin(trial, "bad.yaml", true);
		(void)snprintf(what, sizeof(what), "refused at start: %s",
			       cases[i].said); /* fits */
		check(trial,
		      end_of(trial) == 78 && stage_wait_said(&trial->stage, cases[i].said, from, 0),
		      what);
	}
}

/* A command of `querytrail` over the store; its exit status. */
static int ask(struct trial *trial, const char *command)
{
	char store[STAGE_PATH_MAX];
	const char *argv[] = {"querytrail", command, "--store",
			      stage_path(&trial->stage, "store", store), NULL};
	return stage_run(&trial->stage, argv, "answer");
}

static int export_all(struct trial *trial)
{
	char store[STAGE_PATH_MAX];
	const char *argv[] = {"querytrail",
			      "export",
			      "--raw",
			      "--source",
			      "database",
			      "--store",
			      stage_path(&trial->stage, "store", store),
			      NULL};
	return stage_run(&trial->stage, argv, "answer");
}

/* Whether the daemon refuses to start and names the file. */
static bool daemon_refuses(struct trial *trial, const char *file)
{
	size_t from = stage_log_size(&trial->stage);
	begin(trial, CONFIG, false);
	bool refused = end_of(trial) == 2;
	return stage_wait_said(&trial->stage, file, from, 0) && refused;
}

struct answers {
	unsigned whole, incomplete, refused, other;
};

static void count_answer(struct answers *answers, int status)
{
	answers->whole += status == 0;
	answers->incomplete += status == 3;
	answers->refused += status == 2;
	answers->other += status != 0 && status != 2 && status != 3;
}

/* One bit of a file turned over, at twelve places, and three questions each time. */
static struct answers flip_bits(struct trial *trial, const char *name, struct buf *good)
{
	struct answers answers = {0};
	for (size_t i = 1; i <= 12; i++) {
		size_t at = good->len / 13 * i;
		good->ptr[at] ^= 0x10;
		stage_write(&trial->stage, name, buf_str(good));
		good->ptr[at] ^= 0x10;
		count_answer(&answers, ask(trial, "who"));
		count_answer(&answers, export_all(trial));
		count_answer(&answers, ask(trial, "status"));
	}
	printf("# one bit of %s flipped: %u answers whole, %u incomplete, %u refused, %u others\n",
	       name, answers.whole, answers.incomplete, answers.refused, answers.other);
	/* a daemon that does not meet the damage goes on writing, so the catalog must go back with the file */
	static const char catalog[] = "store/catalog.db";
	static const char *const beside[] = {"store/catalog.db-wal", "store/catalog.db-shm"};
	struct buf before;
	char path[STAGE_PATH_MAX];
	stage_read(&trial->stage, catalog, &before);
	begin(trial, CONFIG, false);
	int status = process_wait(&trial->stage.daemon, 1000, NULL)
			     ? 0
			     : stage_stop_daemon(&trial->stage);
	check(trial, status < 128, "the daemon does not crash on one either");
	for (size_t i = 0; i < 2; i++) {
		(void)unlink(stage_path(&trial->stage, beside[i], path)); /* perhaps not there */
	}
	stage_write(&trial->stage, catalog, buf_str(&before));
	stage_write(&trial->stage, name, buf_str(good));
	buf_done(&before);
	return answers;
}

static const char *const damages[] = {"emptied", "cut in its header", "replaced by text",
				      "cut in the middle"};

/* The i-th damage of a file. */
static void write_damaged(struct trial *trial, const char *name, const struct buf *good, size_t i)
{
	static const struct str text = STR_LIT("dear diary, this was a database once\n");
	const size_t lengths[] = {0, 10, 0, good->len / 2};
	stage_write(&trial->stage, name, i == 2 ? text : str_slice(buf_str(good), 0, lengths[i]));
}

/* The catalog damaged while nobody writes to it. Readers answer or refuse by name, the daemon refuses, nobody crashes. */
static void damaged_catalog(struct trial *trial)
{
	static const char name[] = "store/catalog.db";
	struct buf good;
	stage_read(&trial->stage, name, &good);
	for (size_t i = 0; i < 4; i++) {
		char what[128];
		write_damaged(trial, name, &good, i);
		struct answers answers = {0};
		count_answer(&answers, ask(trial, "who"));
		count_answer(&answers, export_all(trial));
		bool told = i < 3 ? answers.refused == 2 : answers.other == 0;
		(void)snprintf(what, sizeof(what), "a catalog that is %s is told by name",
			       damages[i]); /* fits */
		check(trial, daemon_refuses(trial, "catalog.db is damaged") && told, what);
	}
	stage_write(&trial->stage, name, buf_str(&good));
	struct answers answers = flip_bits(trial, name, &good);
	check(trial, answers.other == 0, "flipped bits of the catalog: answers or refusals");
	check(trial, export_all(trial) == 0, "the undamaged copy gives all again");
	buf_done(&good);
}

/* The same for a segment. A reader goes on behind what it cannot read and says so. */
static void damaged_segment(struct trial *trial)
{
	static const char name[] = "store/head/000001.qth";
	struct buf good;
	char path[STAGE_PATH_MAX];
	stage_read(&trial->stage, name, &good);
	for (size_t i = 0; i < 5; i++) {
		char what[128];
		if (i < 4) {
			write_damaged(trial, name, &good, i);
		} else {
			(void)unlink(stage_path(&trial->stage, name, path)); /* shows below */
		}
		bool told = ask(trial, "who") == 3 && export_all(trial) == 3;
		(void)snprintf(what, sizeof(what), "a segment that is %s is told by name",
			       i < 4 ? damages[i] : "missing"); /* fits */
		check(trial, daemon_refuses(trial, "head/000001.qth") && told, what);
	}
	stage_write(&trial->stage, name, buf_str(&good));
	struct answers answers = flip_bits(trial, name, &good);
	check(trial, answers.other == 0 && answers.refused == 0 && answers.incomplete > 0,
	      "flipped bits of a segment: what can be answered is, with 3");
	check(trial, export_all(trial) == 0, "the undamaged copy gives all again");
	buf_done(&good);
}

/* A store that may not be read. As root nothing is forbidden: then a folder in the file's place does it. */
static void unreadable(struct trial *trial)
{
	struct stage *stage = &trial->stage;
	char store[STAGE_PATH_MAX], away[STAGE_PATH_MAX];
	(void)stage_path(stage, "store/catalog.db", store);
	(void)stage_path(stage, "store/away", away);
	bool moved = rename(store, away) == 0 && mkdir(store, 0700) == 0;
	size_t from = stage_log_size(stage);
	check(trial, moved && ask(trial, "who") == 78, "a catalog that is a folder is refused");
	begin(trial, CONFIG, false);
	check(trial,
	      end_of(trial) == 78 && stage_wait_said(stage, "catalog.db is not a file", from, 0),
	      "by the daemon too, with its name");
	check(trial, rmdir(store) == 0 && rename(away, store) == 0, "put back");
	if (geteuid() != 0 && chmod(store, 0) == 0) {
		check(trial, ask(trial, "who") == 2, "a catalog without permission is refused");
		(void)chmod(store, 0600);
	}
}

int main(void)
{
	struct trial trial = {0};
	struct stage *stage = &trial.stage;
	const char *company[] = {"--requests", "1500", NULL};
	stage_init(stage, "faults-store");
	stage_start_company(stage, company);
	full_disk(&trial);
	second_daemon(&trial);
	bad_peers(&trial);
	reload(&trial);
	check(&trial, stage_stop_daemon(stage) == 0, "SIGTERM ends it cleanly");
	damaged_catalog(&trial);
	damaged_segment(&trial);
	unreadable(&trial);
	bad_configs(&trial);
	stage_done(stage, trial.tap.failures != 0);
	return tap_end(&trial.tap);
}
