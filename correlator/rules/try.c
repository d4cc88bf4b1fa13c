#include "correlator/rules/matcher-part.h"

#include "base/clock.h"
#include "base/parse.h"
#include "base/yaml.h"

struct attempt {
	struct matcher *matcher;
	enum log log;
	struct record statement, verdict, request, other;
	struct rules_event event;
	struct override given[OVERRIDES_MAX];
	size_t given_count;
};

static enum record_kind other_kind(enum log log)
{
	switch (log) {
	case L_GAP:
		return RECORD_GAP;
	case L_REJECT:
		return RECORD_REJECT;
	case L_ACCESS:
		return RECORD_ACCESS;
	case L_SQL:
	case L_WEB:
	case L_AWS:
	case L_REQUEST:
	case L_TRAIL:
	case L_LIFECYCLE:
		break;
	}
	return RECORD_LIFECYCLE;
}

/* The record that a name belongs to, which is then part of the event. NULL: of none. */
static struct record *record_of(struct attempt *attempt, struct name_ref ref)
{
	struct record *record = NULL;

	switch (ref.kind) {
	case NAME_STATEMENT_FIELD:
	case NAME_STATEMENT_EXTRA:
	case NAME_FACT:
	case NAME_WIN:
	case NAME_ANY_FIELD:
		record = &attempt->statement;
		attempt->event.statement = record;
		break;
	case NAME_VERDICT_FIELD:
		record = &attempt->verdict;
		attempt->event.verdict = record;
		break;
	case NAME_REQUEST_FIELD:
	case NAME_REQUEST_EXTRA:
	case NAME_WEB:
	case NAME_AWS:
		record = &attempt->request;
		attempt->event.request = record;
		break;
	case NAME_OTHER_FIELD:
		record = &attempt->other;
		break;
	case NAME_PART:
		if (ref.what == PART_STATEMENT_TIME || ref.what == PART_STATEMENT_SOURCE) {
			attempt->event.statement = &attempt->statement;
			return &attempt->statement;
		}
		if (ref.what == PART_REQUEST_TIME || ref.what == PART_REQUEST_SOURCE) {
			attempt->event.request = &attempt->request;
			return &attempt->request;
		}
		break;
	case NAME_NEVER:
	case NAME_TEXTS:
		break;
	}
	return record;
}

static bool is_field(struct name_ref ref)
{
	switch (ref.kind) {
	case NAME_STATEMENT_FIELD:
	case NAME_VERDICT_FIELD:
	case NAME_REQUEST_FIELD:
	case NAME_OTHER_FIELD:
	case NAME_ANY_FIELD:
		return true;
	case NAME_PART:
	case NAME_FACT:
	case NAME_WEB:
	case NAME_REQUEST_EXTRA:
	case NAME_STATEMENT_EXTRA:
	case NAME_WIN:
	case NAME_AWS:
	case NAME_NEVER:
	case NAME_TEXTS:
		break;
	}
	return false;
}

/* Sets a field from its text; false when the text is none of the field's type. */
static bool set_field(struct record *record, unsigned field, struct str text)
{
	int64_t number = 0;
	bool flag = false;

	switch (field_info(field)->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		record_set_text(record, field, text);
		return true;
	case FIELD_TYPE_INT:
		if (!parse_i64(text, &number)) {
			return false;
		}
		break;
	case FIELD_TYPE_BOOL:
		if (!parse_bool(text, &flag)) {
			return false;
		}
		number = flag ? 1 : 0;
		break;
	case FIELD_TYPE_TIME:
		if (!clock_parse_rfc3339(text, &number)) {
			return false;
		}
		break;
	}
	record_set_number(record, field, number);
	return true;
}

static int wrong_type(const struct yaml_node *node, struct error *err)
{
	return error_set(err, ERR_CONFIG, "line %d: \"%.*s\" is no value of \"%.*s\"", node->line,
			 STR_ARG(node->text), STR_ARG(node->key));
}

/* Takes the given texts in place of those that would be made. */
static int override(struct attempt *attempt, struct name_ref ref, const struct yaml_node *node,
		    struct error *err)
{
	struct values_maker *maker = &attempt->matcher->values;
	struct override *given = &attempt->given[attempt->given_count];
	size_t count = node->type == YAML_SEQUENCE ? node->child_count : 1;
	const struct yaml_node *from = node->type == YAML_SEQUENCE ? node->first_child : node;

	if (attempt->given_count == OVERRIDES_MAX) {
		return error_set(err, ERR_CONFIG, "line %d: an event has at most %d names",
				 node->line, OVERRIDES_MAX);
	}
	*given = (struct override){.ref = ref};
	given->values.first = arena_alloc(&maker->arena, count * sizeof(*given->values.first));
	if (given->values.first == NULL) {
		return error_set(err, ERR_NOMEM, "there is no memory for an event");
	}
	for (; from != NULL && given->values.count < count; from = from->next) {
		int result = values_text(maker, from->text,
					 &given->values.first[given->values.count++], err);

		if (result != 0) {
			return result;
		}
	}
	attempt->given_count++;
	return 0;
}

static int set_part(struct attempt *attempt, struct name_ref ref, const struct yaml_node *node,
		    struct error *err)
{
	struct record *records[] = {&attempt->statement, &attempt->verdict, &attempt->request,
				    &attempt->other};
	struct record *one = record_of(attempt, ref);
	bool is_time = ref.what == PART_TIME || ref.what == PART_STATEMENT_TIME ||
		       ref.what == PART_REQUEST_TIME;
	int64_t time_ns = 0;

