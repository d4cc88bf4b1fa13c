/* writer - is a daemon writing to a store, and which process is it?
 *
 * Threads: any. Blocking: reads /proc/locks. Source: flock(2), proc(5). Tests: tests/unit/writer.c
 */
#ifndef QUERY_WRITER_H
#define QUERY_WRITER_H

#include <stdbool.h>

/* Whether a process holds DIR/lock; asks without taking the lock, so that a daemon that starts is not disturbed. *out_pid is its
 * process id, 0 when it cannot be told. */
bool writer_alive(const char *dir, long *out_pid);

#endif
