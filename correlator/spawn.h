/* spawn - the daemon's children, when no service manager runs them: started, restarted with back-off, ended.
 *
 * Back-off: a child that ended is started again after 1 s, then 2, 4, .. 60 s; one that ran for a minute begins anew. A bad
 *          configuration (status 78) waits a minute. A child that its owner calls finished is not started again.
 * Threads: one per loop. Blocking: spawn_close, up to its grace.
 * Tests:   tests/unit/spawn.c
 */
#ifndef CORRELATOR_SPAWN_H
#define CORRELATOR_SPAWN_H

#include "base/loop.h"

#define SPAWN_BACKOFF_FIRST_NS INT64_C(1000000000)
#define SPAWN_BACKOFF_MAX_NS   INT64_C(60000000000)
#define SPAWN_ARGUMENTS_MAX    8

struct spawn;

/* A child ended with a status (128 + signal when it was killed). Returns whether it shall be started again. */
typedef bool spawn_ended_fn(void *owner, const char *name, int status);

/* loop and owner are borrowed. Returns NULL without memory. */
struct spawn *spawn_new(struct loop *loop, spawn_ended_fn *ended, void *owner);

/* Starts a child and keeps it running.
 *   name       for the log and for spawn_drop; copied
 *   arguments  argv, ended by NULL; argv[0] is the program, found by process_find; copied
 * A program that can't be started is tried again like one that ended. Returns 0, ERR_IO, ERR_NOMEM. */
int spawn_add(struct spawn *spawn, const char *name, const char *const *arguments,
	      struct error *err);

/* Sends SIGTERM to all children and starts none any more. */
void spawn_terminate(struct spawn *spawn);

/* After spawn_terminate: waits up to ms for one of them to end; how many still run. */
size_t spawn_wait(struct spawn *spawn, int ms);

/* How many children run. */
size_t spawn_running(const struct spawn *spawn);

/* Ends all children (SIGKILL after grace_ms) and frees. NULL is fine. */
void spawn_close(struct spawn *spawn, int grace_ms);

#endif
