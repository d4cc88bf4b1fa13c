/* search - the named searches of a rule's detection, lowered to trees.
 *
 * Shape:   a mapping is AND of its fields; a list is OR of its members: texts are keywords (one leaf for all of them), mappings are trees.
 * Threads: pure. Blocking: never. Source: Sigma 2.1.0, "Detection". Tests: tests/unit/rule-search.c
 */
#ifndef CORRELATOR_RULES_SEARCH_H
#define CORRELATOR_RULES_SEARCH_H

#include "correlator/rules/reader.h"

struct search {
	struct str name;
	const struct rule_node *node;
};

struct searches {
	struct search *items; /* in file order; in the scratch arena */
	size_t count;
};

/* Reads all members of detection but the condition. Returns 0 or -ERR_CONFIG. */
int searches_read(struct rule_reader *reader, const struct yaml_node *detection,
		  struct searches *out);

#endif
