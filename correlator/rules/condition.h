/* condition - how the searches of a rule are joined: `selection and not 1 of filter_*`.
 *
 * Grammar: or, and, not, "N of PATTERN", "all of them", parentheses; from the weakest to the strongest. A list of conditions is
 *          their OR. Words are the same in either case. Searches that begin with "_" are left out of `them` and of patterns that
 *          do not begin so.
 * Limits:  parentheses and nots nested 64 deep; N of M with at most 4,096 ways.
 * Threads: pure. Blocking: never. Source: Sigma 2.1.0, "Condition". Tests: tests/unit/rule-condition.c
 */
#ifndef CORRELATOR_RULES_CONDITION_H
#define CORRELATOR_RULES_CONDITION_H

#include "correlator/rules/search.h"

/* Reads the condition. Returns 0 or -ERR_CONFIG. */
int condition_read(struct rule_reader *reader, const struct yaml_node *node,
		   const struct searches *searches, const struct rule_node **out);

#endif
