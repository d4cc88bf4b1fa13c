/* texts-find - which texts hold a needle, by templates first.
 *
 * States:  a set of states is a 64-bit word: bit k (1..len) is set when the last k bytes are the first k of the needle; bit len: found.
 *          Bytes move all states at once (Baeza-Yates, Gonnet: "A new approach to text searching", 1992). What a chunk of fixed bytes does
 *          to any set is found once; what a slot may do is bounded by the bytes it can hold.
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

struct find {
	struct texts *texts;
	const struct texts_needle *needle;
	size_t len;                             /* of what is looked for by states */
	uint64_t moves[256];                    /* of each byte: the states that it leads to */
	uint64_t *rows;                         /* that may match */
	uint64_t words_to[FIND_NEEDLE_MAX + 1]; /* from each state, through some word */
	uint64_t words_accept;                  /* states that some word ends */
	bool words_found;                       /* some word holds it */
	bool has_words;
	struct find_reach *sub_reach; /* of each sub-pattern from no state */
	uint8_t *has_sub_reach;
	struct error *err;
};

static inline uint64_t find_move(const struct find *find, uint64_t states, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		states = ((states | 1) << 1) & find->moves[(uint8_t)bytes.ptr[i]];
		if ((states >> find->len & 1) != 0) {
			return (uint64_t)1 << find->len;
		}
	}
	return states;
}

/* Begins: makes the moves. */
void find_init(struct find *find, struct texts *texts, const struct texts_needle *needle);
void find_done(struct find *find);

/* What bytes do to states. */
struct find_step find_step(const struct find *find, struct str bytes);

/* States behind the bytes of a step; bit len: found. */
static inline uint64_t find_apply(const struct find *find, const struct find_step *step,
				  uint64_t states)
{
	if (step->holds_all || (states & step->accept) != 0) {
		return (uint64_t)1 << find->len;
	}
	return step->tail | (states << step->shift & step->hold);
}

/* What a slot that is no TEXT, or a sub-pattern, may do to states. */
int find_slot_reach(struct find *find, struct pattern_slot slot, uint64_t states,
		    struct find_reach *out);
int find_sub_reach(struct find *find, size_t sub, uint64_t states, struct find_reach *out);

#endif
