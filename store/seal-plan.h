/* seal-plan - which records go into which block: families from what verdicts say, cut into blocks.
 *
 * Family:  a request, the statements whose newest verdict names it (highest revision, then highest leaf), and the verdicts on all of
 *          them. What has no family among the items is a single: a statement with its verdicts, a verdict, any other record.
 * Waiting: a request later than settled_ns without a final verdict of its own; a statement later than judged_ns whose newest verdict is not final;
 *          a statement whose request, and a verdict whose subject, is elsewhere. A family waits when one of its records does.
 * Order:   families by the leaf of their request; each single before the first family that is later; those past the last one at the end.
 * Cuts:    between families, at the limits; a family with more rows than fit is taken apart (its statements become singles, if need be the verdicts
 *          too). What waits goes into blocks of its own behind the others, marked is_open; so does a small rest of what does not
 *          wait. With close there is one order for all, and a block with anything that waits is marked.
 * Threads: pure. Blocking: never. Tests: tests/unit/seal-plan.c
 */
#ifndef STORE_SEAL_PLAN_H
#define STORE_SEAL_PLAN_H

#include "base/error.h"
#include "model/record.h"

#define SEAL_NO_LEAF UINT64_MAX

/* A record to be laid out. */
struct seal_item {
	uint64_t leaf;
	int64_t time_ns;
	uint64_t subject; /* of a verdict: the leaf that it is about; else SEAL_NO_LEAF */
	uint64_t request; /* of a verdict: the leaf that it names; else SEAL_NO_LEAF */
	uint32_t input;   /* the batch or block that holds it, and where; the caller's */
	uint32_t row;
	uint32_t revision; /* of a verdict */
	uint8_t kind;
	bool is_final; /* of a verdict */
};

/* Leaves first..last. */
struct seal_range {
	uint64_t first, last;
};

struct seal_limits {
	size_t requests, rows;         /* of a block; both >= 1 */
	int64_t settled_ns, judged_ns; /* as in struct seal_order */
	bool close;
	const struct seal_range *
		elsewhere; /* where records wait that are not among the items; rising, not overlapping */
	size_t elsewhere_count;
};

struct seal_cut {
	size_t first, count; /* in order */
	size_t requests;
	bool is_open;
};

struct seal_plan {
	uint32_t *order; /* indexes of items, block by block; within a block as the items came */
	size_t count;
	struct seal_cut *blocks;
	size_t block_count;
};

/* Plans. Returns 0, ERR_CORRUPT (two items have one leaf: it is named) or ERR_NOMEM; then *out_plan is untouched. */
int seal_plan_make(const struct seal_item *items, size_t count, const struct seal_limits *limits,
		   struct seal_plan *out_plan, struct error *err);
void seal_plan_done(struct seal_plan *plan);

/* Whether a block of so many requests and rows is a small one: fewer than half of what it may hold. */
bool seal_is_small(const struct seal_limits *limits, size_t requests, size_t rows);

/* Sorts ranges and joins those that touch or overlap; returns how many are left. */
size_t seal_ranges_join(struct seal_range *ranges, size_t count);

#endif
