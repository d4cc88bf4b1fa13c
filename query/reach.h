/* reach - all records that a filter means, with what belongs to them: for what is to be kept or erased whole.
 *
 * Shape:   the statements that match as for `querytrail who`, and requests without a statement that match by themselves; the requests that the standing verdicts of these statements name;
 *          all statements whose standing verdict names one of these requests; every verdict on any of them, and the alerts that rest on them.
 * Damage:  what cannot be read may hold more: it is counted and told, and the caller decides.
 * Memory:  that of run_plan, 16 bytes a run of leaves, 32 a statement of the requests.
 * Threads: one per thread. Blocking: disk. Tests: tests/unit/reach.c
 */
#ifndef QUERY_REACH_H
#define QUERY_REACH_H

#include "model/leafset.h"
#include "query/plan.h"
#include "store/store.h"

struct reach {
	struct leafset requests, statements, verdicts, alerts;
	int64_t from_ns,
		to_ns; /* first and last event time of requests and statements; INT64_MAX and INT64_MIN: there are none */
	uint64_t blocks, of_blocks;  /* sealed ones that hold a part of it, and all of them */
	uint64_t in_head;            /* records that are not sealed yet */
	uint64_t damaged;            /* blocks that could not be read */
	char damage[ERROR_TEXT_MAX]; /* the first of them */
};

/* Collects; *out_reach must be done either way.
 * Returns 0, ERR_IO, ERR_NOMEM or ERR_LIMIT. */
int reach_find(struct store *store, const struct plan *plan, struct reach *out_reach,
	       struct error *err);

/* Frees. */
void reach_done(struct reach *reach);

/* Adds all of it to a set. Returns 0 or ERR_NOMEM. */
int reach_add_to(const struct reach *reach, struct leafset *set, struct error *err);

#endif
