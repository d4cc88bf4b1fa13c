/* need - what an event must hold for a condition to be true: the strings and values by which candidates are found.
 *
 * Shape:   of alternatives all are needed, of conditions that hold together the rarest. Negations need nothing.
 * Threads: pure. Blocking: never. Tests: tests/unit/need.c
 */
#ifndef CORRELATOR_RULES_NEED_H
#define CORRELATOR_RULES_NEED_H

#include "correlator/rules/compiled.h"

/* What an item needs. Returns 0 or ERR_NOMEM. */
int need_of_item(struct ruleset *ruleset, const struct item *item, struct need *out_need,
		 struct error *err);

/* What a node needs whose children's needs are set. Returns 0 or ERR_NOMEM. */
int need_of_tree(struct ruleset *ruleset, const struct tree *tree, struct need *out_need,
		 struct error *err);

#endif
