/* writer - is a daemon writing to a store, and which process is it?
 *
 * Shape:   the lock file tells the process, and its /proc/PID/fdinfo tells whether it holds the lock; only when one of them may not
 *          be read, the kernel's list of all locks is asked, which waits for every processor (some 15 ms).
 * Threads: any. Blocking: reads /proc. Source: flock(2), proc(5). Tests: tests/unit/writer.c
 */
#ifndef QUERY_WRITER_H
#define QUERY_WRITER_H

#include <stdbool.h>

/* Whether a process holds DIR/lock; asks without taking the lock, so that a daemon that starts is not disturbed. *out_pid is its
 * process id, 0 when it cannot be told. */
bool writer_alive(const char *dir, long *out_pid);

#endif
