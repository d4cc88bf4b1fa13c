/* records - the records that the store keeps of a data set (tests/bench/world.h): requests, statements, and a verdict on each statement as the
 * correlator says it.
 *
 * Shape:   leaves follow one another from `first_leaf` on: requests in the order of their lines, statements in that of their rows, verdicts in that
 *          of the statements.
 * Errors:  a failure ends the program with a sentence.
 * Threads: one at a time. Blocking: never. Tests: tests/integration/bench-store.py
 */
#ifndef TESTS_BENCH_RECORDS_H
#define TESTS_BENCH_RECORDS_H

#include "tests/bench/world.h"

#include "base/buf.h"
#include "model/record.h"

struct records;

/* Never NULL. */
struct records *records_new(void);
void records_free(struct records *records);

/* Makes the records of a data set, in place of those before. */
struct records_made {
	size_t first_statement, first_verdict, count; /* of records; requests come first */
	uint64_t first_leaf;
	double floor_bytes; /* the data set's entropy */
};
struct records_made records_make(struct records *records, const struct world_options *options,
				 uint64_t first_leaf);

/* The canonical bytes of record i, from 0 on; its leaf is first_leaf + i. Borrowed until the next records_make. */
struct str records_at(const struct records *records, size_t i);

/* The request, as a number from 0 on, that statement i (from first_statement on) names; SIZE_MAX: none. */
size_t records_request_of(const struct records *records, size_t i);

#endif
