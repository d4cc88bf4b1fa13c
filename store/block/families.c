#include "store/block/families.h"

#include "base/hash.h"

#include <stdlib.h>

/* A member with the keys it is sorted by: of requests none; of statements their request's place; of verdicts their subject's. */
struct placed {
	struct member member;
	uint64_t under; /* row of the parent, or UINT64_MAX */
};

static unsigned rank_of(uint8_t kind)
{
	switch (kind) {
	case RECORD_REQUEST:
		return 0;
	case RECORD_STATEMENT:
		return 1;
	case RECORD_VERDICT:
		return 2;
	default:
		return 3;
	}
}

static int compare(const void *left, const void *right)
{
	const struct placed *a = left;
	const struct placed *b = right;
	unsigned rank_a = rank_of(a->member.kind);
	unsigned rank_b = rank_of(b->member.kind);
	if (rank_a != rank_b) {
		return rank_a < rank_b ? -1 : 1;
	}
	if (a->member.kind != b->member.kind) {
		return a->member.kind < b->member.kind ? -1 : 1;
	}
	if (a->under != b->under) {
		return a->under < b->under ? -1 : 1;
	}
	if (rank_a == 1 && a->member.time_ns != b->member.time_ns) {
		return a->member.time_ns < b->member.time_ns ? -1 : 1;
	}
	if (rank_a == 2 && a->member.revision != b->member.revision) {
		return a->member.revision < b->member.revision ? -1 : 1;
	}
	return (a->member.leaf > b->member.leaf) - (a->member.leaf < b->member.leaf);
}

struct laying {
	struct placed *placed;
	size_t count;
	size_t run[5];      /* where the members of each rank begin, and the end */
	struct u64map rows; /* leaf of a request or statement -> its row, as far as it is known */
	struct u64map standing; /* leaf of a statement -> index of its newest verdict in placed */
};

static int remember_rows(struct laying *laying, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		int rc = u64map_put(&laying->rows, laying->placed[i].member.leaf, i);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static bool is_newer(const struct member *a, const struct member *b)
{
	return a->revision != b->revision ? a->revision > b->revision : a->leaf > b->leaf;
}

/* The newest verdict of each statement. */
static int find_standing(struct laying *laying)
{
	for (size_t i = laying->run[2]; i < laying->run[3]; i++) {
		const struct member *verdict = &laying->placed[i].member;
		if (verdict->statement_leaf == FAMILIES_NO_LEAF) {
			continue;
		}
		const uint64_t *known = u64map_get(&laying->standing, verdict->statement_leaf);
		if (known != NULL && !is_newer(verdict, &laying->placed[*known].member)) {
			continue;
		}
		int rc = u64map_put(&laying->standing, verdict->statement_leaf, i);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static uint64_t row_of(const struct laying *laying, uint64_t leaf)
{
	const uint64_t *row = leaf != FAMILIES_NO_LEAF ? u64map_get(&laying->rows, leaf) : NULL;
	return row != NULL ? *row : UINT64_MAX;
}

static void put_statements_under(struct laying *laying)
{
	for (size_t i = laying->run[1]; i < laying->run[2]; i++) {
		struct placed *statement = &laying->placed[i];
		const uint64_t *standing = u64map_get(&laying->standing, statement->member.leaf);
		uint64_t request = standing != NULL ? laying->placed[*standing].member.request_leaf
						    : FAMILIES_NO_LEAF;
		uint64_t row = row_of(laying, request);
		statement->under = row < laying->run[1] ? row : UINT64_MAX;
	}
}

static void put_verdicts_under(struct laying *laying)
{
	for (size_t i = laying->run[2]; i < laying->run[3]; i++) {
		struct placed *verdict = &laying->placed[i];
		bool on_statement = verdict->member.statement_leaf != FAMILIES_NO_LEAF;
		uint64_t row = row_of(laying, on_statement ? verdict->member.statement_leaf
							   : verdict->member.request_leaf);
		bool fits = on_statement ? row >= laying->run[1] && row < laying->run[2]
					 : row < laying->run[1];
		verdict->under = fits ? row : UINT64_MAX;
	}
}

static void sort_run(struct laying *laying, unsigned rank)
{
	size_t count = laying->run[rank + 1] - laying->run[rank];
	if (count > 1) {
		qsort(laying->placed + laying->run[rank], count, sizeof laying->placed[0], compare);
	}
}

static void find_runs(struct laying *laying)
{
	size_t counts[4] = {0};
	for (size_t i = 0; i < laying->count; i++) {
		counts[rank_of(laying->placed[i].member.kind)]++;
	}
	for (unsigned rank = 0; rank < 4; rank++) {
		laying->run[rank + 1] = laying->run[rank] + counts[rank];
	}
}

static int lay_out(struct laying *laying)
{
	if (laying->count >
	    1) { /* all are under nothing yet: by rank, then as far as each rank's own order goes */
		qsort(laying->placed, laying->count, sizeof laying->placed[0], compare);
	}
	find_runs(laying);
	int rc = remember_rows(laying, 0, laying->run[1]);
	rc = rc < 0 ? rc : find_standing(laying);
	if (rc < 0) {
		return rc;
	}
	put_statements_under(laying);
	sort_run(laying, 1);
	rc = remember_rows(laying, laying->run[1], laying->run[2]);
	if (rc < 0) {
		return rc;
	}
	put_verdicts_under(laying);
	sort_run(laying, 2);
	return 0;
}

int families_lay_out(struct member *members, size_t count, uint32_t *out_parents)
{
	struct laying laying = {.count = count};
	laying.placed = malloc((count + 1) * sizeof laying.placed[0]);
	if (laying.placed == NULL) {
		return -ERR_NOMEM;
	}
	u64map_init(&laying.rows, SIZE_MAX / 64);
	u64map_init(&laying.standing, SIZE_MAX / 64);
	for (size_t i = 0; i < count; i++) {
		laying.placed[i] = (struct placed){members[i], UINT64_MAX};
	}
	int rc = lay_out(&laying);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		members[i] = laying.placed[i].member;
		out_parents[i] = laying.placed[i].under < FAMILIES_NO_ROW
					 ? (uint32_t)laying.placed[i].under
					 : FAMILIES_NO_ROW;
	}
	u64map_done(&laying.rows);
	u64map_done(&laying.standing);
	free(laying.placed);
	return rc;
}
