#include "correlator/rules/matcher-part.h"

struct values matcher_slot(struct matcher *matcher, uint32_t slot)
{
	struct slot_state *state = &matcher->slots[slot];
	struct name_ref ref = matcher->ruleset->slots[slot];

	if (state->epoch == matcher->epoch) {
		return state->values;
	}
	state->epoch = matcher->epoch;
	state->values = (struct values){NULL, 0};
	for (size_t i = 0; i < matcher->override_count; i++) {
		if (matcher->overrides[i].ref.kind == ref.kind &&
		    matcher->overrides[i].ref.what == ref.what) {
			state->values = matcher->overrides[i].values;
			return state->values;
		}
	}
	if (values_get(&matcher->values, ref, &state->values, NULL) != 0) {
		matcher->failed = true;
	}
	return state->values;
}

/* The text that an item compares: folded unless letters count. */
static struct str text_of(struct matcher *matcher, const struct item *item, struct value *value)
{
	if (item->cased) {
		return value->text;
	}
	if (value_fold(&matcher->values, value, NULL) != 0) {
		matcher->failed = true;
		return str_make(NULL, 0);
	}
	return value->folded;
}

static bool compare(enum rule_op op, double a, double b)
{
	switch (op) {
	case RULE_OP_LT:
		return a < b;
	case RULE_OP_LTE:
		return a <= b;
	case RULE_OP_GT:
		return a > b;
	case RULE_OP_GTE:
		return a >= b;
	case RULE_OP_EQUALS:
		return a == b;
	case RULE_OP_GLOB:
	case RULE_OP_REGEX:
	case RULE_OP_CIDR:
	case RULE_OP_NULL:
	case RULE_OP_EXISTS:
	case RULE_OP_FIELDREF:
		break;
	}
	return false;
}

static bool number_fits(const struct item *item, const struct item_value *wanted,
			const struct value *value)
{
	double number;
	int part;

	if (item->part != RULE_PART_NONE) {
		return value_part(value, item->part, &part) &&
		       compare(wanted->op, part, wanted->number);
	}
	return value_number(value, &number) && compare(wanted->op, number, wanted->number);
}

static bool texts_fit(unsigned how, struct str text, struct str other)
{
	switch (how) {
	case RULE_REF_STARTS:
		return str_has_prefix(text, other);
	case RULE_REF_ENDS:
		return str_has_suffix(text, other);
	case RULE_REF_HOLDS:
		return str_find(text, other, 0) >= 0;
	default:
		return str_equal(text, other);
	}
}

static bool reference_fits(struct matcher *matcher, const struct item *item,
			   const struct item_value *wanted, struct value *value)
{
	struct values others = matcher_slot(matcher, wanted->other);

	for (size_t i = 0; i < others.count; i++) {
		if (texts_fit(wanted->flags, text_of(matcher, item, value),
			      text_of(matcher, item, &others.first[i]))) {
			return true;
		}
	}
	return false;
}

static bool regex_fits(struct matcher *matcher, const struct item_value *wanted,
		       const struct value *value, struct witness *witness)
{
	struct str found = {NULL, 0};
	enum regex_result result = regex_search(wanted->regex, matcher->regex, value->text, &found);

	matcher->figures.regex_limits += result == REGEX_LIMIT ? 1 : 0;
	if (result == REGEX_YES && found.ptr != NULL && value->text.ptr != NULL) {
		witness->start = (size_t)(found.ptr - value->text.ptr);
		witness->len = found.len;
	}
	return result == REGEX_YES;
}

static bool value_fits(struct matcher *matcher, const struct item *item,
		       const struct item_value *wanted, struct value *value,
		       struct witness *witness)
{
	struct str text;

