#include "correlator/rules/document.h"

#include "correlator/rules/condition.h"

#include <stddef.h>

enum field_type { FIELD_TEXT, FIELD_TEXTS, FIELD_MAPPING, FIELD_ANY };

/* What Sigma 2.1.0 knows, and where it goes; no place: checked only. */
static const struct field {
	const char *name;
	enum field_type type;
	size_t text; /* offset of a struct str + 1, or 0 */
} fields[] = {
	{"title", FIELD_TEXT, offsetof(struct rule, title) + 1},
	{"id", FIELD_TEXT, offsetof(struct rule, id) + 1},
	{"name", FIELD_TEXT, offsetof(struct rule, name) + 1},
	{"description", FIELD_TEXT, offsetof(struct rule, description) + 1},
	{"status", FIELD_TEXT, offsetof(struct rule, status) + 1},
	{"author", FIELD_TEXT, offsetof(struct rule, author) + 1},
	{"date", FIELD_TEXT, offsetof(struct rule, date) + 1},
	{"modified", FIELD_TEXT, 0},
	{"license", FIELD_TEXT, 0},
	{"level", FIELD_TEXT, 0},
	{"taxonomy", FIELD_TEXT, 0},
	{"related", FIELD_ANY, 0},
	{"references", FIELD_TEXTS, 0},
	{"fields", FIELD_TEXTS, 0},
	{"falsepositives", FIELD_TEXTS, 0},
	{"tags", FIELD_TEXTS, 0},
	{"scope", FIELD_TEXTS, 0},
	{"logsource", FIELD_MAPPING, 0},
	{"detection", FIELD_MAPPING, 0},
	{"querytrail", FIELD_MAPPING, 0},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static const char *const levels[] = {"informational", "low", "medium", "high", "critical"};
static const char *const statuses[] = {"stable", "test", "experimental", "deprecated",
				       "unsupported"};

/* Documents that are no detection rules, by the key that tells them. */
static const struct {
	const char *key, *what;
} strangers[] = {
	{"correlation", "correlation rules are not supported by this version"},
	{"filter", "filters are not supported by this version"},
	{"action", "\"action\" (rule collections of Sigma 1) is not supported"},
	{"timeframe", "\"timeframe\" belongs to aggregations, which are not supported"},
};

static int check_type(struct rule_reader *reader, const struct field *field,
		      const struct yaml_node *node)
{
	switch (field->type) {
	case FIELD_ANY:
		return 0;
	case FIELD_TEXT:
		return node->type == YAML_SCALAR
			       ? 0
			       : rule_reader_fail(reader, rule_reader_at(node), "%s must be a text",
						  field->name);
	case FIELD_MAPPING:
		return node->type == YAML_MAPPING
			       ? 0
			       : rule_reader_fail(reader, rule_reader_at(node),
						  "%s must be a mapping", field->name);
	case FIELD_TEXTS:
		break;
	}
	if (node->type == YAML_MAPPING) {
		return rule_reader_fail(reader, rule_reader_at(node), "%s must be a list of texts",
					field->name);
	}
	for (const struct yaml_node *one = node->first_child; one != NULL; one = one->next) {
		if (one->type != YAML_SCALAR) {
			return rule_reader_fail(reader, rule_reader_at(one),
						"%s must be a list of texts", field->name);
		}
	}
	return 0;
}

/* A key that Sigma does not know is the writer's own, unless it looks like a slip. */
static int check_own_key(struct rule_reader *reader, const struct yaml_node *root,
			 const struct yaml_node *node)
{
	const char *missing[FIELD_COUNT];
	size_t count = 0;
	char hint[96];
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (yaml_child(root, fields[i].name) == NULL) {
			missing[count++] = fields[i].name;
		}
	}
	(void)rule_reader_hint(node->key, missing, count, hint); /* the text is what we look at */
	return hint[0] == '\0'
		       ? 0
		       : rule_reader_fail(reader, rule_reader_at_key(node),
					  "unknown field \"%.*s\"%s", STR_ARG(node->key), hint);
}

static int read_field(struct rule_reader *reader, const struct yaml_node *root,
		      const struct yaml_node *node)
{
	size_t i = 0;
	while (i < FIELD_COUNT && !str_is(node->key, fields[i].name)) {
		i++;
	}
	if (i == FIELD_COUNT) {
		return check_own_key(reader, root, node);
	}
	int result = yaml_is_null(node) ? 0 : check_type(reader, &fields[i], node);
	if (result != 0 || fields[i].text == 0 || yaml_is_null(node)) {
		return result;
	}
	return rule_reader_keep(reader, node,
				(struct str *)((char *)reader->rule + (fields[i].text - 1)));
}

/* One of a few words; 0 when the field is absent, else 1 + its index. */
static int read_choice(struct rule_reader *reader, const struct yaml_node *root,
		       const struct field *field, const char *const words[5])
{
	const struct yaml_node *node = yaml_child(root, field->name);
	char hint[96];
	if (node == NULL || yaml_is_null(node)) {
		return 0;
	}
	for (int i = 0; i < 5; i++) {
		if (str_is(node->text, words[i])) {
			return i + 1;
		}
	}
	return rule_reader_fail(reader, rule_reader_at(node), "unknown %s \"%.*s\"%s", field->name,
				STR_ARG(node->text), rule_reader_hint(node->text, words, 5, hint));
}

