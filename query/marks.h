/* marks - what a running question knows of each leaf: one byte, and the event times of the newest ones.
 *
 * Shape:   a byte a leaf holds what the record is, whether it is a row of the answer, and the standing grade; the atoms of a plan
 *          with at most two stand in it too, those of a larger plan in bytes beside it. Fresh pages are what a short question
 *          pays most for, so nothing wider is kept per leaf: a cache holds the times of the leaves that were met last,
 *          and those that a row needs and that are gone from it are read again at the end.
 * Threads: one struct marks per thread. Blocking: never.
 * Tests:   tests/unit/marks.c
 */
#ifndef QUERY_MARKS_H
#define QUERY_MARKS_H

#include "query/plan.h"

#define MARKS_RECENT       65536 /* a power of two; more than the statements of a block */
#define MARKS_TIME_UNKNOWN INT64_MIN
#define MARKS_INLINE_ATOMS 2
#define MARKS_KIND         3u /* enum mark */
#define MARKS_ROW          4u
#define MARKS_GRADE_SHIFT  3 /* three bits of enum grade */
#define MARKS_GRADE        (7u << MARKS_GRADE_SHIFT)
#define MARKS_ATOMS_SHIFT  6

enum mark {
	MARK_NONE,    /* nothing that is asked for, or not met yet */
	MARK_REQUEST, /* outside the time bounds */
	MARK_REQUEST_IN_RANGE,
	MARK_STATEMENT, /* within the time bounds */
};

struct marks_time {
	uint64_t leaf;
	int64_t time_ns;
};

struct marks {
	uint64_t leaf_count;
	uint8_t *mark;             /* per leaf */
	uint8_t *bits;             /* per leaf, bits_size bytes each */
	size_t bits_size;          /* 0: the atoms stand in the marks */
	struct marks_time *recent; /* of leaf l at l % MARKS_RECENT; NULL before the first */
};

struct marks_block {
	const uint64_t *leaves; /* each below leaf_count */
	size_t row_count;
	const uint8_t *kinds;
	const int64_t *times;
};

/* All leaves without a mark. Returns 0 or ERR_NOMEM; marks_done frees in both cases. */
int marks_init(struct marks *marks, uint64_t leaf_count, size_t atom_count);
void marks_done(struct marks *marks);

/* Marks the statements within the plan's time bounds, and the requests, of a block. */
void marks_add_block(struct marks *marks, const struct plan *plan, const struct marks_block *block);

/* Keeps the times of a block's statements and requests, in place of those of others. */
void marks_keep_times(struct marks *marks, const struct marks_block *block);

/* The event time of a leaf, or MARKS_TIME_UNKNOWN. */
int64_t marks_time(const struct marks *marks, uint64_t leaf);

/* What the leaf is; MARK_NONE past the end. */
static inline enum mark marks_kind(const struct marks *marks, uint64_t leaf)
{
	return leaf < marks->leaf_count ? (enum mark)(marks->mark[leaf] & MARKS_KIND) : MARK_NONE;
}

/* The atoms of a leaf, and adding to them. */
static inline uint64_t marks_bits(const struct marks *marks, uint64_t leaf)
{
	if (marks->bits_size == 0) {
		return (uint64_t)marks->mark[leaf] >> MARKS_ATOMS_SHIFT;
	}
	const uint8_t *at = marks->bits + leaf * marks->bits_size;
	uint64_t bits = 0;
	for (size_t i = 0; i < marks->bits_size; i++) {
		bits |= (uint64_t)at[i] << (8 * i);
	}
	return bits;
}

static inline void marks_add_bits(struct marks *marks, uint64_t leaf, uint64_t bits)
{
	if (marks->bits_size == 0) {
		marks->mark[leaf] |= (uint8_t)(bits << MARKS_ATOMS_SHIFT);
		return;
	}
	uint8_t *at = marks->bits + leaf * marks->bits_size;
	for (size_t i = 0; i < marks->bits_size; i++) {
		at[i] |= (uint8_t)(bits >> (8 * i));
	}
}

static inline enum grade marks_grade(const struct marks *marks, uint64_t leaf)
{
	return (enum grade)((marks->mark[leaf] & MARKS_GRADE) >> MARKS_GRADE_SHIFT);
}

static inline void marks_set_grade(struct marks *marks, uint64_t leaf, enum grade grade)
{
	marks->mark[leaf] = (uint8_t)((marks->mark[leaf] & ~MARKS_GRADE) |
				      (unsigned)grade << MARKS_GRADE_SHIFT);
}

#endif
