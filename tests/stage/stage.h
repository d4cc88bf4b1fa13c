/* stage - the simulated company and the real programs on it, in a folder of their own, for tests and benchmarks.
 *
 * Shape:   FOLDER/company (what querytrail-sim writes), FOLDER/store, FOLDER/run (sockets), FOLDER/log (what all programs say).
 * Errors:  none are returned: a stage that can't be set ends the test program with status 2 and a sentence on stderr.
 * Life:    stage_done ends every process and removes the folder, unless it shall be kept for a person to look at.
 * Threads: one. Blocking: as long as the programs take.
 */
#ifndef TESTS_STAGE_STAGE_H
#define TESTS_STAGE_STAGE_H

#include "base/process.h"

#include <stdint.h>

#define STAGE_PATH_MAX     256
#define STAGE_CHILDREN_MAX 16

struct stage {
	char folder[64];
	struct process company, daemon;
	int log;
};

/* Makes the folder. name is part of its name. */
void stage_init(struct stage *stage, const char *name);

/* Ends everything. With keep the folder stays, and the end of the log goes to stderr. */
void stage_done(struct stage *stage, bool keep);

/* FOLDER/name, into out; returns out. */
const char *stage_path(const struct stage *stage, const char *name, char out[STAGE_PATH_MAX]);

/* Starts querytrail-sim; arguments (ended by NULL, at most 16) come before --dir. Returns when it is ready. */
void stage_start_company(struct stage *stage, const char *const *arguments);

/* Starts querytraild on FOLDER/store with the configuration FOLDER/<config>; spawn: with its collectors and serve. */
void stage_start_daemon(struct stage *stage, const char *config, bool spawn);

/* The daemon's children. */
size_t stage_children(const struct stage *stage, pid_t out_pids[STAGE_CHILDREN_MAX]);

/* How many records the collectors' sources have stored, and whether both have caught up. */
uint64_t stage_stored(const struct stage *stage, bool *out_caught_up);

/* Waits until both sources have caught up and nothing new came for quiet_ms. False after limit_ms, or when the daemon ends. */
bool stage_settle(struct stage *stage, int quiet_ms, int limit_ms);

/* Ends the daemon with SIGTERM; its exit status. */
int stage_stop_daemon(struct stage *stage);

/* Runs a program of ours to its end, its output into FOLDER/<out>. Returns the exit status. */
int stage_run(struct stage *stage, const char *const *argv, const char *out);

/* Pauses. */
void stage_pause(int ms);

/* CPU seconds that a process has used and its peak resident memory in MiB; 0 when it is gone. */
void stage_usage(pid_t pid, double *out_cpu_seconds, double *out_peak_mib);

#endif