static int read_texts(struct rule_reader *reader, const struct yaml_node *node,
		      const struct str **out, size_t *out_count)
{
	if (node == NULL || yaml_is_null(node)) {
		return 0;
	}
	const struct yaml_node *one = node->type == YAML_SCALAR ? node : node->first_child;
	struct str *texts = rule_reader_new(reader, node->child_count + 1, sizeof(*texts));
	size_t count = 0;
	if (texts == NULL) {
		return rule_reader_full(reader, rule_reader_at(node));
	}
	for (; one != NULL; one = one == node ? NULL : one->next) {
		int result = rule_reader_keep(reader, one, &texts[count++]);
		if (result != 0) {
			return result;
		}
	}
	*out = texts;
	*out_count = count;
	return 0;
}

static int read_logsource(struct rule_reader *reader, const struct yaml_node *node)
{
	static const char *const names[] = {"category", "product", "service", "definition"};
	struct str *targets[] = {&reader->rule->category, &reader->rule->product,
				 &reader->rule->service};
	bool any = false;
	for (const struct yaml_node *one = node->first_child; one != NULL; one = one->next) {
		char hint[96];
		size_t i = 0;
		while (i < 4 && !str_is(one->key, names[i])) {
			i++;
		}
		if (i == 4) {
			(void)rule_reader_hint(one->key, names, 4, hint); /* only slips are told */
			if (hint[0] != '\0') {
				return rule_reader_fail(reader, rule_reader_at_key(one),
							"unknown logsource field \"%.*s\"%s",
							STR_ARG(one->key), hint);
			}
			continue;
		}
		if (one->type != YAML_SCALAR) {
			return rule_reader_fail(reader, rule_reader_at(one), "%s must be a text",
						names[i]);
		}
		if (i < 3 && !yaml_is_null(one)) {
			int result = rule_reader_keep(reader, one, targets[i]);
			if (result != 0) {
				return result;
			}
			any = true;
		}
	}
	return any ? 0
		   : rule_reader_fail(reader, rule_reader_at_key(node),
				      "logsource needs a category, product or service");
}

/* What a rule cannot be without. */
static int check_present(struct rule_reader *reader, const struct yaml_node *root)
{
	static const char *const needed[] = {"title", "logsource", "detection"};
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		const struct yaml_node *node = yaml_child(root, strangers[i].key);
		if (node != NULL) {
			return rule_reader_fail(reader, rule_reader_at_key(node), "%s",
						strangers[i].what);
		}
	}
	for (const struct yaml_node *one = root->first_child; one != NULL; one = one->next) {
		int result = read_field(reader, root, one);
		if (result != 0) {
			return result;
		}
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		const struct yaml_node *node = yaml_child(root, needed[i]);
		if (node == NULL || yaml_is_null(node)) {
			return rule_reader_fail(reader, rule_reader_at(root), "%s is missing",
						needed[i]);
		}
	}
	const struct yaml_node *taxonomy = yaml_child(root, "taxonomy");
	if (taxonomy != NULL && !yaml_is_null(taxonomy) && !str_is(taxonomy->text, "sigma")) {
		return rule_reader_fail(reader, rule_reader_at(taxonomy),
					"the taxonomy \"%.*s\" is not supported",
					STR_ARG(taxonomy->text));
	}
	return 0;
}

static int read_words(struct rule_reader *reader, const struct yaml_node *root)
{
	static const struct field level = {.name = "level"}, status = {.name = "status"};
	struct rule *rule = reader->rule;
	int severity = read_choice(reader, root, &level, levels);
	int known = severity < 0 ? severity : read_choice(reader, root, &status, statuses);
	if (known < 0) {
		return known;
	}
	rule->severity = severity != 0 ? severity : 3;
	int result = read_texts(reader, yaml_child(root, "tags"), &rule->tags, &rule->tag_count);
	return result != 0 ? result
			   : read_texts(reader, yaml_child(root, "falsepositives"),
					&rule->falsepositives, &rule->falsepositive_count);
}

int document_read(struct rule_reader *reader, const struct yaml_node *root)
{
	struct searches searches;
	if (root->type != YAML_MAPPING) {
		return rule_reader_fail(reader, rule_reader_at(root),
					"a rule is a mapping with title, logsource and detection");
	}
	int result = check_present(reader, root);
	result = result == 0 ? read_words(reader, root) : result;
	result = result == 0 ? read_logsource(reader, yaml_child(root, "logsource")) : result;
	const struct yaml_node *own = result == 0 ? yaml_child(root, "querytrail") : NULL;
	if (own != NULL && !yaml_is_null(own)) {
		result = document_read_own(reader, own);
	}
	if (result != 0) {
		return result;
	}
	const struct yaml_node *detection = yaml_child(root, "detection");
	const struct yaml_node *condition = yaml_child(detection, "condition");
	reader->rule->line = detection->key_line;
	if (condition == NULL) {
		return rule_reader_fail(reader, rule_reader_at_key(detection),
					"detection has no condition");
	}
	result = searches_read(reader, detection, &searches);
	return result != 0 ? result
			   : condition_read(reader, condition, &searches, &reader->rule->condition);
}
