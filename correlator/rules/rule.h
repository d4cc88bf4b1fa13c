/* rule - one Sigma detection rule, read and lowered to a tree of tests.
 *
 * Shape:   a rule is texts for people, a logsource, and one tree. Leaves test one field (or, as keywords, all of the event's texts).
 *          What modifiers say about encodings (base64, base64offset, wide, utf16*, windash), about expand and about where a text stands
 *          (contains, startswith, endswith) is worked into the values, so a leaf knows few operations.
 *          `x of` and patterns of names are worked into AND and OR. Nodes may be shared.
 * Source:  Sigma specification 2.1.0 (sigma-rules, sigma-modifiers). Life: everything of a rule lives in its rule_pack.
 * Threads: read-only once read. Tests: tests/unit/rule-*.c, tests/fuzz/rule.c
 */
#ifndef CORRELATOR_RULES_RULE_H
#define CORRELATOR_RULES_RULE_H

#include "base/str.h"

#include <stdint.h>

struct yaml_node;

enum rule_op {
	RULE_OP_GLOB,  /* the whole value fits the pattern; keywords come with "*" on both ends */
	RULE_OP_REGEX, /* found anywhere in the value; PCRE2 */
	RULE_OP_CIDR,  /* an address within the network */
	RULE_OP_LT,    /* as numbers */
	RULE_OP_LTE,
	RULE_OP_GT,
	RULE_OP_GTE,
	RULE_OP_EQUALS,   /* as numbers: a plain number in the file, or a part of a time */
	RULE_OP_NULL,     /* the field is absent, or empty */
	RULE_OP_EXISTS,   /* number 1: the field is present; 0: it is not */
	RULE_OP_FIELDREF, /* like the text of another field of the event */
};

enum rule_part { /* of a time, before the comparison */
		 RULE_PART_NONE,
		 RULE_PART_MINUTE,
		 RULE_PART_HOUR,
		 RULE_PART_DAY,
		 RULE_PART_WEEK,
		 RULE_PART_MONTH,
		 RULE_PART_YEAR,
};

/* A pattern as codes: a byte, or one of these. */
#define RULE_ANY_TEXT 256 /* "*": any bytes, none too */
#define RULE_ANY_BYTE 257 /* "?": one character */

#define RULE_REGEX_FOLD      1u /* re|i */
#define RULE_REGEX_MULTILINE 2u /* re|m */
#define RULE_REGEX_DOTALL    4u /* re|s */

#define RULE_REF_STARTS 1u /* fieldref|startswith: the field begins with the other's text */
#define RULE_REF_ENDS   2u
#define RULE_REF_HOLDS  3u /* contains */

struct rule_value {
	enum rule_op op;
	const uint16_t *glob; /* GLOB */
	size_t glob_len;
	struct str
		text; /* REGEX, CIDR: as written; FIELDREF: the other field's name; GLOB and EQUALS: as written, to be shown */
	unsigned flags; /* REGEX: RULE_REGEX_*; FIELDREF: 0 or RULE_REF_* */
	double number;  /* LT .. EQUALS, EXISTS */
	unsigned
		alternative; /* values of one item with the same alternative count come from one value of the file (base64offset):
				 within `all` one of them is enough */
};

struct rule_item {
	struct str field; /* as written; empty: keyword, any text of the event */
	bool all;         /* every value must match, else one is enough */
	bool negated;     /* neq: none may match */
	bool cased;       /* letters are not folded */
	enum rule_part part;
	const struct rule_value *values;
	size_t value_count;
	int line, column;
};

enum rule_node_type { RULE_AND, RULE_OR, RULE_NOT, RULE_ITEM };

struct rule_node {
	enum rule_node_type type;
	const struct rule_node *const *children; /* AND, OR: at least 1; NOT: 1 */
	size_t child_count;
	const struct rule_item *item; /* ITEM */
};

struct rule_example { /* our own `querytrail: examples:`; fields of one event: texts, or lists of texts */
	bool fires;
	struct str name;
	const struct yaml_node *fields; /* a mapping from field name to value (base/yaml.h) */
	int line;
};

struct rule {
	struct str id; /* the file's; "name" or the file's name when it has none */
	struct str name, title, description, status, author, date;
	int severity; /* 1 informational .. 5 critical; level: of the file */
	struct str category, product, service; /* logsource; empty when not given */
	const struct str *tags;
	size_t tag_count;
	const struct str *falsepositives;
	size_t falsepositive_count;
	struct str explanation, next_steps; /* of `querytrail:`; may be empty */
	const struct rule_example *examples;
	size_t example_count;
	const struct rule_node *condition;
	const char *file; /* for messages */
	int line;         /* of the rule's detection */
	bool idle; /* it asks for a list (expand) that the configuration does not give: loaded, never fires */
	struct str idle_reason;
};

#endif
