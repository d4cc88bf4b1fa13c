/* run - a plan over a store: which trails match, in order of time.
 *
 * Shape:   one pass over the coded columns, in whatever order the blocks come. A statement, request or verdict is represented by the atoms it makes true;
 *          a trail matches when those of its statement, of the statement's last verdict and of the request that the verdict
 *          names hold together. Only leaf numbers and times are kept; records are fetched later (query/trail.h).
 * Order:   rows by time, then statement id (then leaf), so that it does not depend on the order of commits.
 * Memory:  1 byte a record of the store (and 1 more per 8 atoms of a plan with more than two; query/marks.h), 40 a row.
 * Damage:  a block that cannot be read is left out and counted; the first one is described.
 * Threads: one run per thread. Blocking: disk.
 * Tests:   tests/unit/run.c
 */
#ifndef QUERY_RUN_H
#define QUERY_RUN_H

#include "query/plan.h"
#include "store/scan.h"

#define RUN_NO_LEAF     UINT64_MAX
#define RUN_GAPS_MAX    10000
#define RUN_DAMAGES_MAX 8 /* whose sentences are kept */

struct run_row {
	int64_t time_ns;
	uint64_t leaf;         /* of the statement, or of a request without one */
	uint64_t verdict_leaf; /* RUN_NO_LEAF: pending */
	uint64_t request_leaf; /* RUN_NO_LEAF: none */
	uint64_t id;           /* first bytes of the statement id; set among equal times only */
};

struct run_gap {
	char source[RECORD_SOURCE_MAX + 1];
	uint64_t leaf;
	int64_t from_ns, to_ns; /* INT64_MIN, INT64_MAX: unknown */
};

struct run_result {
	struct run_row *rows;
	size_t row_count;
	uint64_t statements
		[GRADE_COUNT]; /* all statements within the time bounds, by standing grade */
	struct run_gap *gaps;  /* that overlap the time bounds, in leaf order */
	size_t gap_count;      /* at most RUN_GAPS_MAX are in gaps */
	struct scan_stats stats;
	char damage[ERROR_TEXT_MAX]; /* the first damaged block; "" when there was none */
	char more_damage[RUN_DAMAGES_MAX - 1][ERROR_TEXT_MAX]; /* the next ones; stats counts all */
};

/* Counts a damage, and keeps its sentence if there is room. */
void run_result_note_damage(struct run_result *result, const struct error *what);

/* Runs the plan over a part of the blocks; trails lie in one part whole, but for requests, which are fetched from wherever they are.
 * Returns as run_plan. */
struct run_part {
	enum scan_blocks blocks;
	const uint64_t *apart; /* as of struct scan_options */
	size_t apart_count;
};
int run_plan_part(struct store *store, const struct plan *plan, const struct run_part *part,
		  struct run_result *out_result, struct error *err);

/* Runs the plan. Returns 0 and *out_result (to be cleared), ERR_IO, ERR_NOMEM or ERR_LIMIT. */
int run_plan(struct store *store, const struct plan *plan, struct run_result *out_result,
	     struct error *err);

/* Frees what a result holds. */
void run_result_clear(struct run_result *result);

#endif
