/* loop - one thread that waits for descriptors, times, signals and children: a thin cover of sd-event.
 *
 * Order:   descriptors, signals and children are served before timers that are due at the same moment.
 * Life:    a loop_event is freed by loop_remove, or with the loop; a callback may remove any event, its own too.
 * Errors:  a callback that returns a negative code ends loop_run, which returns it with what the callback put into err.
 * Threads: one loop per thread. Blocking: loop_run.
 * Source:  sd-event(3). Tests: tests/unit/loop.c
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct loop_event;

/* For descriptors: what may be done now. */
#define LOOP_READ  1u
#define LOOP_WRITE 2u
#define LOOP_GONE  4u /* the other side hung up, or an error stands on it */

typedef int loop_fd_fn(void *owner, unsigned ready, struct error *err);
typedef int loop_fn(void *owner, struct error *err);

/* Who is called back. */
struct loop_call {
	loop_fn *each;
	void *owner;
};
struct loop_fd_call {
	loop_fd_fn *each;
	void *owner;
	unsigned wanted; /* LOOP_READ | LOOP_WRITE */
};

/* Returns 0 and *out_loop, or ERR_IO, ERR_NOMEM. */
int loop_new(struct loop **out_loop, struct error *err);
void loop_free(struct loop *loop);

/* Calls back whenever fd is ready for one of wanted. The descriptor stays the caller's; remove the event before it is closed. */
int loop_add_fd(struct loop *loop, int fd, struct loop_fd_call call, struct loop_event **out_event,
		struct error *err);

/* Changes what is waited for; 0 waits only for LOOP_GONE. */
void loop_want(struct loop_event *event, unsigned wanted);

/* A timer that is not set; loop_set_timer makes it go off once at due_ns (clock_monotonic_ns), loop_unset_timer takes that back. */
int loop_add_timer(struct loop *loop, struct loop_call call, struct loop_event **out_event,
		   struct error *err);
void loop_set_timer(struct loop_event *event, int64_t due_ns);
void loop_unset_timer(struct loop_event *event);

/* Blocks the signal and calls back when it came. */
int loop_add_signal(struct loop *loop, int number, struct loop_call call,
		    struct loop_event **out_event, struct error *err);

/* Calls back once when the process has ended; it is not reaped: process_wait does that. */
int loop_add_child(struct loop *loop, pid_t pid, struct loop_call call,
		   struct loop_event **out_event, struct error *err);

/* Ends waiting for it and frees it. NULL is fine. */
void loop_remove(struct loop_event *event);

/* Keeps the service manager's watchdog content from inside the loop, if it asks for that. */
void loop_keep_watchdog(struct loop *loop);

/* Serves events until loop_stop (then 0) or a callback fails (its code). */
int loop_run(struct loop *loop, struct error *err);

/* Serves what is ready, waiting at most timeout_ns for something. Returns 0 or a callback's code. */
int loop_step(struct loop *loop, int64_t timeout_ns, struct error *err);

/* Makes loop_run return 0 after the callback that is running. */
void loop_stop(struct loop *loop);

#endif
