/* waiter - the one place where a collector waits: for time, for a descriptor, and always for being told to stop.
 *
 * Shape:   SIGTERM and SIGINT are blocked and read through a signalfd, so that nothing is interrupted halfway.
 *          Waits are cut into pieces short enough for the service manager's watchdog.
 * Threads: one per process. Blocking: waiter_wait.
 * Tests:   tests/unit/runner.c
 */
#ifndef COLLECTOR_WAITER_H
#define COLLECTOR_WAITER_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum wait_result {
	WAIT_TIME,  /* the time is over */
	WAIT_READY, /* the descriptor has something, or its peer hung up */
	WAIT_STOP,  /* the program is asked to stop; stays so */
};

struct waiter {
	int stop_fd; /* readable once asked to stop */
	int64_t watchdog_ns;
	int64_t last_ping_ns;
};

/* Blocks the signals and ignores SIGPIPE. Returns 0 or ERR_IO. */
int waiter_open(struct waiter *waiter, struct error *err);
void waiter_close(struct waiter *waiter);

/* Waits at most wait_ns (negative: for ever) for fd (-1: none). */
enum wait_result waiter_wait(struct waiter *waiter, int fd, int64_t wait_ns);

/* Whether the program is asked to stop; also tells the watchdog that the program lives, when that is due. */
bool waiter_stopped(struct waiter *waiter);

#endif
