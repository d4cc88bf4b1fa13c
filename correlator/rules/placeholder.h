/* placeholder - `field|expand: %name%`: values with a list's members in the place of its name.
 *
 * Rules:   \% is a plain percent sign; % without a name and a second % is plain too. Several names in one value give every combination.
 *          A list that is not configured, or is empty, makes the rule idle: its reason stands in the rule.
 * Threads: pure. Blocking: never. Source: Sigma 2.1.0, "Placeholders". Tests: tests/unit/rule-placeholder.c
 */
#ifndef CORRELATOR_RULES_PLACEHOLDER_H
#define CORRELATOR_RULES_PLACEHOLDER_H

#include "correlator/rules/pattern.h"

/* The patterns of a text: one, or one for each combination of list members. None when the rule becomes idle. */
int placeholder_patterns(struct rule_reader *reader, const struct yaml_node *node,
			 struct patterns *out);

/* The same for texts that are no patterns (re, cidr): every text is kept in *out, *out_count of them. With regex the members are quoted,
 * but for their wildcards. */
int placeholder_texts(struct rule_reader *reader, const struct yaml_node *node, bool regex,
		      struct str **out, size_t *out_count);

#endif
