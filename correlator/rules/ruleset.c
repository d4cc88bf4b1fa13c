#include "correlator/rules/ruleset.h"

#include "correlator/rules/item.h"
#include "correlator/rules/need.h"
#include "correlator/rules/route.h"

#include <assert.h>
#include <stdlib.h>

#define RULESET_BYTES_MAX (512u << 20)

struct compiler {
	struct ruleset *ruleset;
	struct item_maker items;
	struct u64map trees; /* address of a rule_node: that of its tree, within one rule */
	const struct rule *rule;
	const struct rule_item *culprit; /* where a problem is */
	enum log log;
	bool needs_trail;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "there is no memory for the rules");
}

static void note_trail(struct compiler *compiler, uint32_t slot)
{
	compiler->needs_trail = compiler->needs_trail ||
				names_needs_trail(compiler->log, compiler->ruleset->slots[slot]);
}

static int compile_item(struct compiler *compiler, const struct rule_item *from, struct tree *tree,
			struct error *err)
{
	struct ruleset *ruleset = compiler->ruleset;
	const struct item *item;
	int result = item_make(&compiler->items, compiler->log, from, &tree->item, err);

	if (result != 0) {
		compiler->culprit = from;
		return result;
	}
	item = &ruleset->items[tree->item];
	note_trail(compiler, item->slot);
	for (size_t i = 0; i < item->value_count; i++) {
		if (item->values[i].op == RULE_OP_FIELDREF) {
			note_trail(compiler, item->values[i].other);
		}
	}
	tree->cost = item_cost(ruleset, item);
	return 0;
}

static int by_cost(const void *a, const void *b)
{
	const struct tree *const *x = a;
	const struct tree *const *y = b;

	return (*x)->cost < (*y)->cost ? -1 : (*x)->cost > (*y)->cost;
}

static int compile_node(struct compiler *compiler, const struct rule_node *node,
			struct tree **out_tree, struct error *err);

static int compile_children(struct compiler *compiler, const struct rule_node *node,
			    struct tree *tree, struct error *err)
{
	struct tree **children =
		arena_calloc(&compiler->ruleset->arena, node->child_count, sizeof(struct tree *));

	if (children == NULL) {
		return no_memory(err);
	}
	for (size_t i = 0; i < node->child_count; i++) {
		int result = compile_node(compiler, node->children[i], &children[i], err);

		if (result != 0) {
			return result;
		}
		if (tree->cost < 1000000000) {
			tree->cost += children[i]->cost;
		}
	}
	qsort(children, node->child_count, sizeof(struct tree *), by_cost);
	tree->children = children;
	tree->child_count = node->child_count;
	return 0;
}

/* A node that conditions share is compiled once, and remembered once per event. */
static int compile_node(struct compiler *compiler, const struct rule_node *node,
			struct tree **out_tree, struct error *err)
{
	struct ruleset *ruleset = compiler->ruleset;
	const uint64_t *known = u64map_get(&compiler->trees, (uintptr_t)node);
	struct tree *tree;
	int result;

	if (known != NULL) {
		tree = (struct tree *)(uintptr_t)*known; /* NOLINT: kept as a number */
		if (tree->memo == 0) {
			tree->memo = (uint32_t)++ruleset->memo_count;
		}
		*out_tree = tree;
		return 0;
	}
	tree = arena_calloc(&ruleset->arena, 1, sizeof(*tree));
	if (tree == NULL) {
		return no_memory(err);
	}
	tree->type = node->type;
	result = node->type == RULE_ITEM ? compile_item(compiler, node->item, tree, err)
					 : compile_children(compiler, node, tree, err);
	if (result == 0) {
		result = need_of_tree(ruleset, tree, &tree->need, err);
	}
	if (result == 0 && u64map_put(&compiler->trees, (uintptr_t)node, (uintptr_t)tree) != 0) {
		result = no_memory(err);
	}
	*out_tree = tree;
	return result;
}

/* Makes what is wrong with a rule a problem of the pack. */
static int refuse(struct compiler *compiler, const struct error *why, struct error *err)
{
	const struct rule_item *item = compiler->culprit;
	struct pack_problem problem = {.file = compiler->rule->file,
				       .line = item != NULL ? item->line : compiler->rule->line,
				       .column = item != NULL ? item->column : 0,
				       .text = why->text};

	return pack_refuse(compiler->ruleset->pack, compiler->rule, &problem, err);
}

static int compile_rule(struct compiler *compiler, const struct rule *rule, struct error *err)
{
	struct ruleset *ruleset = compiler->ruleset;
	struct compiled_rule *compiled = &ruleset->rules[ruleset->rule_count];
	struct error why;
	int result;

	error_clear(&why);
	compiler->rule = rule;
	compiler->culprit = NULL;
	compiler->needs_trail = false;
	u64map_init(&compiler->trees, PACK_NODES_MAX + 1);
	result = names_log(rule, &compiler->log, &why);
	if (result == 0) {
		result = compile_node(compiler, rule->condition, &compiled->tree, &why);
	}
	u64map_done(&compiler->trees);
	if (result == -ERR_CONFIG) {
		return refuse(compiler, &why, err);
	}
	if (result != 0) {
		return no_memory(err);
	}
	compiled->rule = rule;
	compiled->log = compiler->log;
	compiled->stage = compiler->needs_trail || compiler->log == L_TRAIL ? RULES_STAGE_TRAIL
									    : RULES_STAGE_RECORD;
	ruleset->rule_count++;
	return 0;
}

