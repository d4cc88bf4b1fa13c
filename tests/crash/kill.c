/* kill - programs are killed while traffic flows; afterwards nothing is missing and nothing is double.
 *
 * Starts the simulated company live, runs `querytraild --spawn` on it, and kills -9 the daemon, a collector or serve, chosen at
 * random, again and again. Then lets everything catch up, ends the daemon with SIGTERM, and compares what `querytrail export --raw`
 * gives with what the company wrote. Usage: crash-kill SECONDS SEED. Speaks TAP. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/parse.h"
#include "tests/stage/same.h"

#include <signal.h>
#include <stdio.h>

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
	report(&crash, 1, same_catch_up(&crash.stage), "all sources catch up again");
	report(&crash, 2, stage_stop_daemon(&crash.stage) == 0,
	       "the daemon ends cleanly after all of it");
	printf("# killed: the daemon %u times, its children %u times\n", crash.kills[0],
	       crash.kills[1]);
	report(&crash, 3, same_all(&crash.stage, "gateway", "company/access.log"),
	       "every access log line once");
	report(&crash, 4, same_all(&crash.stage, "database", "company/audit.jsonl"),
	       "every audit row once");
	stage_done(&crash.stage, crash.failures != 0);
	return crash.failures != 0;
}
