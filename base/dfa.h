/* dfa - a deterministic automaton: whether a text holds a match of a regular expression, byte by byte: a state after each, of a few.
 *
 * Shape:   positions (Glushkov), each a set of ASCII bytes; which may stand behind which, and which may begin and end a match, each given what
 *          stands around that place (struct dfa_around). The states of the deterministic automaton are made when they are first met.
 * Doubt:   a byte beyond ASCII leads to DFA_DOUBT, and so do more than DFA_STATES_MAX states: then the expression has to be
 *          asked in another way. DFA_FOUND, DFA_NEVER and DFA_DOUBT are never left.
 * Threads: one per thread. Blocking: never. Source: Glushkov, "The abstract theory of automata", 1961. Tests: tests/unit/expression-automaton.c
 */
#ifndef BASE_DFA_H
#define BASE_DFA_H

#include "base/byteset.h"
#include "base/str.h"

#define DFA_POSITIONS_MAX 64
#define DFA_STATES_MAX    512

/* What stands before and behind a place, as one of twelve bits: DFA_AROUND(before, behind). */
enum dfa_before { DFA_BEGIN, DFA_OTHER, DFA_WORD, DFA_NEWLINE };
#define DFA_BEFORE_COUNT           4
#define DFA_END                    DFA_BEGIN /* behind the last byte */
#define DFA_BEHIND_COUNT           3         /* a line feed is DFA_OTHER */
#define DFA_AROUND(before, behind) ((uint16_t)(1u << ((before)*DFA_BEHIND_COUNT + (behind))))
#define DFA_ALWAYS                 0xfffu

/* What an expression is: positions, and for each of the bits above who may be where. */
struct dfa_form {
	size_t count;
	struct byteset set[DFA_POSITIONS_MAX]; /* of a position */
	uint16_t first[DFA_POSITIONS_MAX];     /* bits: it may begin a match there */
	uint16_t last[DFA_POSITIONS_MAX];      /* .. end one */
	uint16_t follow[DFA_POSITIONS_MAX][DFA_POSITIONS_MAX];
	uint16_t empty; /* a match may be empty there */
	bool ends_a_line; /* it asks for an end, before which a line feed may stand: such texts are in doubt */
};

enum {
	DFA_DOUBT,
	DFA_FOUND,
	DFA_NEVER,
	DFA_FIRST, /* of the others */
	DFA_UNKNOWN = UINT16_MAX,
};

struct dfa_state {
	uint16_t to[128]; /* DFA_UNKNOWN: not made yet */
	uint64_t positions;
	uint8_t before;
};

struct dfa {
	uint64_t of_byte[128]; /* positions */
	uint64_t first[DFA_BEFORE_COUNT][DFA_BEHIND_COUNT];
	uint64_t last[DFA_BEFORE_COUNT][DFA_BEHIND_COUNT];
	uint64_t follow[DFA_BEFORE_COUNT][DFA_BEHIND_COUNT][DFA_POSITIONS_MAX];
	bool empty[DFA_BEFORE_COUNT][DFA_BEHIND_COUNT];
	bool starts_later; /* a match may begin behind the first byte */
	bool ends_a_line;
	uint8_t same_as[DFA_BEFORE_COUNT]; /* what may stand for it */
	uint8_t like[128];                 /* of each byte: the first one that does the same */
	uint8_t kinds[128];                /* those first ones */
	size_t kind_count;
	struct dfa_state *states;
	size_t state_count;
	uint16_t start; /* before the first byte */
};

/* Makes one. NULL without memory. */
struct dfa *dfa_new(const struct dfa_form *form);
void dfa_free(struct dfa *automaton);

/* Makes the state that a byte below 128 leads to; dfa_next is how to ask for it. */
uint16_t dfa_make(struct dfa *automaton, uint16_t state, uint8_t byte);

static inline uint16_t dfa_next(struct dfa *automaton, uint16_t state, uint8_t byte)
{
	if (byte >= 128) {
		return DFA_DOUBT;
	}
	uint16_t to = automaton->states[state].to[byte];
	return to != DFA_UNKNOWN ? to : dfa_make(automaton, state, byte);
}

/* The state behind some bytes. */
uint16_t dfa_run(struct dfa *automaton, uint16_t state, struct str bytes);

/* When the text ends in a state: FOUND, NEVER (no match) or DOUBT. */
uint16_t dfa_end(const struct dfa *automaton, uint16_t state);

#endif