	switch (wanted->op) {
	case RULE_OP_GLOB:
		text = text_of(matcher, item, value);
		if (wanted->glob.kind == GLOB_HOLDS) {
			ptrdiff_t at = str_find(text, wanted->glob.literal, 0);

			witness->start = at < 0 ? 0 : (size_t)at;
			witness->len = wanted->glob.literal.len;
			return at >= 0;
		}
		return glob_match(&wanted->glob, text);
	case RULE_OP_REGEX:
		return regex_fits(matcher, wanted, value, witness);
	case RULE_OP_CIDR:
		return cidr_holds(&wanted->cidr, value->text);
	case RULE_OP_LT:
	case RULE_OP_LTE:
	case RULE_OP_GT:
	case RULE_OP_GTE:
	case RULE_OP_EQUALS:
		return number_fits(item, wanted, value);
	case RULE_OP_FIELDREF:
		return reference_fits(matcher, item, wanted, value);
	case RULE_OP_NULL:
		return value->text.len == 0;
	case RULE_OP_EXISTS:
		break;
	}
	return wanted->number != 0;
}

/* Whether one of the values fits; NULL and EXISTS look at whether there are any. */
static bool pattern_fits(struct matcher *matcher, const struct item *item,
			 const struct item_value *wanted, struct witness *witness)
{
	struct values values = matcher_slot(matcher, item->slot);

	*witness = (struct witness){NULL, 0, 0};
	if (values.count == 0) {
		return wanted->op == RULE_OP_NULL ||
		       (wanted->op == RULE_OP_EXISTS && wanted->number == 0);
	}
	for (size_t i = 0; i < values.count; i++) {
		witness->start = 0;
		witness->len = 0;
		if (value_fits(matcher, item, wanted, &values.first[i], witness)) {
			witness->value = &values.first[i];
			return true;
		}
	}
	return false;
}

/* Whether the item's patterns are found, as all or one of them; witness is that of the last one found. */
static bool is_found(struct matcher *matcher, const struct item *item, struct witness *witness)
{
	bool group = false;

	for (size_t i = 0; i < item->value_count; i++) {
		const struct item_value *wanted = &item->values[i];
		struct witness one;
		bool ends_group = i + 1 == item->value_count ||
				  item->values[i + 1].alternative != wanted->alternative;

		if (!group && pattern_fits(matcher, item, wanted, &one)) {
			*witness = one;
			group = true;
			if (!item->all || item->negated) {
				return true;
			}
		}
		if (ends_group && item->all && !item->negated) {
			if (!group) {
				return false;
			}
			group = false;
		}
	}
	return item->all && !item->negated && item->value_count != 0;
}

bool evaluate_item(struct matcher *matcher, uint32_t place)
{
	const struct item *item = &matcher->ruleset->items[place];
	uint32_t *memo = &matcher->item_memo[place];
	struct witness witness;
	bool result;

	if (*memo >> 1 == matcher->epoch) {
		return (*memo & 1) != 0;
	}
	result = is_found(matcher, item, &witness) != item->negated;
	*memo = matcher->epoch << 1 | (result ? 1 : 0);
	return result;
}

bool evaluate_witness(struct matcher *matcher, uint32_t place, struct witness *out_witness)
{
	const struct item *item = &matcher->ruleset->items[place];

	return !item->negated && is_found(matcher, item, out_witness);
}

static bool evaluate(struct matcher *matcher, const struct tree *tree)
{
	switch (tree->type) {
	case RULE_ITEM:
		return evaluate_item(matcher, tree->item);
	case RULE_NOT:
		return !evaluate_tree(matcher, tree->children[0]);
	case RULE_AND:
	case RULE_OR:
		break;
	}
	for (size_t i = 0; i < tree->child_count; i++) {
		if (evaluate_tree(matcher, tree->children[i]) == (tree->type == RULE_OR)) {
			return tree->type == RULE_OR;
		}
	}
	return tree->type == RULE_AND;
}

bool evaluate_tree(struct matcher *matcher, const struct tree *tree)
{
	uint32_t *memo;

	if (tree->memo == 0) {
		return evaluate(matcher, tree);
	}
	memo = &matcher->tree_memo[tree->memo - 1];
	if (*memo >> 1 != matcher->epoch) {
		bool result = evaluate(matcher, tree);

		*memo = matcher->epoch << 1 | (result ? 1 : 0);
	}
	return (*memo & 1) != 0;
}
