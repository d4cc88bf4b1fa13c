/* item - one test of a rule, compiled.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/rule-item.c
 */
#ifndef CORRELATOR_RULES_ITEM_H
#define CORRELATOR_RULES_ITEM_H

#include "correlator/rules/compiled.h"

struct item_maker {
	struct ruleset *ruleset;
	struct strmap known; /* the content of an item: its place in the ruleset */
	struct buf content;
	enum log log; /* of the item that is made */
};

/* Prepares a maker for one ruleset. */
void item_maker_init(struct item_maker *maker, struct ruleset *ruleset);
void item_maker_done(struct item_maker *maker);

/* The place of an item in the ruleset, which is that of an equal one where there is one. Returns 0; ERR_CONFIG for a name that the log has
 * not, a wrong regular expression or network; ERR_NOMEM, ERR_LIMIT. */
int item_make(struct item_maker *maker, enum log log, const struct rule_item *from,
	      uint32_t *out_item, struct error *err);

/* How dear it is to run, roughly in units of one comparison. */
int item_cost(const struct ruleset *ruleset, const struct item *item);

#endif
