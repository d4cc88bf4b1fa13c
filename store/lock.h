/* lock - the one writer of a store: a lock file that the kernel gives up with the process.
 *
 * Threads: any. Blocking: never. Source: flock(2). Tests: tests/unit/lock.c
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "base/error.h"

#include <stdbool.h>

/* Takes DIR/lock for this process and writes its process id into it.
 *   group_readable  others of the folder's group may read whose it is
 * Returns 0 and *out_fd (close it to give the lock up), ERR_CONFIG naming the process that holds it, or ERR_IO. */
int lock_take(const char *dir, bool group_readable, int *out_fd, struct error *err);

#endif
