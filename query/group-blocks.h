/* group-blocks - groups out of sealed blocks whose trails can be judged by themselves: from their summaries where that is enough, else from their columns.
 *
 * Threads: one at a time. Blocking: disk. Tests: tests/unit/group.c, tests/integration/
 */
#ifndef QUERY_GROUP_BLOCKS_H
#define QUERY_GROUP_BLOCKS_H

#include "query/group.h"

/* Finds the whole blocks of which something was said anew elsewhere: they count as not whole. lone: requests without a statement matter too. Numbers are appended to out as uint64_t.
 * Returns 0, ERR_IO or ERR_NOMEM. */
int group_blocks_apart(struct store *store, bool lone, struct buf *out, struct error *err);

/* Counts the trails of all whole blocks that are not apart; adds to result what was looked at, what was damaged and the statements by grade.
 * Returns 0, ERR_IO, ERR_NOMEM or ERR_LIMIT. */
struct group_ask {
	struct store *store;
	const struct plan *plan;
	const struct run_part *part; /* of the other blocks: those that are apart count there */
};
int group_blocks_run(struct group_set *groups, const struct group_ask *ask,
		     struct run_result *result, struct error *err);

#endif
