/* faults-lost - what is lost is said: a file deleted under the reader, records that the server skips, a log group that is deleted, a
 * source that is silent, questions that are refused. All else is stored once, and SIGTERM in mid-flow loses nothing. Speaks TAP. */
#include "tests/stage/same.h"
#include "tests/stage/tap.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LIMIT_MS  15000
#define CONFIG    "company/querytrail.yaml"
#define DAYS_ROWS "company/audit.jsonl"

struct trial {
	struct tap *tap;
	struct stage stage;
};

static void open_trial(struct trial *trial, struct tap *tap, const char *const *company)
{
	trial->tap = tap;
	stage_init(&trial->stage, "faults-lost");
	stage_start_company(&trial->stage, company);
}

static void close_trial(struct trial *trial, int failures_before)
{
	stage_done(&trial->stage, trial->tap->failures != failures_before);
}

/* Whether a source has so many gaps and rejects, and its accounts balance. */
static bool has_gaps(const struct trial *trial, const char *name, uint64_t at_least)
{
	struct store_source source;
	bool good = stage_source(&trial->stage, name, &source) && source.gaps >= at_least &&
		    source.rejected == 0 && source.received == source.stored + source.duplicate;
	printf("# %s: %llu gaps\n", name, (unsigned long long)source.gaps);
	return good;
}

/* Whether `querytrail coverage` says a text, and ends with 3. */
static bool told(struct trial *trial, const char *text)
{
	char store[STAGE_PATH_MAX];
	const char *argv[] = {"querytrail", "coverage", "--store",
			      stage_path(&trial->stage, "store", store), NULL};
	struct buf out;
	int status = stage_run(&trial->stage, argv, "coverage");
	stage_read(&trial->stage, "coverage", &out);
	bool found = str_find(buf_str(&out), str_of(text), 0) >= 0;
	if (!found) {
		printf("# coverage ends with %d and says:\n# %.*s\n", status,
		       STR_ARG(buf_str(&out)));
	}
	buf_done(&out);
	return found;
}

/* An audit file goes away before it was read: its rows are missing, and that is said; nothing else is. */
static void deleted_file(struct tap *tap)
{
	const char *company[] = {"--requests", "2000", "--sql-fault", "drip ms=1 bytes=400", NULL};
	struct trial trial;
	struct stage *stage = &trial.stage;
	struct same same = {0};
	int before = tap->failures;
	open_trial(&trial, tap, company);
	stage_edit(stage, CONFIG, "slow.yaml", "    part_timeout: 5s\n",
		   "    part_timeout: 5s\n    batch_rows: 100\n");
	stage_start_daemon(stage, "slow.yaml", true);
	bool begun = false;
	for (int waited = 0; waited < LIMIT_MS && !begun; waited += 20) {
		struct store_source source;
		stage_pause(20);
		begun = stage_source(stage, "database", &source) && source.stored > 100;
	}
	stage_command(stage, "sql delete-file index=0");
	stage_command(stage, "sql clear");
	tap_check(tap, begun && stage_settle(stage, 1500, LIMIT_MS),
		  "a file deleted under the reader: it goes on with the next one");
	tap_check(tap, stage_stop_daemon(stage) == 0, "and ends cleanly");
	tap_check(tap, same_count(stage, "database", DAYS_ROWS, &same) && same.extra == 0,
		  "no row is double");
	tap_check(tap,
		  same.missing > 0 && has_gaps(&trial, "database", 1) && told(&trial, "deleted"),
		  "what was lost with it is a gap with its reason");
	tap_check(tap, same_all(stage, "gateway", "company/access.log"),
		  "every line is there once");
	close_trial(&trial, before);
}

/* The server leaves records out with message 33226. */
static void skipped_records(struct tap *tap)
{
	const char *company[] = {"--requests", "40", "--sql-fault", "skip row=10", NULL};
	struct trial trial;
	struct stage *stage = &trial.stage;
	struct same same = {0};
	int before = tap->failures;
	open_trial(&trial, tap, company);
	stage_start_daemon(stage, CONFIG, true);
	tap_check(tap, stage_settle(stage, 1500, LIMIT_MS), "records are skipped: it goes on");
	tap_check(tap, stage_stop_daemon(stage) == 0, "and ends cleanly");
	tap_check(tap, same_count(stage, "database", DAYS_ROWS, &same) && same.extra == 0,
		  "no row is double");
	tap_check(tap, has_gaps(&trial, "database", 1) && told(&trial, "skipping records from"),
		  "the gap repeats the words of message 33226");
	close_trial(&trial, before);
}

