#include "correlator/rules/document.h"

static const char *const own_names[] = {"explanation", "next_steps", "examples", "lists"};
static const char *const example_names[] = {"name", "fires", "event"};

/* The tree of a node, copied to stay: the YAML tree goes with its file. */
static int keep_tree(struct rule_reader *reader, const struct yaml_node *node,
		     struct yaml_node **out)
{
	struct yaml_node *copy = rule_reader_new(reader, 1, sizeof(*copy));
	if (copy == NULL) {
		return rule_reader_full(reader, rule_reader_at(node));
	}
	*copy = *node;
	copy->first_child = copy->last_child = copy->next = NULL;
	if (arena_str(reader->arena, node->key, &copy->key) != 0 ||
	    arena_str(reader->arena, node->text, &copy->text) != 0) {
		return rule_reader_full(reader, rule_reader_at(node));
	}
	struct yaml_node **end = &copy->first_child;
	for (const struct yaml_node *one = node->first_child; one != NULL; one = one->next) {
		int result = keep_tree(reader, one, end); /* as deep as base/yaml.h allows */
		if (result != 0) {
			return result;
		}
		copy->last_child = *end;
		end = &(*end)->next;
	}
	*out = copy;
	return 0;
}

static int unknown(struct rule_reader *reader, const struct yaml_node *node,
		   const char *const *names, size_t count)
{
	char hint[96];
	return rule_reader_fail(reader, rule_reader_at_key(node), "unknown field \"%.*s\"%s",
				STR_ARG(node->key),
				rule_reader_hint(node->key, names, count, hint));
}

static int read_event(struct rule_reader *reader, const struct yaml_node *event)
{
	if (event->type != YAML_MAPPING) {
		return rule_reader_fail(reader, rule_reader_at(event), "event must be a mapping");
	}
	for (const struct yaml_node *field = event->first_child; field != NULL;
	     field = field->next) {
		if (field->type == YAML_MAPPING) {
			return rule_reader_fail(
				reader, rule_reader_at(field),
				"a field of an event is a value or a list of values");
		}
		for (const struct yaml_node *one = field->first_child; one != NULL;
		     one = one->next) {
			if (one->type != YAML_SCALAR) {
				return rule_reader_fail(
					reader, rule_reader_at(one),
					"a field of an event is a value or a list of values");
			}
		}
	}
	return 0;
}

static int read_example(struct rule_reader *reader, const struct yaml_node *node,
			struct rule_example *out)
{
	const struct yaml_node *event = NULL, *fires = NULL;
	struct yaml_node *kept = NULL;
	int result = node->type == YAML_MAPPING
			     ? 0
			     : rule_reader_fail(reader, rule_reader_at(node),
						"an example is a mapping with fires and event");
	for (const struct yaml_node *one = node->first_child; one != NULL && result == 0;
	     one = one->next) {
		if (str_is(one->key, "event")) {
			event = one;
		} else if (str_is(one->key, "fires")) {
			fires = one;
		} else if (str_is(one->key, "name") && one->type == YAML_SCALAR) {
			result = rule_reader_keep(reader, one, &out->name);
		} else {
			result = unknown(reader, one, example_names, 3);
		}
	}
	if (result != 0) {
		return result;
	}
	if (fires == NULL || event == NULL) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"an example is a mapping with fires and event");
	}
	if (!fires->is_plain || (!str_is(fires->text, "true") && !str_is(fires->text, "false"))) {
		return rule_reader_fail(reader, rule_reader_at(fires), "fires is true or false");
	}
	out->fires = str_is(fires->text, "true");
	out->line = node->line;
	result = read_event(reader, event);
	result = result == 0 ? keep_tree(reader, event, &kept) : result;
	out->fields = kept;
	return result;
}

static int read_examples(struct rule_reader *reader, const struct yaml_node *node)
{
	if (node->type != YAML_SEQUENCE) {
		return rule_reader_fail(reader, rule_reader_at(node), "examples must be a list");
	}
	struct rule_example *examples =
		rule_reader_new(reader, node->child_count + 1, sizeof(*examples));
	if (examples == NULL) {
		return rule_reader_full(reader, rule_reader_at(node));
	}
	size_t count = 0;
	for (const struct yaml_node *one = node->first_child; one != NULL; one = one->next) {
		int result = read_example(reader, one, &examples[count++]);
		if (result != 0) {
			return result;
		}
	}
	reader->rule->examples = examples;
	reader->rule->example_count = count;
	return 0;
}

/* A text, or a list of texts one a line. */
static int read_lines(struct rule_reader *reader, const struct yaml_node *node, struct str *out)
{
	struct buf text;
	if (node->type == YAML_SCALAR) {
		return rule_reader_keep(reader, node, out);
	}
	if (node->type == YAML_MAPPING) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"%.*s must be a text or a list of texts",
					STR_ARG(node->key));
	}
	buf_init(&text, YAML_MAX_BYTES);
	int result = 0;
	for (const struct yaml_node *one = node->first_child; one != NULL && result == 0;
	     one = one->next) {
		if (one->type != YAML_SCALAR) {
			result = rule_reader_fail(reader, rule_reader_at(one),
						  "%.*s must be a text or a list of texts",
						  STR_ARG(node->key));
		}
		buf_put_text(&text, text.len != 0 ? "\n" : "");
		buf_put_str(&text, one->text);
	}
	if (result == 0 && (text.failed || arena_str(reader->arena, buf_str(&text), out) != 0)) {
		result = rule_reader_full(reader, rule_reader_at(node));
	}
	buf_done(&text);
	return result;
}

static int read_lists(struct rule_reader *reader, const struct yaml_node *node)
{
	if (node->type != YAML_MAPPING) {
		return rule_reader_fail(reader, rule_reader_at(node), "lists must be a mapping");
	}
	for (const struct yaml_node *list = node->first_child; list != NULL; list = list->next) {
		if (list->type != YAML_SEQUENCE) {
			return rule_reader_fail(reader, rule_reader_at(list),
						"the values of a list must be a list");
		}
		for (const struct yaml_node *one = list->first_child; one != NULL;
		     one = one->next) {
			if (one->type != YAML_SCALAR) {
				return rule_reader_fail(reader, rule_reader_at(one),
							"a list holds texts only");
			}
		}
	}
	reader->own_lists = node;
	return 0;
}

int document_read_own(struct rule_reader *reader, const struct yaml_node *own)
{
	int result = 0;
	for (const struct yaml_node *one = own->first_child; one != NULL && result == 0;
	     one = one->next) {
		if (str_is(one->key, "explanation")) {
			result = read_lines(reader, one, &reader->rule->explanation);
		} else if (str_is(one->key, "next_steps")) {
			result = read_lines(reader, one, &reader->rule->next_steps);
		} else if (str_is(one->key, "examples")) {
			result = read_examples(reader, one);
		} else if (str_is(one->key, "lists")) {
			result = read_lists(reader, one);
		} else {
			result = unknown(reader, one, own_names, 4);
		}
	}
	return result;
}
