/* texts-walk - moving the automaton of an expression over the texts of a column: what a search knows.
 *
 * Plan:    what a chunk or a word does to a state is found once. A slot is looked at only where what it can hold makes a difference behind the
 *          chunk that follows it: for that, the states that it may lead to are found from what stands in such slots of the whole column.
 * Threads: one per thread. Tests: tests/unit/block-search.c
 */
#ifndef STORE_BLOCK_TEXTS_WALK_H
#define STORE_BLOCK_TEXTS_WALK_H

#include "base/dfa.h"
#include "store/block/texts-find.h"

#define WALK_KNOWN \
	32 /* states, the first ones, of which it is kept what chunks and words do to them */
#define WALK_KNOWN_ROOM (1u << 20) /* of that for all chunks, or for all words: fewer states then */
#define WALK_AROUND     32         /* states that a slot may lead to; past them it is looked at */
#define WALK_LOOK       (UINT16_MAX - 1)

/* The states that something may lead to. */
struct walk_set {
	bool is_any; /* or any */
	uint8_t count;
	uint16_t state[WALK_AROUND];
};

/* What is known of slots of a kind. */
struct walk_slot {
	bool is_beyond; /* bytes beyond ASCII may stand in them */
	uint8_t count;
	uint8_t byte[128]; /* that may, one of each kind that the automaton tells apart */
	struct walk_set *sets[DFA_STATES_MAX]; /* from each state; NULL: not made yet */
};

/* A template as far as it does the same in all rows. */
struct walk_root {
	uint32_t slot; /* the first one that is looked at */
	uint16_t state;
	bool is_decided;
};

struct walk_moves {
	uint16_t *to;
	size_t known; /* states of each */
};

struct walk {
	struct texts *texts;
	const struct texts_needle *needle;
	struct dfa *automaton;
	struct arena arena;
	uint32_t *root_chunk, *sub_chunk; /* the number of the first chunk of each */
	struct walk_moves behind_chunk;
	struct walk_moves behind_slot; /* and the chunk that follows it; WALK_LOOK: it depends */
	struct walk_moves behind_word;
	struct walk_slot *slots[16][256]; /* by kind and argument; NULL: not made yet */
	struct walk_root *roots;
	uint32_t family;                               /* whose ids are known */
	uint16_t behind_id[TEXTS_IDS_MAX][WALK_KNOWN]; /* of that family */
	struct error *err;
};

static inline bool walk_is_over(uint16_t state)
{
	return state < DFA_FIRST;
}

/* Makes room for what is known of count things. False without memory. */
bool walk_moves_init(struct walk_moves *moves, size_t count);

/* Where bytes lead to; kept (NULL: it is not) is where that is kept. */
uint16_t walk_move(struct walk *walk, uint16_t *kept, struct str bytes, uint16_t state);

/* Where a chunk leads to, by its number. */
uint16_t walk_chunk(struct walk *walk, uint32_t number, struct str chunk, uint16_t state);

/* Where a word leads to. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM, as the next does. */
int walk_word(struct walk *walk, size_t code, uint16_t *state);

/* Where a slot and the chunk behind it lead to, or WALK_LOOK: it depends. first_chunk: the number of the pattern's. */
struct walk_step {
	const struct pattern *pattern;
	uint32_t first_chunk;
	uint32_t slot;
};
int walk_slot_of_all(struct walk *walk, const struct walk_step *step, uint16_t state,
		     uint16_t *out_state);

#endif
