/* world - the data set of the store's benchmark: a day of a gateway's access log and of a database's audit rows, as JSON lines.
 *
 * Shape:   the numbers of facts/store.md section 2. Gateway lines come in order of completion, rows in order of event_time; the two files
 *          are made together, in one pass, in memory that does not grow with the size. The well-known keys of access logs, the columns of
 *          sys.fn_get_audit_file; statements end in a comment with the request's id.
 * Rules:   the same options give the same bytes on the same machine. Fewer requests are a shorter time of the day, not a thinner one.
 * Threads: one at a time. Blocking: where the sink does.
 * Tests:   tests/unit/bench-world.c
 */
#ifndef TESTS_BENCH_WORLD_H
#define TESTS_BENCH_WORLD_H

#include "base/error.h"
#include "base/str.h"
#include "tests/bench/world-plan.h"

#include <stdio.h>

#define WORLD_VERSION  1 /* other bytes for the same options: the next one; also in store.py */
#define WORLD_STATUSES 7
#define WORLD_TEXT_MAX 1024

enum world_file { WORLD_ACCESS, WORLD_AUDIT, WORLD_FILES };

struct world_options {
	uint64_t requests; /* >= 1 */
	uint64_t seed;
	uint64_t
		day; /* 0: the first day; another one has the same users, routes and templates, and requests of its own */
};

struct world_sink {
	/* Takes one line with its line end. Returns 0, or an error that ends the writing. */
	int (*put)(void *owner, enum world_file file, struct str line, struct error *err);
	void *owner;
};

/* What was written, counted while it was made. */
struct world_shape {
	uint64_t lines[WORLD_FILES], bytes[WORLD_FILES];
	uint64_t adhoc_rows, parameter_rows, late_lines;
	int64_t most_late_ms, first_ms, last_ms;
	uint64_t status[WORLD_STATUSES], method[4], path[3];
	uint64_t route[PLAN_ROUTES], user[PLAN_USERS], template[PLAN_TEMPLATES];
	uint64_t verb[VERB_COUNT], literal[LITERAL_KINDS], literals[PLAN_SLOTS + 1];
	uint64_t text_bytes[WORLD_TEXT_MAX]; /* rows whose statement has so many bytes */
	size_t sessions;                     /* different session numbers of the pool */
	double bits[WORLD_FIELD_COUNT];      /* the entropy floor */
	/* what queries ask for, picked from what was written */
	char request_id[40], user_top[48], user_middle[48];
	char needle[64]; /* a literal that one statement has: a text with a GUID, or an address */
};

/* Writes the data set. Returns 0 and *out_shape (about 60 KB), or ERR_NOMEM, or what the sink said. */
int world_write(const struct world_options *options, const struct world_sink *sink,
		struct world_shape *out_shape, struct error *err);

/* The rows of the table of facts/store.md section 2 beside what was measured, one line each, marked where they differ by more than the
 * tolerance of the row, which widens for small sets. Returns how many differ. */
size_t world_check(const struct world_shape *shape, FILE *out);

/* floor.json: bits per field, their sum, events, raw bytes, and what queries may ask for. */
void world_put_floor(const struct world_shape *shape, const struct world_options *options,
		     FILE *out);

#endif
