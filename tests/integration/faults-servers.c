/* faults-servers - what CloudWatch and SQL Server do wrong while traffic flows: it is told with its cause, the collector recovers,
 * and at the end every line and every row is stored once. Speaks TAP. */
#include "tests/stage/same.h"
#include "tests/stage/tap.h"

#include <stdio.h>
#include <string.h>

#define TOLD_MS    6000
#define RECOVER_MS 8000

/* A fault: what brings it, what the source says then, and what ends it (NULL: it ends by itself). */
struct fault {
	const char *source;
	const char *begin;
	const char *said;
	const char *end;
};

#define CLOUDWATCH(kind, rest) \
	"cloudwatch {\"faults\":[{\"kind\":\"" kind "\",\"op\":\"FilterLogEvents\"" rest "}]}"

static const struct fault sql_faults[] = {
	{"database", "sql gone", "SQL Server 127.0.0.1:", "sql back"},
	{"database", "sql close rows=3 times=2", "Unexpected EOF", NULL},
	{"database", "sql bad-length where=row times=1", "did not answer in time", NULL},
	{"database", "sql bad-token times=1", "Bad token", NULL},
	{"database", "sql silent when=row rows=2 times=1", "did not answer in time", NULL},
	{"database", "sql silent when=query rows=0 times=1", "did not answer in time", NULL},
	{"database", "sql error number=823 times=2", "message 823", NULL},
};

static const struct fault cloudwatch_faults[] = {
	{"gateway", CLOUDWATCH("throttle", ",\"times\":3"), "ThrottlingException", NULL},
	{"gateway", CLOUDWATCH("server-error", ",\"times\":3"), "InternalFailure", NULL},
	{"gateway", CLOUDWATCH("server-error", ",\"times\":3,\"status\":503"), "503", NULL},
	{"gateway", CLOUDWATCH("expired", ",\"times\":2"), "ExpiredToken", NULL},
	{"gateway", CLOUDWATCH("html", ",\"times\":2"), "502", NULL},
	{"gateway", CLOUDWATCH("truncate", ",\"times\":2"), "transfer closed", NULL},
	{"gateway", CLOUDWATCH("half-json", ",\"times\":2"), "the reply is no page of events",
	 NULL},
	{"gateway", CLOUDWATCH("misshapen", ",\"times\":2"), "events", NULL},
	{"gateway", CLOUDWATCH("reset", ",\"times\":2"), "cannot reach", NULL},
	{"gateway", CLOUDWATCH("silence", ",\"times\":2,\"ms\":3000"), "imed out", NULL},
	{"gateway", "cloudwatch {\"settings\":{\"hide_group\":true}}", "ResourceNotFound",
	 "cloudwatch {\"settings\":{\"hide_group\":false}}"},
};

static void strike(struct stage *stage, struct tap *tap, const struct fault *fault)
{
	char what[256];
	size_t from = stage_log_size(stage);
	stage_command(stage, fault->begin);
	bool told = stage_wait_said(stage, fault->said, from, TOLD_MS);
	(void)snprintf(what, sizeof(what), "told: %s", fault->begin); /* may be cut */
	if (!tap_check(tap, told, what)) {
		struct buf log;
		stage_read(stage, "log", &log);
		printf("# the log: %.*s\n", STR_ARG(str_slice(buf_str(&log), from, 600)));
		buf_done(&log);
	}
	if (fault->end != NULL) {
		stage_command(stage, fault->end);
	}
	(void)snprintf(what, sizeof(what), "recovered: %s", fault->begin); /* may be cut */
	bool back = stage_wait_said(stage, "answers again", from, RECOVER_MS);
	tap_check(tap, back && stage_wait_state(stage, fault->source, "ok", "", RECOVER_MS), what);
}

static bool accounts(const struct stage *stage, const char *name, uint64_t gaps)
{
	struct store_source source;
	return stage_source(stage, name, &source) && source.gaps == gaps && source.rejected == 0 &&
	       source.received == source.stored + source.duplicate;
}

int main(int argc, char **argv)
{
	struct tap tap = {0};
	struct stage stage;
	const char *company[] = {"--requests", "900", "--live", "9s", "--plain", NULL};
	bool sql = argc > 1 && strcmp(argv[1], "sqlserver") == 0;
	const struct fault *faults = sql ? sql_faults : cloudwatch_faults;
	size_t count = sql ? sizeof(sql_faults) / sizeof(sql_faults[0])
			   : sizeof(cloudwatch_faults) / sizeof(cloudwatch_faults[0]);
	stage_init(&stage, "faults-servers");
	stage_start_company(&stage, company);
	stage_edit(&stage, "company/querytrail.yaml", "impatient.yaml", "    part_timeout: 5s\n",
		   "    part_timeout: 5s\n    timeout: 1s\n");
	stage_edit(&stage, "impatient.yaml", "impatient.yaml", "    poll_interval: 250ms\n",
		   "    poll_interval: 250ms\n    timeout: 1s\n");
	stage_start_daemon(&stage, "impatient.yaml", true);
	tap_check(&tap, stage_wait_state(&stage, faults[0].source, "ok", "", TOLD_MS), "it begins");
	for (size_t i = 0; i < count; i++) {
		strike(&stage, &tap, &faults[i]);
	}
	tap_check(&tap, same_catch_up(&stage), "both sources catch up");
	tap_check(&tap, stage_stop_daemon(&stage) == 0, "the daemon ends cleanly");
	tap_check(&tap, same_all(&stage, "gateway", "company/access.log"), "every line once");
	tap_check(&tap, same_all(&stage, "database", "company/audit.jsonl"), "every row once");
	/* a log group that was gone may have had lines that nobody can know of */
	tap_check(&tap, accounts(&stage, "gateway", sql ? 0 : 1) && accounts(&stage, "database", 0),
		  "no rejects, one gap for the group that was gone, and the accounts balance");
	stage_done(&stage, tap.failures != 0);
	return tap_end(&tap);
}
