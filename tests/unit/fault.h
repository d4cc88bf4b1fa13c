/* fault - the nth call of the system that changes a disk fails: write, fsync, rename and their like, whoever makes it, SQLite too.
 *
 * How:     a test program that links fault.c has functions of these names itself, and so they come before those of libc for all libraries.
 * Threads: one. Blocking: as the call. */
#ifndef TESTS_UNIT_FAULT_H
#define TESTS_UNIT_FAULT_H

#include <stdbool.h>

/* From now on the nth call (from 1) fails with error (ENOSPC, EIO); sticky: and all after it, until fault_disarm. */
void fault_arm(unsigned nth, int error, bool sticky);

/* Ends it. Returns how many calls there were; *out_fired tells whether one failed. */
unsigned fault_disarm(bool *out_fired);

#endif
