/* past - records outside of the book: which of them must come back before something can be judged.
 *
 * Shape:   an id is whole when no request that bears it, no statement that carries it is outside. A session knows from when on all rows that
 *          may mark are in the book (marks_from_ns), from when on all rows are (rows_from_ns), and which marks govern where the
 *          former begins (its base).
 * Rules:   a statement may be judged when the requests of all ids that speak for it are in, its place lies behind marks_from_ns and its
 *          markers are known; a request that no statement names, when the statements of its ids are in. A row that marks and stands
 *          before rows_from_ns is hot until the rows that it may govern are in.
 * Threads: one book per thread. Blocking: never.
 * Source:  docs/decisions.md "Forgetting and recalling". Tests: tests/simulation/sealed-keeper.c, tests/simulation/join-property.c
 */
#ifndef CORRELATOR_JOIN_PAST_H
#define CORRELATOR_JOIN_PAST_H

#include "correlator/join/join.h"

struct book;
struct request;

struct session_past {
	int64_t marks_from_ns, rows_from_ns; /* as at_ns; INT64_MIN: nothing is outside */
	uint32_t base_write, base_replay;
	int64_t write_before_ns, replay_before_ns; /* how far back the base was looked for */
	unsigned cleared; /* bits 1 << by_info: cleared between there and marks_from_ns */
	unsigned asked;   /* bits of PAST_ASKED_ */
};

#define PAST_ASKED_MARKS  1U
#define PAST_ASKED_WRITE  2U
#define PAST_ASKED_REPLAY 4U

struct clock_interval {
	int64_t low_ns, high_ns; /* low <= high */
};

struct past_pair { /* what a forgotten pair says of the clock */
	uint64_t leaf;
	int64_t at_ns;
	struct clock_interval interval;
	uint16_t source;
};

struct past {
	bool any;     /* there are records outside */
	uint64_t end; /* of their leaves */
	struct join_want *wants;
	uint32_t *hot;   /* statements */
	uint32_t *found; /* of the BASE want that is being answered */
	struct past_pair *pairs;
	uint32_t want_count, want_capacity, hot_count, hot_capacity, found_count, found_capacity,
		pair_count, pair_capacity;
};

/* Works out what must come back before dirty statements can be judged, and requests that are ready for it. Sessions must be up to date.
 * Returns 0 or -ERR_NOMEM. */
int past_collect(struct book *book);

/* Forgets what is wanted. */
void past_clear_wants(struct book *book);

/* Whether a dirty request may be judged now. */
bool past_is_ready(const struct book *book, uint32_t request);

/* A statement's verdict names a request: what was said of the request alone before no longer stands. */
void past_cover(struct request *request, uint64_t verdict_leaf);

/* Links a statement to the request that its stored verdict names, as if it had been judged. Returns 0 or -ERR_NOMEM. */
int past_link(struct book *book, uint32_t statement);

/* Notes that a row marks: what it governs may be outside. Returns 0 or -ERR_NOMEM. */
int past_heat(struct book *book, uint32_t statement);

/* Notes a statement that came for a BASE want. Returns 0 or -ERR_NOMEM. */
int past_found(struct book *book, uint32_t statement);

/* A want is answered. Returns 0 or -ERR_NOMEM. */
int past_answer(struct book *book, const struct join_want *want, unsigned answer);

/* All that was put off has been looked up. */
void past_looked_up(struct book *book);

/* Keeps what a pair that is about to be forgotten says of the clock. Returns 0 or -ERR_NOMEM. */
int past_keep_pair(struct book *book, uint32_t statement);

/* Of each source the newest CLOCKS_PAIRS_MAX stay, so that a long past costs no more than a short one. */
void past_trim_pairs(struct past *past);

/* Frees the memory. */
void past_done(struct past *past);

#endif
