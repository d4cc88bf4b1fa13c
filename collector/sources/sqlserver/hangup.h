/* hangup - ends a call of DB-Library that blocks past its deadline, by shutting its socket down.
 *
 * Why:     FreeTDS counts a time-out anew for each read, and asks its interrupt function only when a whole second was silent. A
 *          server that sends a byte now and then would hold the collector for ever.
 * How:     a timer of the process and a handler of its signal (SIGRTMIN) that does nothing but shutdown(2). During a login, when
 *          nobody knows the descriptor, it is any socket that was opened since.
 * Rules:   one at a time. What is shut down fails in the blocked call, as if the server had closed the connection.
 * Threads: the handler may run in any. Blocking: never. Tests: tests/integration/sqlserver.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_HANGUP_H
#define COLLECTOR_SOURCES_SQLSERVER_HANGUP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Sets up signal and timer; once before the rest. Returns 0 or ERR_IO. */
int hangup_init(struct error *err);

/* From deadline_ns (monotonic) on the socket fd is shut down; fd < 0: every socket that is opened from now on. */
void hangup_arm(int64_t deadline_ns, int fd);

/* Ends that. Returns whether it came to it. */
bool hangup_disarm(void);

#endif
