/* store-sizes - the lines of `querytrail status` about the size of the store.
 *
 * Threads: one per thread. Blocking: reads the store. Tests: tests/unit/store-sizes.c, tests/golden/
 */
#ifndef QUERY_STORE_SIZES_H
#define QUERY_STORE_SIZES_H

#include "query/output.h"
#include "store/sizes.h"

/* Appends bytes for people: "812 B", "20.4 MB". */
void sizes_put(struct buf *out, uint64_t bytes);

/* Appends a ratio with one digit behind the point, below 10 two: "18.5"; "-" when there is nothing to divide by. */
void sizes_put_ratio(struct buf *out, double part, double whole);

/* Appends the lines: head, blocks, catalog, and what a sealed event takes. */
void sizes_put_text(struct output *out, const struct store_sizes *sizes);

/* Whether so little is free on the disk of a folder that the daemon waits for room. */
#define SIZES_ROOM_BYTES (INT64_C(16) << 20) /* as PAUSE_ROOM_BYTES of correlator/pause.h */
bool sizes_disk_is_full(const char *dir);

/* Appends the members of an object in JSON, without braces. */
void sizes_put_json(struct buf *out, const struct store_sizes *sizes);

#endif
