/* families - the order of a block's rows: requests, their statements under them, verdicts under what they judge.
 *
 * Shape:   members in any order go in; out come the rows' order and the parent of each row, as store/block.h tells.
 *          A verdict's subject is the statement it names by leaf, else the request. A statement's request is the one that its verdict of the highest
 *          revision (then leaf) names.
 * Threads: pure. Blocking: never. Tests: tests/unit/block.c
 */
#ifndef STORE_BLOCK_FAMILIES_H
#define STORE_BLOCK_FAMILIES_H

#include "model/record.h"

#define FAMILIES_NO_LEAF UINT64_MAX
#define FAMILIES_NO_ROW  UINT32_MAX

struct member {
	uint64_t leaf;
	int64_t time_ns;
	uint64_t statement_leaf, request_leaf; /* of verdicts; FAMILIES_NO_LEAF: absent */
	int64_t revision;                      /* of verdicts */
	uint8_t kind;
	uint32_t index; /* the caller's: which of the records it is */
};

/* Sorts members into row order and writes the row of each one's request (statements) or subject (verdicts), else FAMILIES_NO_ROW.
 * Returns 0 or -ERR_NOMEM. */
int families_lay_out(struct member *members, size_t count, uint32_t *out_parents);

#endif
