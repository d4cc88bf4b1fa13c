/* process - find, start and stop our own programs as children.
 *
 * Shape:   a child gets an argument vector, no shell, all descriptors closed but 0, 1, 2, default signals, and SIGTERM when
 *          its parent dies (so that no collector outlives a killed daemon).
 * Errors:  ERR_GONE when a program is not found, ERR_IO when the system refuses. A child that can't be executed ends with status
 *          127.
 * Threads: start from one thread. Blocking: process_wait, process_stop, up to their time limit.
 * Tests:   tests/unit/process.c
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/buf.h"
#include "base/error.h"

#include <sys/types.h>

/* Where a program of ours is: the first of the folders in $QUERYTRAIL_LIBEXEC (separated by colons), the folder of the running
 * program, its neighbours ../collector ../correlator ../query ../tests/sim ../libexec/querytrail ../../bin, and /usr/libexec/querytrail that
 * holds an executable file of that name. Appends the path. Returns 0, or ERR_GONE naming the program. */
int process_find(const char *name, struct buf *out_path, struct error *err);

struct process_start {
	const char *path;        /* of the program */
	const char *const *argv; /* argv[0] and on, ended by NULL */
	bool pipe_in;            /* make a pipe to its stdin; else it reads /dev/null */
	bool pipe_out; /* make a pipe from its stdout; else out_fd, or ours when that is -1 */
	int out_fd;    /* what its stdout is; -1: ours */
	int err_fd;    /* what its stderr is; -1: ours */
};

struct process {
	pid_t pid;  /* -1: none */
	int in_fd;  /* our end of its stdin, or -1; owned */
	int out_fd; /* our end of its stdout, or -1; owned */
};

/* Starts a child. Returns 0 and *out_process, or ERR_IO. */
int process_start(const struct process_start *how, struct process *out_process, struct error *err);

/* Waits up to timeout_ms (-1: for ever) for the end. Returns true when it ended; *out_status (may be NULL) is its exit status, or
 * 128 plus the signal. The process is then empty but for its descriptors. */
bool process_wait(struct process *process, int timeout_ms, int *out_status);

/* Closes the pipes, sends SIGTERM, waits up to grace_ms, sends SIGKILL and waits. An empty process is fine. Returns the
 * exit status as process_wait gives it. */
int process_stop(struct process *process, int grace_ms);

#endif
