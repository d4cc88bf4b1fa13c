/* modifier - the words behind a field name: `field|contains|all`.
 *
 * Rules:   transformations are kept in their order; what a chain cannot mean is a fault that names both modifiers.
 * Threads: pure. Blocking: never. Source: Sigma 2.1.0, appendix of modifiers. Tests: tests/unit/rule-modifier.c
 */
#ifndef CORRELATOR_RULES_MODIFIER_H
#define CORRELATOR_RULES_MODIFIER_H

#include "correlator/rules/reader.h"

#define MODIFIERS_MAX 8

/* What is done to a text, in order. */
enum modifier_step {
	STEP_CONTAINS,
	STEP_STARTSWITH,
	STEP_ENDSWITH,
	STEP_WINDASH,
	STEP_BASE64,
	STEP_BASE64OFFSET,
	STEP_UTF16,
	STEP_UTF16LE,
	STEP_UTF16BE,
};

/* What a value is. */
enum modifier_kind {
	KIND_PLAIN, /* text with wildcards, a number, true, false or null */
	KIND_REGEX,
	KIND_CIDR,
	KIND_COMPARE, /* lt lte gt gte, or a part of a time */
	KIND_EXISTS,
	KIND_FIELDREF,
};

struct modifiers {
	struct str field;
	enum modifier_kind kind;
	enum rule_op compare; /* KIND_COMPARE: LT .. GTE, or EQUALS */
	enum rule_part part;
	unsigned flags; /* RULE_REGEX_* or RULE_REF_* */
	enum modifier_step steps[MODIFIERS_MAX];
	size_t step_count;
	bool all, negated, cased, expand;
};

/* Reads the key of a node. Returns 0 or -ERR_CONFIG. */
int modifiers_read(struct rule_reader *reader, const struct yaml_node *node, struct modifiers *out);

/* The word of a step, for messages. */
const char *modifier_step_name(enum modifier_step step);

#endif
