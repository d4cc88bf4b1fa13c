/* removed - what the catalog remembers of records that are gone for good: how many, and the floor below which none is wanted.
 *
 * Errors:  ERR_CORRUPT (a setting is damaged), ERR_IO, ERR_NOMEM.
 * Threads: one per thread. Blocking: disk. Source: docs/format.md section 9.7. Tests: tests/unit/removed.c
 */
#ifndef STORE_REMOVED_H
#define STORE_REMOVED_H

#include "store/catalog.h"
#include "store/store.h"

/* As of the connection's snapshot. */
int removed_read(struct catalog *catalog, struct store_removed *out, struct error *err);

/* Counts records that the caller's transaction takes away. */
int removed_add(struct catalog *catalog, uint64_t records, struct error *err);

#endif
