/* kill - programs are killed while traffic flows; afterwards nothing is missing and nothing is double.
 *
 * Starts the simulated company live, runs `querytraild --spawn` on it, and kills -9 the daemon, a collector or serve, chosen at
 * random, again and again. Then lets everything catch up, ends the daemon with SIGTERM, and compares what `querytrail export --raw`
 * gives with what the company wrote. Usage: crash-kill SECONDS SEED. Speaks TAP. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/parse.h"
#include "tests/stage/stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX  ((size_t)1 << 28)
#define SETTLE_MS 60000

struct crash {
	struct stage stage;
	uint64_t random;
	unsigned kills[2]; /* of the daemon, of its children */
	int failures;
};

static uint64_t draw(struct crash *crash, uint64_t limit)
{
	crash->random = hash_u64(crash->random + UINT64_C(0x9e3779b97f4a7c15));
	return crash->random % limit;
}

/* Kills the daemon in one of three rounds, else one of its children. */
static void kill_one(struct crash *crash)
{
	pid_t children[STAGE_CHILDREN_MAX];
	size_t count = stage_children(&crash->stage, children);
	if (draw(crash, 3) != 0 && count != 0) {
		(void)kill(children[draw(crash, count)], SIGKILL); /* it may have ended by itself */
		crash->kills[1]++;
		return;
	}
	(void)kill(crash->stage.daemon.pid, SIGKILL); /* as above */
	(void)process_wait(&crash->stage.daemon, -1, NULL);
	crash->kills[0]++;
	stage_start_daemon(&crash->stage, "company/querytrail.yaml", true);
}

struct lines {
	struct buf text;
	struct str *line;
	size_t count;
};

