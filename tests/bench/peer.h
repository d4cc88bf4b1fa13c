/* peer - the same events in a plain SQLite database, as one would build it without us: what our figures are compared with.
 *
 * Shape:   one table with a typed column for every field of requests and statements, five indexes (key, time, user, request id,
 *          table); WAL, synchronous=FULL, one transaction a batch. It stores: it joins nothing and answers no feed.
 * Errors:  end the program with status 1 and a sentence on stderr.
 * Threads: one. Blocking: disk.
 */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

struct peer_result {
	double cpu_seconds; /* of inserting and committing alone */
	uint64_t bytes;     /* on disk at the end */
};

/* Stores event_count events of a shape with this seed in batches, into a new file at path. */
struct peer_result peer_run(const char *path, uint64_t event_count, size_t batch_records);

#endif
