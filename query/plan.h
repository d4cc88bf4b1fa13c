/* plan - a filter made ready to run: tests per side, and a tree over their results.
 *
 * Shape:   an atom is one term's test on one side of a trail (a term that looks at both sides has two). The results of all atoms are
 *          the bits of one word, so that a statement, its verdict and its request can be read at different moments and put
 *          together by OR.
 * Time:    bounds that hold for every match (time>2h, --since) narrow the scan.
 * Limits:  PLAN_ATOMS_MAX atoms.
 * Life:    borrows the query and its arena.
 * Threads: read-only once made. Blocking: never.
 * Tests:   tests/unit/plan.c
 */
#ifndef QUERY_PLAN_H
#define QUERY_PLAN_H

#include "query/match.h"

#define PLAN_ATOMS_MAX   64
#define PLAN_TABLE_ATOMS 6 /* a plan of at most so many atoms is a table of one word */

struct atom {
	enum side side;
	unsigned field[WORD_PLACES_MAX];
	size_t field_count;
	struct match match;
};

struct plan {
	const struct query *query;
	struct atom atom[PLAN_ATOMS_MAX];
	size_t atom_count;
	uint64_t term_bits[QUERY_TERMS_MAX]; /* per term: the atoms that make it true */
	uint64_t side_bits[8];               /* per enum side: its atoms */
	uint64_t pending_bits;  /* verdict atoms that a statement without a verdict makes true */
	int64_t from_ns, to_ns; /* half-open; INT64_MIN and INT64_MAX: all */
	unsigned grades;        /* option --grade; all bits: any */
	bool lone_requests; /* the filter asks for U2, so requests without a statement are rows too */
	uint64_t table;     /* bit x: what plan_holds says of the atoms x; of small plans only */
};

struct plan_options {
	int64_t from_ns, to_ns; /* --since, --until; INT64_MIN and INT64_MAX: none */
	unsigned grades;        /* --grade; 0: any */
	struct match_context context;
};

/* Makes a plan. Returns 0, ERR_USAGE (with place), ERR_LIMIT or ERR_NOMEM. */
int plan_make(const struct query *query, const struct plan_options *options, struct plan *out_plan,
	      struct error *err);

/* Texts that a regular expression of the plan gave up on, so far: they may match. */
uint64_t plan_given_up(const struct plan *plan);

/* Whether a trail with these atoms true is a match of the filter. --grade and the time bounds are not part of it. */
bool plan_holds_tree(const struct plan *plan, uint64_t true_atoms);
static inline bool plan_holds(const struct plan *plan, uint64_t true_atoms)
{
	return plan->atom_count <= PLAN_TABLE_ATOMS ? (plan->table >> true_atoms & 1u) != 0
						    : plan_holds_tree(plan, true_atoms);
}

/* Whether a grade passes --grade. */
static inline bool plan_grade(const struct plan *plan, enum grade grade)
{
	return (plan->grades >> grade & 1u) != 0;
}

/* Whether a time lies within the bounds. */
static inline bool plan_time(const struct plan *plan, int64_t ns)
{
	return ns >= plan->from_ns && (ns < plan->to_ns || plan->to_ns == INT64_MAX);
}

/* The atoms of one side that a record makes true. */
uint64_t plan_record_atoms(const struct plan *plan, enum side side, const struct record *record,
			   uint64_t leaf);

/* The row's own words (time, leaf) of a row that is a request without a statement. */
uint64_t plan_lone_atoms(const struct plan *plan, int64_t time_ns, uint64_t leaf);

#endif
