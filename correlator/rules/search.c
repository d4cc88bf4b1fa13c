#include "correlator/rules/search.h"

#include "correlator/rules/literal.h"

static int keep_item(struct rule_reader *reader, const struct modifiers *modifiers,
		     struct place place, const struct literals *values,
		     const struct rule_node **out)
{
	struct rule_item *item = rule_reader_new(reader, 1, sizeof(*item));
	struct rule_value *kept = rule_reader_new(reader, values->count + 1, sizeof(*kept));
	struct rule_node *node = rule_reader_node(reader, place, RULE_ITEM, 0);
	if (node == NULL) {
		return -ERR_CONFIG;
	}
	if (item == NULL || kept == NULL ||
	    arena_str(reader->arena, modifiers->field, &item->field) != 0) {
		return rule_reader_full(reader, place);
	}
	if (values->count != 0) {
		memcpy(kept, values->items, values->count * sizeof(*kept));
	}
	item->all = modifiers->all;
	item->negated = modifiers->negated;
	item->cased = modifiers->cased;
	item->part = modifiers->part;
	item->values = kept;
	item->value_count = values->count;
	item->line = place.line;
	item->column = place.column;
	node->item = item;
	*out = node;
	return 0;
}

/* One field with its value or values. */
static int read_field(struct rule_reader *reader, const struct yaml_node *node,
		      const struct rule_node **out)
{
	struct modifiers modifiers;
	struct literals values = {0};
	unsigned alternative = 0;
	int result = modifiers_read(reader, node, &modifiers);
	if (result == 0 && node->type == YAML_MAPPING) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"a field takes a value or a list of values, not a mapping");
	}
	if (result == 0 && node->type == YAML_SCALAR) {
		result = literals_add(reader, &modifiers, node, 0, &values);
	}
	for (const struct yaml_node *one = node->first_child; one != NULL && result == 0;
	     one = one->next) {
		if (one->type != YAML_SCALAR) {
			return rule_reader_fail(reader, rule_reader_at(one),
						"a list of values holds texts and numbers only");
		}
		result = literals_add(reader, &modifiers, one, alternative++, &values);
	}
	if (result == 0 && values.count == 0 && !reader->rule->idle) {
		result = rule_reader_fail(reader, rule_reader_at(node),
					  "the list of values is empty");
	}
	return result == 0 ? keep_item(reader, &modifiers, rule_reader_at_key(node), &values, out)
			   : result;
}

static int read_mapping(struct rule_reader *reader, const struct yaml_node *node,
			const struct rule_node **out)
{
	if (node->child_count == 0) {
		return rule_reader_fail(reader, rule_reader_at(node), "a search without fields");
	}
	if (node->child_count == 1) {
		return read_field(reader, node->first_child, out);
	}
	struct rule_node *both =
		rule_reader_node(reader, rule_reader_at(node), RULE_AND, node->child_count);
	if (both == NULL) {
		return -ERR_CONFIG;
	}
	const struct rule_node **child = (const struct rule_node **)both->children;
	for (const struct yaml_node *one = node->first_child; one != NULL; one = one->next) {
		int result = read_field(reader, one, child++);
		if (result != 0) {
			return result;
		}
	}
	*out = both;
	return 0;
}

/* The texts of a list (or the one text) as one leaf. */
static int read_keywords(struct rule_reader *reader, const struct yaml_node *node,
			 const struct rule_node **out)
{
	struct modifiers modifiers = {.kind = KIND_PLAIN};
	struct literals values = {0};
	unsigned alternative = 0;
	int result = 0;
	if (node->type == YAML_SCALAR) {
		result = literals_add(reader, &modifiers, node, 0, &values);
	}
	for (const struct yaml_node *one = node->first_child; one != NULL && result == 0;
	     one = one->next) {
		if (one->type == YAML_SCALAR) {
			result = literals_add(reader, &modifiers, one, alternative++, &values);
		}
	}
	return result == 0 ? keep_item(reader, &modifiers, rule_reader_at(node), &values, out)
			   : result;
}

static int read_list(struct rule_reader *reader, const struct yaml_node *node,
		     const struct rule_node **out)
{
	size_t mapping_count = 0;
	for (const struct yaml_node *one = node->first_child; one != NULL; one = one->next) {
		if (one->type == YAML_SEQUENCE) {
			return rule_reader_fail(reader, rule_reader_at(one),
						"a list within a list");
		}
		mapping_count += one->type == YAML_MAPPING;
	}
	if (node->child_count == 0) {
		return rule_reader_fail(reader, rule_reader_at(node), "the list is empty");
	}
	if (mapping_count == 0) {
		return read_keywords(reader, node, out);
	}
	bool has_keywords = mapping_count < node->child_count;
	struct rule_node *either = rule_reader_node(reader, rule_reader_at(node), RULE_OR,
						    mapping_count + (has_keywords ? 1 : 0));
	if (either == NULL) {
		return -ERR_CONFIG;
	}
	const struct rule_node **child = (const struct rule_node **)either->children;
	int result = has_keywords ? read_keywords(reader, node, child++) : 0;
	for (const struct yaml_node *one = node->first_child; one != NULL && result == 0;
	     one = one->next) {
		if (one->type == YAML_MAPPING) {
			result = read_mapping(reader, one, child++);
		}
	}
	*out = either;
	return result;
}

static int read_search(struct rule_reader *reader, const struct yaml_node *node,
		       const struct rule_node **out)
{
	switch (node->type) {
	case YAML_MAPPING:
		return read_mapping(reader, node, out);
	case YAML_SEQUENCE:
		return read_list(reader, node, out);
	case YAML_SCALAR:
		if (yaml_is_null(node)) {
			return rule_reader_fail(reader, rule_reader_at_key(node),
						"the search is empty");
		}
		return read_keywords(reader, node, out);
	}
	return 0;
}

int searches_read(struct rule_reader *reader, const struct yaml_node *detection,
		  struct searches *out)
{
	struct search *items =
		arena_calloc(reader->scratch, detection->child_count + 1, sizeof(*items));
	size_t count = 0;
	if (items == NULL) {
		return rule_reader_full(reader, rule_reader_at(detection));
	}
	for (const struct yaml_node *child = detection->first_child; child != NULL;
	     child = child->next) {
		if (str_is(child->key, "condition")) {
			continue;
		}
		if (str_is(child->key, "timeframe")) {
			return rule_reader_fail(
				reader, rule_reader_at_key(child),
				"\"timeframe\" belongs to aggregations, which are not "
				"supported in detection rules");
		}
		items[count].name = child->key;
		int result = read_search(reader, child, &items[count++].node);
		if (result != 0) {
			return result;
		}
	}
	*out = (struct searches){.items = items, .count = count};
	return count != 0 ? 0
			  : rule_reader_fail(reader, rule_reader_at(detection),
					     "detection has no search");
}
