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
#include "store/store.h"

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

/* Tells the company what to do (see tests/sim/scene.h); ends the test program when it does not take it. */
void stage_command(struct stage *stage, const char *line);

/* Reads FOLDER/name; the empty text when it is not there. The caller frees it with buf_done. */
void stage_read(const struct stage *stage, const char *name, struct buf *out);

/* Writes FOLDER/name anew. */
void stage_write(const struct stage *stage, const char *name, struct str text);

/* Copies FOLDER/from to FOLDER/to with the first `old` in it replaced. Ends the test program when it is not in it. */
void stage_edit(const struct stage *stage, const char *from, const char *to, const char *old,
		const char *new);

/* Waits until the log says a text behind its first `from` bytes; false after limit_ms. */
bool stage_wait_said(const struct stage *stage, const char *text, size_t from, int limit_ms);

/* The log's size. */
size_t stage_log_size(const struct stage *stage);

/* What the store knows of a source, but for its cursor; false when it does not know it. */
bool stage_source(const struct stage *stage, const char *name, struct store_source *out);

/* Waits until a source is in a state and its sentence has text in it; false after limit_ms. */
bool stage_wait_state(const struct stage *stage, const char *name, const char *state,
		      const char *text, int limit_ms);

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
