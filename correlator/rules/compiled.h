/* compiled - rules as the matcher runs them: between ruleset.c, which makes them, and matcher.c.
 *
 * Shape:   slots are the values that rules ask for; items are tests of a slot, one for equal tests of all rules; a tree is a condition.
 *          A route is the rules for one kind of event, with the filters that find candidates among them.
 * Life:    in the ruleset's arena. Threads: read-only once made. Tests: tests/unit/ruleset.c
 */
#ifndef CORRELATOR_RULES_COMPILED_H
#define CORRELATOR_RULES_COMPILED_H

#include "base/arena.h"
#include "base/hash.h"
#include "correlator/rules/automaton.h"
#include "correlator/rules/cidr.h"
#include "correlator/rules/glob.h"
#include "correlator/rules/names.h"
#include "correlator/rules/regex.h"
#include "correlator/rules/ruleset.h"

struct item_value {
	enum rule_op op;
	unsigned flags, alternative;
	double number;
	struct glob glob;
	struct regex *regex;
	struct cidr cidr;
	uint32_t other; /* FIELDREF: a slot */
	struct str text;
};

struct item {
	uint32_t slot;
	enum rule_part part;
	bool all, negated, cased;
	const struct item_value *values;
	size_t value_count;
	struct str field; /* as the first rule that has it writes it */
};

/* What must be in an event for a test to be true: one of the atoms. No atoms: nothing is known. */
enum atom_kind { ATOM_LITERAL, ATOM_TEXT, ATOM_NUMBER };

struct atom {
	enum atom_kind kind;
	uint32_t slot;
	struct str text; /* folded; of LITERAL at most NEED_LITERAL_MAX bytes */
	double number;
};

struct need {
	const struct atom *atoms;
	size_t atom_count;
	int score; /* the higher, the rarer */
};

struct tree {
	enum rule_node_type type;
	struct tree *const *children;
	size_t child_count;
	uint32_t item;
	uint32_t memo; /* 1 + place in the matcher's memo, or 0 */
	int cost;
	struct need need;
};

struct compiled_rule {
	const struct rule *rule;
	struct tree *tree;
	enum log log;
	enum rules_stage stage;
};

enum route_kind {
	ROUTE_SQL,
	ROUTE_REQUEST,
	ROUTE_GAP,
	ROUTE_REJECT,
	ROUTE_ACCESS,
	ROUTE_LIFECYCLE,
	ROUTE_TRAIL,
	ROUTE_COUNT,
};

struct rule_list { /* places in a route */
	const uint32_t *places;
	size_t count;
};

struct route_filter { /* of one slot */
	uint32_t slot;
	struct automaton *automaton;  /* its ids are places in lists */
	struct u64map texts, numbers; /* hash of a folded text, bits of a number: place in lists */
	uint64_t text_lengths;        /* bit l % 64: a text has l bytes */
	const struct rule_list *lists;
};

struct route {
	const uint32_t *rules; /* their places in the ruleset, rising */
	size_t rule_count;
	uint64_t *always; /* bits by place in rules: nothing tells whether they may match */
	struct route_filter *filters;
	size_t filter_count;
};

struct ruleset {
	struct pack *pack;
	struct arena arena;
	struct compiled_rule *rules;
	size_t rule_count;
	struct name_ref *slots;
	size_t slot_count, slot_capacity;
	struct item *items;
	size_t item_count, item_capacity;
	struct regex **regexes; /* to be freed */
	size_t regex_count, regex_capacity;
	size_t memo_count;
	struct hash_key hash_key;
	struct route routes[ROUTE_COUNT];
};

#define NEED_LITERAL_MAX 12

/* The slot of a value; made when there is none. Returns 0 or ERR_NOMEM. */
int ruleset_slot(struct ruleset *ruleset, struct name_ref ref, uint32_t *out_slot,
		 struct error *err);

#endif