/* Questions about the server that its login may not ask do not stop the collection. */
static void refused_questions(struct tap *tap)
{
	const char *company[] = {"--requests",  "300",
				 "--sql-fault", "deny object=dm_server_audit_status",
				 "--sql-fault", "deny object=server_file_audits",
				 NULL};
	struct trial trial;
	struct stage *stage = &trial.stage;
	int before = tap->failures;
	open_trial(&trial, tap, company);
	stage_edit(stage, CONFIG, "pattern.yaml", "    part_timeout: 5s\n",
		   "    part_timeout: 5s\n    file_pattern: 'D:\\audit\\*.sqlaudit'\n");
	stage_start_daemon(stage, "pattern.yaml", true);
	tap_check(tap, stage_settle(stage, 1000, LIMIT_MS), "refused questions: it collects");
	tap_check(tap, stage_wait_said(stage, "permission was denied", 0, 0), "it is told");
	tap_check(tap, stage_stop_daemon(stage) == 0, "and it ends cleanly");
	tap_check(tap, same_all(stage, "database", DAYS_ROWS), "every row once");
	close_trial(&trial, before);
}

/* A server that says nothing for longer than silence_limit is a gap, and comes back. */
static void silence(struct tap *tap)
{
	const char *company[] = {"--requests", "300", NULL};
	struct trial trial;
	struct stage *stage = &trial.stage;
	int before = tap->failures;
	open_trial(&trial, tap, company);
	stage_edit(stage, CONFIG, "silent.yaml", "sources:\n",
		   "daemon:\n  silence_limit: 2s\nsources:\n");
	stage_start_daemon(stage, "silent.yaml", true);
	tap_check(tap, stage_wait_said(stage, "speaks for source database", 0, LIMIT_MS),
		  "it collects");
	size_t from = stage_log_size(stage);
	stage_command(stage, "sql silent when=query rows=0");
	tap_check(tap, stage_wait_said(stage, "source database: nothing was heard", from, LIMIT_MS),
		  "a silent source is told");
	stage_command(stage, "sql clear");
	stage_command(stage, "sql gone"); /* the call that hangs ends with its connection */
	stage_command(stage, "sql back");
	tap_check(tap, stage_settle(stage, 1000, LIMIT_MS), "it catches up");
	tap_check(tap, stage_stop_daemon(stage) == 0, "and ends cleanly");
	tap_check(tap, has_gaps(&trial, "database", 1) && told(&trial, "nothing was heard"),
		  "the silence is a gap");
	tap_check(tap,
		  same_all(stage, "database", DAYS_ROWS) &&
			  same_all(stage, "gateway", "company/access.log"),
		  "and nothing is missing or double");
	close_trial(&trial, before);
}

/* SIGTERM again and again while traffic flows: every end is clean, and what comes after goes on where it was. */
static void stopped_in_flow(struct tap *tap)
{
	const char *company[] = {"--requests", "1500", "--live", "6s", NULL};
	struct trial trial;
	struct stage *stage = &trial.stage;
	int before = tap->failures;
	bool clean = true;
	open_trial(&trial, tap, company);
	for (int i = 0; i < 8; i++) {
		stage_start_daemon(stage, CONFIG, true);
		stage_pause(300 + 70 * i);
		clean = stage_stop_daemon(stage) == 0 && clean;
	}
	tap_check(tap, clean, "SIGTERM in mid-flow: each end is clean");
	stage_start_daemon(stage, CONFIG, true);
	tap_check(tap, same_catch_up(stage), "it catches up");
	tap_check(tap, stage_stop_daemon(stage) == 0, "and ends cleanly");
	tap_check(tap,
		  same_all(stage, "database", DAYS_ROWS) &&
			  same_all(stage, "gateway", "company/access.log"),
		  "nothing is missing or double");
	close_trial(&trial, before);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct tap *tap);
	} trials[] = {{"deleted-file", deleted_file},
		      {"skipped-records", skipped_records},
		      {"refused-questions", refused_questions},
		      {"silence", silence},
		      {"stopped-in-flow", stopped_in_flow}};
	struct tap tap = {0};
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		if (argc < 2 || strcmp(argv[1], trials[i].name) == 0) {
			trials[i].run(&tap);
		}
	}
	return tap_end(&tap);
}