static int by_bytes(const void *a, const void *b)
{
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* The number that stands behind a JSON key in a line, as text; empty when it is not there. */
static struct str member(struct str line, const char *key)
{
	ptrdiff_t at = str_find(line, str_of(key), 0);
	if (at < 0) {
		return STR_LIT("");
	}
	struct str rest = str_slice(line, (size_t)at + strlen(key), line.len);
	size_t len = 0;
	while (len < rest.len && rest.ptr[len] >= '0' && rest.ptr[len] <= '9') {
		len++;
	}
	return str_slice(rest, 0, len);
}

/* Reads a file into sorted lines. For audit rows the line is reduced to transaction and sequence number: column order and
 * spelling are the reader's own. */
static bool read_lines(const char *path, bool rows, struct lines *out)
{
	buf_init(&out->text, FILE_MAX);
	if (io_read_file(path, FILE_MAX, &out->text, NULL) != 0) {
		return false;
	}
	size_t room = 1;
	for (size_t i = 0; i < out->text.len; i++) {
		room += out->text.ptr[i] == '\n';
	}
	out->line = calloc(room, sizeof(*out->line));
	out->count = 0;
	struct str rest = buf_str(&out->text);
	while (rest.ptr != NULL && rest.len != 0) {
		struct str line = str_split(&rest, '\n');
		if (rows) {
			struct str transaction = member(line, "\"transaction_id\":");
			struct str sequence = member(line, "\"sequence_number\":");
			size_t len = transaction.len;
			char *at = (char *)(uintptr_t)line.ptr; /* text is ours */
			memmove(at, transaction.ptr, len);
			at[len] = ' ';
			memmove(at + len + 1, sequence.ptr, sequence.len);
			line.len = len + 1 + sequence.len;
		}
		out->line[out->count++] = line;
	}
	qsort(out->line, out->count, sizeof(*out->line), by_bytes);
	return true;
}

/* Says what is in one and not in the other; true when they are the same. */
static bool compare(const struct lines *want, const struct lines *got, const char *what)
{
	size_t w = 0, g = 0, missing = 0, extra = 0;
	while (w < want->count || g < got->count) {
		int order = w == want->count  ? 1
			    : g == got->count ? -1
					      : str_compare(want->line[w], got->line[g]);
		if (order < 0 && ++missing <= 3) {
			printf("# missing in %s: %.*s\n", what, STR_ARG(want->line[w]));
		} else if (order > 0 && ++extra <= 3) {
			printf("# double or invented in %s: %.*s\n", what, STR_ARG(got->line[g]));
		}
		w += order <= 0;
		g += order >= 0;
	}
	printf("# %s: %zu written, %zu stored, %zu missing, %zu double\n", what, want->count,
	       got->count, missing, extra);
	return missing == 0 && extra == 0 && want->count != 0;
}

static bool check_source(struct crash *crash, const char *source, const char *truth)
{
	char store[STAGE_PATH_MAX], out[STAGE_PATH_MAX], want_path[STAGE_PATH_MAX];
	const char *argv[] = {"querytrail",
			      "export",
			      "--raw",
			      "--source",
			      source,
			      "--store",
			      stage_path(&crash->stage, "store", store),
			      NULL};
	struct lines want = {0}, got = {0};
	int status = stage_run(&crash->stage, argv, source);
	bool rows = strcmp(source, "database") == 0;
	bool same = (status == 0 || status == 3) &&
		    read_lines(stage_path(&crash->stage, truth, want_path), rows, &want) &&
		    read_lines(stage_path(&crash->stage, source, out), rows, &got) &&
		    compare(&want, &got, source);
	free(want.line);
	free(got.line);
	buf_done(&want.text);
	buf_done(&got.text);
	return same;
}

static size_t count_lines(const struct crash *crash, const char *name)
{
	char path[STAGE_PATH_MAX];
	struct lines lines = {0};
	size_t count =
		read_lines(stage_path(&crash->stage, name, path), false, &lines) ? lines.count : 0;
	free(lines.line);
	buf_done(&lines.text);
	return count;
}

/* Until as many records are stored as the company has lines and statements (CloudWatch shows lines up to half a minute late), and
 * nothing more comes. */
static bool catch_up(struct crash *crash)
{
	uint64_t want = count_lines(crash, "company/access.log") +
			count_lines(crash, "company/truth.jsonl");
	bool caught_up;
	for (int waited = 0; waited < SETTLE_MS && stage_stored(&crash->stage, &caught_up) < want;
	     waited += 100) {
		stage_pause(100);
	}
	return stage_settle(&crash->stage, 1500, SETTLE_MS);
}

static void report(struct crash *crash, int number, bool good, const char *what)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", number, what);
	crash->failures += !good;
}

int main(int argc, char **argv)
{
	struct crash crash = {0};
	uint64_t seconds;
	char live[32];
	if (argc != 3 || !parse_u64(str_of(argv[1]), &seconds) ||
	    !parse_u64(str_of(argv[2]), &crash.random)) {
		fprintf(stderr, "usage: crash-kill SECONDS SEED\n");
		return 2;
	}
	(void)snprintf(live, sizeof(live), "%llus", (unsigned long long)seconds); /* fits */
	const char *company[] = {"--seed", argv[2], "--requests", "2500", "--live", live, NULL};
	printf("1..4\n");
	stage_init(&crash.stage, "crash-kill");
	stage_start_company(&crash.stage, company);
	stage_start_daemon(&crash.stage, "company/querytrail.yaml", true);
	int64_t end = clock_monotonic_ns() + (int64_t)seconds * NS_PER_SEC;
	while (clock_monotonic_ns() < end) {
		stage_pause(20 + (int)draw(&crash, 150));
		kill_one(&crash);
	}
	report(&crash, 1, catch_up(&crash), "all sources catch up again");
	report(&crash, 2, stage_stop_daemon(&crash.stage) == 0,
	       "the daemon ends cleanly after all of it");
	printf("# killed: the daemon %u times, its children %u times\n", crash.kills[0],
	       crash.kills[1]);
	report(&crash, 3, check_source(&crash, "gateway", "company/access.log"),
	       "every access log line once");
	report(&crash, 4, check_source(&crash, "database", "company/audit.jsonl"),
	       "every audit row once");
	stage_done(&crash.stage, crash.failures != 0);
	return crash.failures != 0;
}
