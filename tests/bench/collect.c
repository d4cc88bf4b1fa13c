/* bench-collect - how fast the whole path from two servers to the store is, and how much memory each program takes.
 *
 * Starts the simulated company with REQUESTS requests and querytraild --spawn on an empty store; waits until both collectors have
 * caught up. Prints one line a figure. Usage: bench-collect [REQUESTS] */
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "tests/stage/stage.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_MS 300000
#define QUIET_MS 500

/* The program of a process and its last argument, unless that is a path; empty when it is gone. */
static void name_process(pid_t pid, char out[64])
{
	char path[64];
	struct buf text;
	struct str program = {0}, last = {0};
	buf_init(&text, 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid); /* fits */
	if (io_read_file(path, 65536, &text, NULL) == 0) {
		struct str rest = buf_str(&text);
		program = str_split(&rest, '\0');
		while (rest.len > 0) {
			last = str_split(&rest, '\0');
		}
	}
	for (ptrdiff_t at; (at = str_find_byte(program, '/', 0)) >= 0;) {
		program = str_slice(program, (size_t)at + 1, program.len);
	}
	last = str_find_byte(last, '/', 0) >= 0 ? STR_LIT("") : last;
	(void)snprintf(out, 64, "%.*s %.*s", STR_ARG(program), STR_ARG(last)); /* may be cut */
	buf_done(&text);
}

static void print_usage(pid_t pid)
{
	char name[64];
	double cpu_seconds, peak_mib;
	name_process(pid, name);
	stage_usage(pid, &cpu_seconds, &peak_mib);
	if (name[0] != ' ') {
		printf("%-32s %8.1f MiB peak resident, %.2f s of CPU\n", name, peak_mib,
		       cpu_seconds);
	}
}

/* Returns the records stored when both sources have caught up, and the time of the last one that came. */
static uint64_t wait_for_all(struct stage *stage, int64_t *out_last_ns)
{
	int64_t start = clock_monotonic_ns();
	uint64_t stored = 0;
	bool caught_up = false;
	*out_last_ns = start;
	for (int64_t now = start; now - start < (int64_t)LIMIT_MS * NS_PER_MS;
	     now = clock_monotonic_ns()) {
		uint64_t before = stored;
		stored = stage_stored(stage, &caught_up);
		*out_last_ns = stored != before ? now : *out_last_ns;
		if (caught_up && now - *out_last_ns > (int64_t)QUIET_MS * NS_PER_MS) {
			return stored;
		}
		stage_pause(20);
	}
	fprintf(stderr, "the collectors have not caught up after %d s\n", LIMIT_MS / 1000);
	exit(1);
}

int main(int argc, char **argv)
{
	const char *requests = argc > 1 ? argv[1] : "20000";
	const char *company[] = {"--requests", requests, "--seed", "7", NULL};
	uint64_t request_count = 0;
	struct stage stage;
	if (!parse_u64(str_of(requests), &request_count) || request_count == 0) {
		fprintf(stderr, "usage: bench-collect [REQUESTS]\n");
		return 2;
	}
	stage_init(&stage, "bench-collect");
	stage_start_company(&stage, company);
	int64_t last_ns, start = clock_monotonic_ns();
	stage_start_daemon(&stage, "company/querytrail.yaml", true);
	uint64_t stored = wait_for_all(&stage, &last_ns);
	double seconds = (double)(last_ns - start) / 1e9;
	printf("collected                        %8llu records of %llu requests in %.2f s: %.0f "
	       "records/s by the clock\n",
	       (unsigned long long)stored, (unsigned long long)request_count, seconds,
	       (double)stored / seconds);
	pid_t children[STAGE_CHILDREN_MAX];
	size_t child_count = stage_children(&stage, children);
	for (size_t i = 0; i < child_count; i++) {
		print_usage(children[i]);
	}
	double cpu_seconds, peak_mib;
	stage_usage(stage.daemon.pid, &cpu_seconds, &peak_mib);
	printf("querytraild                      %8.1f MiB peak resident, %.2f s of CPU\n",
	       peak_mib, cpu_seconds);
	int status = stage_stop_daemon(&stage);
	stage_done(&stage, status != 0);
	return status != 0;
}
