/* shape - records of the shape that real days have, made fast: for benchmarks only.
 *
 * Shape:   one request, then its statements (3.4 on average), times rising; 50 routes, 5,000 users and 240 sessions, Zipf-like; lines of
 *          about 790 bytes, rows of about 1,030 bytes, as facts about such logs give them.
 * Life:    a record borrows from the generator until the next call.
 * Threads: one generator per thread. Blocking: never.
 */
#ifndef TESTS_BENCH_SHAPE_H
#define TESTS_BENCH_SHAPE_H

#include "model/record.h"

#define SHAPE_USERS  5000
#define SHAPE_ROUTES 50

struct shape {
	uint64_t random;
	int64_t time_ns;
	uint64_t number; /* records made */
	unsigned statements_left;
	char ids[3][40]; /* request, extended, Lambda */
	char user[40], route[48], path[64], session[40];
	unsigned user_number, route_number, session_number;
	uint8_t key[16];
	char id[RECORD_ID_DIGITS + 1];
	struct buf raw, text, context;
};

/* Prepares a generator; start_ns is the first request's time. */
void shape_init(struct shape *shape, uint64_t seed, int64_t start_ns);
void shape_done(struct shape *shape);

/* Makes the next record. */
void shape_next(struct shape *shape, struct record *out_record);

/* The name of a user: 0 is the most frequent. */
void shape_user(unsigned number, char out[40]);

#endif
