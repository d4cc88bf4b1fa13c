/* pause - what querytraild does while the disk is full: it waits until there is room, and then begins again.
 *
 * Rules:   what was not confirmed is sent again by the collectors, so nothing of what is in memory is needed. Room is PAUSE_ROOM_BYTES that one
 *          may use; after PAUSE_TRY_NS it is tried all the same, since quotas do not show in what is free.
 * Signals: SIGTERM and SIGINT end the wait.
 * Threads: one per process. Blocking: until there is room. Source: statvfs(3). Tests: tests/unit/pause.c, tests/integration/full-disk.sh
 */
#ifndef CORRELATOR_PAUSE_H
#define CORRELATOR_PAUSE_H

#include "base/error.h"

#include <stdint.h>

#define PAUSE_ROOM_BYTES (INT64_C(16) << 20)
#define PAUSE_TRY_NS     INT64_C(30000000000)
#define PAUSE_LOOK_NS    INT64_C(500000000)

struct pause {
	const char *dir;    /* any folder on the disk */
	int64_t room_bytes; /* PAUSE_ROOM_BYTES */
	int64_t try_ns;     /* PAUSE_TRY_NS */
};

/* Waits. Returns 0 when it is to be tried again, ERR_CANCELLED when the program was asked to stop, ERR_IO when the folder cannot be looked at. */
int pause_until_room(const struct pause *pause, struct error *err);

#endif
