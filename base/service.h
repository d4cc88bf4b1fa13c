/* service - what a program tells the service manager: ready, alive, what it is doing.
 *
 * Shape:   each call is one datagram to $NOTIFY_SOCKET; without it (not run by systemd) nothing happens.
 * Errors:  none: a manager that does not listen is no reason to stop.
 * Threads: any. Blocking: one send.
 * Source:  sd_notify(3), sd_watchdog_enabled(3). Tests: tests/unit/service.c
 */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

#include <stdint.h>

/* Start-up is finished. */
void service_ready(void);

/* Shutting down has begun. */
void service_stopping(void);

/* One line for people: "waiting for the next page". Text from outside must have been escaped. */
void service_status(const char *text);

/* Still alive; to be sent at least every service_watchdog_ns. */
void service_watchdog(void);

/* Half of the time after which the manager gives up on a silent program; 0 when it does not watch. */
int64_t service_watchdog_ns(void);

#endif
