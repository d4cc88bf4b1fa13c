/* ranks-list - what writer and reader of ranks share: the codes that a context used, in the order of their ranks.
 *
 * Shape:   at most RANKS_KEPT codes. By recency: a code that is used comes to the front. By frequency: it moves up before those that were
 *          used less often; a new one takes the last place of a full list, with one use. docs/format.md section 9.3.
 * Threads: a value. Blocking: never. Tests: tests/unit/ranks.c
 */
#ifndef STORE_BLOCK_RANKS_LIST_H
#define STORE_BLOCK_RANKS_LIST_H

#include "store/block/ranks.h"

/* The first byte of a column's description; without one: by recency, no escapes but the first of each context, escapes by novelty. */
enum ranks_kind { RANKS_BY_RECENCY = 0, RANKS_BY_FREQUENCY = 1, RANKS_PLAIN = 2 };

#define RANKS_AS_THEY_ARE  4u /* escapes are codes; else the distance below the next new code */
#define RANKS_PART_RANKS   1
#define RANKS_PART_ESCAPES 2

struct ranks_list {
	uint32_t code[RANKS_KEPT];
	uint32_t uses[RANKS_KEPT];
	unsigned count;
};

/* The rank of a code, or RANKS_KEPT. */
static inline unsigned ranks_list_find(const struct ranks_list *list, uint32_t code)
{
	unsigned rank = 0;
	while (rank < list->count && list->code[rank] != code) {
		rank++;
	}
	return rank < list->count ? rank : RANKS_KEPT;
}

/* By recency: the code of a rank > 0 comes to the front. */
static inline void ranks_list_recall(struct ranks_list *list, unsigned rank)
{
	uint32_t code = list->code[rank];
	for (unsigned k = rank; k > 0; k--) {
		list->code[k] = list->code[k - 1];
	}
	list->code[0] = code;
}

/* By recency: a new code. */
static inline void ranks_list_enter(struct ranks_list *list, uint32_t code)
{
	if (list->count < RANKS_KEPT) {
		list->count++;
	}
	list->code[list->count - 1] = code;
	ranks_list_recall(list, list->count - 1);
}

/* By frequency: the code of a rank was used once more. */
static inline void ranks_list_count(struct ranks_list *list, unsigned rank)
{
	uint32_t code = list->code[rank], uses = list->uses[rank] + 1;
	for (; rank > 0 && list->uses[rank - 1] < uses; rank--) {
		list->code[rank] = list->code[rank - 1];
		list->uses[rank] = list->uses[rank - 1];
	}
	list->code[rank] = code;
	list->uses[rank] = uses;
}

/* By frequency: a new code. */
static inline void ranks_list_append(struct ranks_list *list, uint32_t code)
{
	if (list->count < RANKS_KEPT) {
		list->count++;
	}
	list->code[list->count - 1] = code;
	list->uses[list->count - 1] = 0;
	ranks_list_count(list, list->count - 1);
}

#endif
