/* matcher-part - a matcher's insides: between matcher.c, evaluate.c, matched.c and try.c.
 *
 * Tests: tests/unit/{matcher,rule-evaluate,rule-matched,rule-try}.c
 */
#ifndef CORRELATOR_RULES_MATCHER_PART_H
#define CORRELATOR_RULES_MATCHER_PART_H

#include "correlator/rules/compiled.h"
#include "correlator/rules/values.h"

struct slot_state {
	uint32_t epoch; /* of the event whose values these are */
	struct values values;
};

struct override { /* of matcher_try: values given in place of those made */
	struct name_ref ref;
	struct values values;
};

#define OVERRIDES_MAX 64

struct matcher {
	const struct ruleset *ruleset;
	struct values_maker values;
	struct regex_scratch *regex;
	uint32_t epoch; /* counts events; never 0 while one is looked at */
	struct slot_state *slots;
	uint32_t *item_memo; /* 2 * epoch + result */
	uint32_t *tree_memo;
	uint64_t *candidates;
	struct buf line;
	struct override overrides[OVERRIDES_MAX];
	size_t override_count;
	bool failed; /* memory was out: what follows is not to be trusted */
	struct matcher_figures figures;
};

/* What made an item true: a value, and the part of it that did. */
struct witness {
	const struct value *value; /* NULL: that there is none */
	size_t start, len;
};

/* The values of a slot for the present event; none when memory is out. */
struct values matcher_slot(struct matcher *matcher, uint32_t slot);

/* Turns to an event, which is borrowed. */
void matcher_begin(struct matcher *matcher, const struct rules_event *event);

/* Whether a condition (an item) holds for the present event. */
bool evaluate_tree(struct matcher *matcher, const struct tree *tree);
bool evaluate_item(struct matcher *matcher, uint32_t item);

/* Finds what makes an item true. False when it is not, or when it is true because nothing matches (neq). */
bool evaluate_witness(struct matcher *matcher, uint32_t item, struct witness *out_witness);

/* The line that says which tests of a condition did it; until the next. */
struct str matched_line(struct matcher *matcher, const struct tree *tree);

#endif