	if (ref.what == PART_KIND) {
		return override(attempt, ref, node, err);
	}
	if (is_time && !clock_parse_rfc3339(node->text, &time_ns)) {
		return wrong_type(node, err);
	}
	for (size_t i = 0; i < 4; i++) {
		struct record *record = one != NULL ? one : records[i];

		if (is_time) {
			record->time_ns = time_ns;
		} else {
			record->source = node->text;
		}
	}
	return 0;
}

static int give(struct attempt *attempt, const struct yaml_node *node, struct error *err)
{
	struct name_ref ref;
	struct record *record;

	if (!names_find(attempt->log, node->key, &ref)) {
		const char *nearest = names_nearest(attempt->log, node->key);

		return error_set(err, ERR_CONFIG, "line %d: %s: no field \"%.*s\"%s%s%s",
				 node->key_line, names_log_text(attempt->log), STR_ARG(node->key),
				 nearest != NULL ? "; did you mean \"" : "",
				 nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
	}
	if (node->type == YAML_MAPPING) {
		return error_set(err, ERR_CONFIG, "line %d: \"%.*s\" is a text or a list of texts",
				 node->line, STR_ARG(node->key));
	}
	if (node->type == YAML_SCALAR && yaml_is_null(node)) {
		return 0;
	}
	if (ref.kind == NAME_PART && node->type == YAML_SCALAR) {
		return set_part(attempt, ref, node, err);
	}
	record = record_of(attempt, ref);
	if (!is_field(ref) || node->type != YAML_SCALAR) {
		return override(attempt, ref, node, err);
	}
	if ((field_info(ref.what)->kinds >> record->kind & 1) == 0) {
		return wrong_type(node, err);
	}
	return set_field(record, ref.what, node->text) ? 0 : wrong_type(node, err);
}

static void begin(struct attempt *attempt, enum rules_stage stage)
{
	record_init(&attempt->statement, RECORD_STATEMENT);
	record_init(&attempt->verdict, RECORD_VERDICT);
	record_init(&attempt->request, RECORD_REQUEST);
	record_init(&attempt->other, other_kind(attempt->log));
	attempt->event = (struct rules_event){.stage = stage};
	switch (attempt->log) {
	case L_SQL:
		attempt->event.statement = &attempt->statement;
		break;
	case L_WEB:
	case L_AWS:
	case L_REQUEST:
		attempt->event.request = &attempt->request;
		break;
	case L_TRAIL:
		break;
	case L_GAP:
	case L_REJECT:
	case L_ACCESS:
	case L_LIFECYCLE:
		attempt->event.other = &attempt->other;
		break;
	}
}

/* Appends what was given to the texts that keywords look at. */
static int add_keywords(struct attempt *attempt, struct error *err)
{
	struct values_maker *maker = &attempt->matcher->values;
	struct values made;
	struct override *texts = &attempt->given[attempt->given_count];
	struct name_ref ref = {NAME_TEXTS, 0};
	size_t count;
	int result = values_get(maker, ref, &made, err);

	if (result != 0 || attempt->given_count == 0 || attempt->given_count == OVERRIDES_MAX) {
		return result;
	}
	count = made.count;
	for (size_t i = 0; i < attempt->given_count; i++) {
		count += attempt->given[i].values.count;
	}
	texts->ref = ref;
	texts->values = (struct values){
		arena_alloc(&maker->arena, count * sizeof(*texts->values.first)), made.count};
	if (texts->values.first == NULL) {
		return error_set(err, ERR_NOMEM, "there is no memory for an event");
	}
	memcpy(texts->values.first, made.first, made.count * sizeof(*made.first));
	for (size_t i = 0; i < attempt->given_count; i++) {
		const struct values *values = &attempt->given[i].values;

		memcpy(texts->values.first + texts->values.count, values->first,
		       values->count * sizeof(*values->first));
		texts->values.count += values->count;
	}
	attempt->given_count++;
	return 0;
}

static int try_rule(struct attempt *attempt, const struct compiled_rule *rule,
		    const struct yaml_node *fields, bool *out_fires, struct error *err)
{
	struct matcher *matcher = attempt->matcher;
	bool fires;
	int result = 0;

	begin(attempt, rule->stage);
	matcher_begin(matcher, &attempt->event);
	for (const struct yaml_node *node = fields->first_child; node != NULL && result == 0;
	     node = node->next) {
		result = give(attempt, node, err);
	}
	if (result == 0) {
		result = add_keywords(attempt, err);
	}
	if (result != 0) {
		return result;
	}
	memcpy(matcher->overrides, attempt->given, sizeof(attempt->given));
	matcher->override_count = attempt->given_count;
	fires = evaluate_tree(matcher, rule->tree);
	matcher->override_count = 0;
	if (matcher->failed) {
		return error_set(err, ERR_NOMEM, "there is no memory to try a rule");
	}
	*out_fires = fires && !rule->rule->idle;
	return 0;
}

int matcher_try(struct matcher *matcher, const struct rule *rule, const struct yaml_node *fields,
		bool *out_fires, struct error *err)
{
	struct attempt attempt = {.matcher = matcher};

	for (size_t i = 0; i < matcher->ruleset->rule_count; i++) {
		const struct compiled_rule *compiled = &matcher->ruleset->rules[i];

		if (compiled->rule == rule) {
			attempt.log = compiled->log;
			return try_rule(&attempt, compiled, fields, out_fires, err);
		}
	}
	return error_set(err, ERR_CONFIG, "the rule \"%.*s\" was refused", STR_ARG(rule->id));
}
