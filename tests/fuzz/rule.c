/* Any bytes as a rule file: rules or problems with a place and a sentence, in bounded time, never a crash; trees that hold what
 * correlator/rules/rule.h promises. */
#include "base/yaml.h"
#include "correlator/rules/pack.h"

#include <assert.h>

/* libfyaml 0.7 loses a buffer at some syntax errors; that is not ours to find. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct rule_value *value)
{
	assert(value->op <= RULE_OP_FIELDREF);
	for (size_t i = 0; i < value->glob_len; i++) {
		assert(value->glob[i] <= RULE_ANY_BYTE);
	}
	assert(value->op != RULE_OP_GLOB || value->glob != NULL);
}

static void check_item(const struct rule_item *item, bool idle)
{
	assert(item != NULL && (item->value_count > 0 || idle));
	assert(item->part <= RULE_PART_YEAR && item->line > 0 && item->column > 0);
	for (size_t i = 0; i < item->value_count; i++) {
		check_value(&item->values[i]);
		assert(i == 0 || item->values[i].alternative >= item->values[i - 1].alternative);
	}
}

/* Shared nodes make the walk longer than the tree: it stops after some steps. */
static void check_node(const struct rule_node *node, bool idle, size_t *steps)
{
	if (++*steps > 100000) {
		return;
	}
	assert(node != NULL);
	switch (node->type) {
	case RULE_ITEM:
		check_item(node->item, idle);
		return;
	case RULE_NOT:
		assert(node->child_count == 1);
		break;
	case RULE_AND:
	case RULE_OR:
		assert(node->child_count >= 1);
		break;
	}
	for (size_t i = 0; i < node->child_count; i++) {
		check_node(node->children[i], idle, steps);
	}
}

static void check_rule(const struct rule *rule)
{
	size_t steps = 0;
	assert(rule->title.len > 0 || rule->title.ptr != NULL);
	assert(rule->id.len > 0 && rule->severity >= 1 && rule->severity <= 5);
	assert(rule->category.len + rule->product.len + rule->service.len > 0 || rule->idle ||
	       rule->category.ptr != NULL || rule->product.ptr != NULL ||
	       rule->service.ptr != NULL);
	assert(!rule->idle || rule->idle_reason.len > 0);
	for (size_t i = 0; i < rule->example_count; i++) {
		assert(rule->examples[i].fields->type == YAML_MAPPING);
	}
	check_node(rule->condition, rule->idle, &steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str values[] = {{"dbo.T", 5}, {"a*\\?", 4}};
	static const struct pack_list lists[] = {{{"list", 4}, values, 2},
						 {{"none", 4}, values, 0}};
	static const struct str disabled[] = {{"off*", 4}};
	struct pack_options options = {.lists = lists,
				       .list_count = 2,
				       .disabled = disabled,
				       .disabled_count = 1,
				       .example_lists = size % 2 == 1};
	struct pack *pack = NULL;
	struct error err = {0};
	if (pack_parse("fuzz.yml", str_make(data, size), &options, &pack, &err) != 0) {
		assert(err.text[0] != '\0');
		return 0;
	}
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		check_rule(pack_rule(pack, i));
	}
	for (size_t i = 0; i < pack_problem_count(pack); i++) {
		const struct pack_problem *problem = pack_problem(pack, i);
		assert(problem->text[0] != '\0' && problem->line > 0 && problem->column > 0);
	}
	assert(pack_rule_count(pack) + pack_problem_count(pack) + pack_disabled_count(pack) > 0);
	pack_free(pack);
	return 0;
}
