/* joining - the join together with what is sealed: what it starts with, when sealed records are looked at again, when they are forgotten.
 *
 * Start:   the head is replayed into the join. Sealed records that the head's verdicts changed, and statements so young that the last word may
 *          not be said, are given back.
 * Visits:  an open block is gone through when the watermarks have passed it: what has no final verdict yet gets it. After JOINING_VISITED
 *          records visits wait until what was said of them is sealed and they are forgotten, so that memory stays bounded.
 * Memory:  past JOINING_RECORDS records more than at the last look the join forgets what is sealed.
 * Threads: the writer's. Blocking: disk. Source: docs/decisions.md "Forgetting and recalling". Tests: tests/simulation/sealed-keeper.c
 */
#ifndef CORRELATOR_JOINING_H
#define CORRELATOR_JOINING_H

#include "base/hash.h"
#include "correlator/outside.h"
#include "store/recall.h"

#define JOINING_RECORDS 65536
#define JOINING_VISITED \
	32768 /* records that visits give back before they wait for a seal, and of one block at a time */
#define JOINING_LATER \
	262144 /* so many ids are looked up later together, and the rest when all is there */
#define JOINING_PUT_OFF 24 /* with more blocks than these */
#define JOINING_NEAR_NS (2 * 3600 * INT64_C(1000000000))

struct joining_named { /* a verdict of the head on a statement */
	uint64_t statement, request;
	int64_t revision;
};

struct joining {
	struct join *join;
	struct recall *recall; /* borrowed; NULL: nothing is sealed */
	uint64_t end;          /* lower leaves are sealed */
	struct u64map visited; /* what blocks were visited for, by their numbers */
	bool lone; /* there is a source of statements: a request may be said to be without one */
	size_t visits_max;     /* JOINING_VISITED */
	uint64_t half_visited; /* the number of a block, or 0; and the row to go on from */
	uint32_t half_row;
	unsigned half_now;  /* as in visited */
	size_t visits;      /* records that visits gave back and that are still here, at most */
	size_t most_visits; /* the largest that it was */
	bool waits;         /* a visit is due, but there is too much in memory */
	size_t kept;        /* records in the join after the last forgetting */
	int64_t reach_ns;   /* clock offsets and slack */
	int64_t provisional_ns;
	int64_t final_ns, said_ns; /* what the watermarks have passed, finally and provisionally */
	struct outside_later later;
	struct joining_named *named;
	size_t named_count, named_room;
};

/* Makes an empty join beside what is sealed. recall is borrowed and may be NULL. Returns as join_new. */
int joining_init(struct joining *joining, const struct join_options *options, struct recall *recall,
		 uint64_t end, struct error *err);
void joining_done(struct joining *joining);

/* Takes in a verdict of the head. Returns as join_restore. */
int joining_restore(struct joining *joining, uint64_t leaf, const struct record *verdict,
		    struct error *err);

/* The head is replayed: gives back what it changed of sealed records. */
int joining_started(struct joining *joining, int64_t statements_ns, struct error *err);

/* The watermarks, as join_settle. */
void joining_settle(struct joining *joining, int64_t requests_ns, int64_t statements_ns);

/* When join_take gives nothing: answers what the join wants, or else visits a block that is due. *out_again: take again. */
int joining_answer(struct joining *joining, bool *out_again, struct error *err);

/* Leaves below end are sealed now; outside of a transaction. */
int joining_sealed(struct joining *joining, uint64_t end, struct error *err);

/* Visits wait, but nothing can be sealed: they go on all the same. */
void joining_go_on(struct joining *joining);

/* Forgets when there is much to forget. */
int joining_forget(struct joining *joining, struct error *err);

#endif