static enum route_kind route_of(const struct compiled_rule *rule)
{
	if (rule->stage == RULES_STAGE_TRAIL) {
		return ROUTE_TRAIL;
	}
	switch (rule->log) {
	case L_SQL:
	case L_TRAIL:
		return ROUTE_SQL;
	case L_WEB:
	case L_AWS:
	case L_REQUEST:
		return ROUTE_REQUEST;
	case L_GAP:
		return ROUTE_GAP;
	case L_REJECT:
		return ROUTE_REJECT;
	case L_ACCESS:
		return ROUTE_ACCESS;
	case L_LIFECYCLE:
		return ROUTE_LIFECYCLE;
	}
	return ROUTE_SQL;
}

/* Divides the rules among the routes; those that wait for a list are in none. */
static int make_routes(struct ruleset *ruleset, struct error *err)
{
	for (unsigned kind = 0; kind < ROUTE_COUNT; kind++) {
		struct route *route = &ruleset->routes[kind];
		uint32_t *rules =
			arena_alloc(&ruleset->arena, ruleset->rule_count * sizeof(*rules));
		int result;

		if (rules == NULL) {
			return no_memory(err);
		}
		for (size_t i = 0; i < ruleset->rule_count; i++) {
			const struct compiled_rule *rule = &ruleset->rules[i];

			if (route_of(rule) == kind && !rule->rule->idle) {
				rules[route->rule_count++] = (uint32_t)i;
			}
		}
		route->rules = rules;
		result = route_make(ruleset, route, err);
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

static int compile_all(struct ruleset *ruleset, const struct rule **rules, size_t count,
		       struct error *err)
{
	struct compiler compiler = {.ruleset = ruleset};
	int result = 0;

	item_maker_init(&compiler.items, ruleset);
	for (size_t i = 0; i < count && result == 0; i++) {
		result = compile_rule(&compiler, rules[i], err);
	}
	item_maker_done(&compiler.items);
	return result != 0 ? result : make_routes(ruleset, err);
}

int ruleset_new(struct pack *pack, struct ruleset **out_ruleset, struct error *err)
{
	size_t count = pack_rule_count(pack);
	struct ruleset *ruleset = calloc(1, sizeof(*ruleset));
	const struct rule **rules = malloc((count + 1) * sizeof(struct rule *));
	int result = 0;

	if (ruleset == NULL) {
		free(rules);
		pack_free(pack);
		return no_memory(err);
	}
	ruleset->pack = pack;
	arena_init(&ruleset->arena, RULESET_BYTES_MAX);
	ruleset->hash_key = hash_key_random();
	ruleset->rules = calloc(count + 1, sizeof(*ruleset->rules));
	if (rules == NULL || ruleset->rules == NULL) {
		result = no_memory(err);
	} else {
		for (size_t i = 0; i < count; i++) { /* pack_refuse moves the others up */
			rules[i] = pack_rule(pack, i);
		}
		result = compile_all(ruleset, rules, count, err);
	}
	free(rules);
	if (result != 0) {
		ruleset_free(ruleset);
		return result;
	}
	*out_ruleset = ruleset;
	return 0;
}

void ruleset_free(struct ruleset *ruleset)
{
	if (ruleset == NULL) {
		return;
	}
	for (unsigned kind = 0; kind < ROUTE_COUNT; kind++) {
		route_done(&ruleset->routes[kind]);
	}
	for (size_t i = 0; i < ruleset->regex_count; i++) {
		regex_free(ruleset->regexes[i]);
	}
	free(ruleset->regexes);
	free(ruleset->slots);
	free(ruleset->items);
	free(ruleset->rules);
	arena_done(&ruleset->arena);
	pack_free(ruleset->pack);
	free(ruleset);
}

const struct pack *ruleset_pack(const struct ruleset *ruleset)
{
	return ruleset->pack;
}

bool ruleset_has_stage(const struct ruleset *ruleset, enum rules_stage stage)
{
	for (unsigned kind = 0; kind < ROUTE_COUNT; kind++) {
		bool is_trail = kind == ROUTE_TRAIL;

		if (ruleset->routes[kind].rule_count != 0 &&
		    is_trail == (stage == RULES_STAGE_TRAIL)) {
			return true;
		}
	}
	return false;
}

enum rules_stage ruleset_stage(const struct ruleset *ruleset, const struct rule *rule)
{
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		if (ruleset->rules[i].rule == rule) {
			return ruleset->rules[i].stage;
		}
	}
	return RULES_STAGE_RECORD;
}
