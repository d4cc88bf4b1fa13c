/* run-state - what a running question holds; for run.c (the pass), run-verdicts.c (what verdicts say) and run-rows.c (rows found) only.
 *
 * Order:   blocks come in no order of leaves: a verdict may be met before what it names. Such a one waits in `early`; a request
 *          that is not met at all (it lies outside the time bounds) is fetched at the end (`late`). Of several verdicts on one record the
 *          one with the highest revision stands, whichever is met first.
 * Tests:   tests/unit/run.c
 */
#ifndef QUERY_RUN_STATE_H
#define QUERY_RUN_STATE_H

#include "base/hash.h"
#include "query/block-atoms.h"
#include "query/marks.h"
#include "query/run.h"

struct late { /* a verdict whose request was not met in the scan */
	uint64_t leaf, verdict_leaf, request_leaf;
	uint64_t atoms; /* of the statement and the verdict */
};

struct said {                                                /* a verdict's row */
	uint64_t verdict_leaf, statement_leaf, request_leaf; /* RUN_NO_LEAF: absent */
	int64_t revision;
	enum grade grade;
	uint64_t bits;
};

/* Which verdicts a pass takes. When requests without a statement are asked for, those on requests come first. */
enum run_stage { RUN_ALL, RUN_ON_REQUESTS, RUN_ON_STATEMENTS };

struct run {
	struct store *store;
	const struct plan *plan;
	const struct run_part *part;
	struct run_result *result;
	struct block_atoms atoms;
	struct marks marks;
	struct u64map
		lone_of;  /* leaf of a request that is a row -> index in rows, of its last one */
	bool has_doubles; /* some rows do not count, or no longer */
	size_t row_room;
	struct late *late;
	size_t late_count, late_room;
	struct u64map late_of; /* leaf -> index in late */
	enum grade *grades;    /* of the dictionary at hand */
	size_t grade_room;
	struct scan_fetch *fetch; /* holds one snapshot for the whole question */
	struct u64map
		revision_of; /* leaf of what was judged more than once -> the highest revision met */
	enum run_stage stage;
	bool one_pass;      /* verdicts are read together with what they name */
	struct said *early; /* met before what they name */
	size_t early_count, early_room;
};

/* Makes *memory larger when it is full. Returns 0 or -ERR_NOMEM. */
int run_grow(void **memory, size_t *room, size_t count, size_t size);

/* Sets ERR_NOMEM in the words of the one who asked. */
int run_no_memory(struct error *err);

/* Makes the trail of leaf a row; in place of the row that it was, if it was one. */
int run_set_row(struct run *run, const struct run_row *row, struct error *err);

/* The row of leaf, if there is one, no longer counts; it keeps its place until the end. */
void run_unset_row(struct run *run, uint64_t leaf);

/* Leaves the rows that count, one of each leaf. */
void run_keep_rows(struct run *run);

/* Notes a damaged block. */
void run_note_damage(struct run *run, const struct error *err);

/* Takes the verdicts of a block. Returns 0, ERR_CORRUPT or ERR_NOMEM. */
int run_take_verdicts(struct run *run, const struct scan_block *block, struct error *err);

/* At the end of a pass: the verdicts that were met before what they name. */
int run_take_early(struct run *run, struct error *err);

/* At the end of all: trails whose request was not met. */
int run_take_late(struct run *run, struct error *err);

#endif
