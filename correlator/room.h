/* room - whether the disk has room for what is to be committed, asked before anything is written.
 *
 * Asked:   of the file system (statvfs), and by taking the room in a nameless file for a moment, which meets quotas too. A file system that
 *          cannot do the latter is asked the former alone.
 * Room:    twice the bytes and ROOM_RESERVE, for columns, verdicts and the catalog's log.
 * Threads: any. Blocking: disk.
 * Source:  docs/decisions.md "A full disk". Tests: tests/unit/room.c, tests/integration/full-disk.py
 */
#ifndef CORRELATOR_ROOM_H
#define CORRELATOR_ROOM_H

#include "base/error.h"

#include <stdint.h>

#define ROOM_RESERVE (UINT64_C(4) << 20)

/* Looks whether the folder has room for so many more bytes. Returns 0, ERR_AGAIN (there is none now; the sentence says how much there
 * is), or ERR_IO (the folder cannot be asked). */
int room_look(const char *dir, uint64_t bytes, struct error *err);

#endif
