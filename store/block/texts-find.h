/* texts-find - which texts hold a needle, by templates first.
 *
 * States:  a set of states is a 64-bit word: bit k (1..len) is set when the last k bytes are the first k of the needle; bit len: found.
 *          Bytes move all states at once (Baeza-Yates, Gonnet: "A new approach to text searching", 1992). What a chunk of fixed bytes or a
 *          word does to any set is found once (a step); what a slot may do at most follows from the bytes it can hold (its reach).
 * Plan:    of each template and sub-pattern: the steps of its chunks, and which slots can matter when no state comes in.
 * Threads: one per thread. Tests: tests/unit/texts-find.c
 */
#ifndef STORE_BLOCK_TEXTS_FIND_H
#define STORE_BLOCK_TEXTS_FIND_H

#include "store/block/texts-reader.h"

#define FIND_NEEDLE_MAX \
	63 /* bytes of a needle that are looked for by states; more are compared at the end */

/* What a run of bytes does to states: tail comes from within it; a state that goes through it is moved by shift and must be in hold; one
 * in accept is found within it. */
struct find_step {
	uint64_t tail, hold, accept;
	unsigned shift; /* 0..63; no state goes through a longer run */
	bool holds_all; /* the needle stands within it */
};

/* What a slot or sub-pattern may do at most. */
struct find_reach {
	uint64_t states; /* that it may leave behind */
	bool found;
};

/* How a slot can matter when no state comes in. */
enum { FIND_DEAD = 0, FIND_INSIDE = 1, FIND_ACROSS = 2 };

struct find_plan {
	struct find_step *steps; /* of each chunk; NULL: not made yet */
	uint8_t *alive;          /* of each slot */
	uint32_t *next; /* of each chunk: the first one from it on where something can begin */
	struct find_reach reach; /* of a sub-pattern, from no state */
	uint8_t ids;             /* ids that can matter when no state comes in, as bits */
	bool more;               /* so can something else */
	bool certain;            /* of a template: fixed bytes hold the needle: so do all texts */
	bool possible;           /* of a template: some value may make one hold it */
};

struct find {
	struct texts *texts;
	const struct texts_needle *needle;
	struct arena arena;
	size_t len;                              /* of what is looked for by states */
	size_t whole;                            /* of all that is looked for */
	struct byteset classes[FIND_NEEDLE_MAX]; /* that the bytes are of */
	uint64_t found;                          /* the state of len bytes */
	uint64_t least;      /* a number that holds the whole needle is at least this */
	uint64_t moves[256]; /* of each byte: the states that it leads to */
	struct find_plan *roots, *subs;
	struct find_reach any_sub;              /* of all sub-patterns together, from no state */
	struct find_step *words;                /* of each word; NULL: not made yet */
	uint64_t words_to[FIND_NEEDLE_MAX + 1]; /* from each state, through some word */
	uint64_t words_accept;                  /* states that some word ends */
	struct str id_bytes;                    /* that stand in ids, 256 bits each */
	bool words_found;                       /* some word holds it */
	struct find_reach reaches[16][256];     /* of each kind and argument from no state */
	bool has_reach[16][256];
	uint64_t *rows; /* that may match */
	uint8_t *
		live_ids; /* of each row: the ids of its family that leave states behind, as bits; NULL: none can */
	struct error *err;
};

static inline uint64_t find_move(const struct find *find, uint64_t states, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		states = ((states | 1) << 1) & find->moves[(uint8_t)bytes.ptr[i]];
		if ((states & find->found) != 0) {
			return find->found;
		}
	}
	return states;
}

/* States behind the bytes of a step. */
static inline uint64_t find_apply(const struct find *find, const struct find_step *step,
				  uint64_t states)
{
	if (step->holds_all || (states & step->accept) != 0) {
		return find->found;
	}
	return step->tail | (states << step->shift & step->hold);
}

/* Whether any of the states goes on through the bytes of a step. */
static inline bool find_survives(const struct find_step *step, uint64_t states)
{
	return (states & step->accept) != 0 || (states << step->shift & step->hold) != 0;
}

/* texts_find with an automaton. */
int texts_walk(struct texts *texts, const struct texts_needle *needle, uint64_t *out_rows,
	       struct error *err);

/* Begins: makes the moves. Returns 0 or -ERR_NOMEM. */
int find_init(struct find *find, struct texts *texts, const struct texts_needle *needle,
	      struct error *err);
void find_done(struct find *find);

/* What bytes do to states. */
struct find_step find_step(const struct find *find, struct str bytes);

/* Makes the plans of all sub-patterns (reads them first). */
int find_plan_subs(struct find *find);

/* Makes the plan of a template. */
int find_plan_root(struct find *find, size_t code);

/* Moves states over text number `at` of a place; row is one whose family's ids count. */
struct find_at {
	const struct texts_place *place;
	const struct find_plan *plan;
	uint32_t at;
	size_t row;
};
int find_move_place(struct find *find, const struct find_at *where, uint64_t *states);

#endif
