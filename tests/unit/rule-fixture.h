/* rule-fixture - rules from texts for tests, and their trees as one line of text.
 *
 * Shape:   a tree is shown as (and a b), (or a b), (not a) with leaves field:values; a pattern's wildcards are * and ?, bytes that are plain
 *          but look like them \* \? \\.
 */
#ifndef TESTS_UNIT_RULE_FIXTURE_H
#define TESTS_UNIT_RULE_FIXTURE_H

#include "base/yaml.h"
#include "correlator/rules/pack.h"

#include <stdlib.h>

static inline void show_glob(const struct rule_value *value, struct buf *out)
{
	for (size_t i = 0; i < value->glob_len; i++) {
		uint16_t code = value->glob[i];
		if (code == RULE_ANY_TEXT || code == RULE_ANY_BYTE) {
			buf_put_byte(out, code == RULE_ANY_TEXT ? '*' : '?');
		} else {
			buf_put_text(out, strchr("*?\\", code) != NULL && code != 0 ? "\\" : "");
			buf_put_byte(out, (uint8_t)code);
		}
	}
}

static inline void show_value(const struct rule_value *value, struct buf *out)
{
	static const char *const signs[] = {
		[RULE_OP_REGEX] = "re",     [RULE_OP_CIDR] = "cidr", [RULE_OP_LT] = "<",
		[RULE_OP_LTE] = "<=",       [RULE_OP_GT] = ">",      [RULE_OP_GTE] = ">=",
		[RULE_OP_EQUALS] = "=",     [RULE_OP_NULL] = "null", [RULE_OP_EXISTS] = "exists",
		[RULE_OP_FIELDREF] = "ref",
	};
	switch (value->op) {
	case RULE_OP_GLOB:
		show_glob(value, out);
		return;
	case RULE_OP_LT:
	case RULE_OP_LTE:
	case RULE_OP_GT:
	case RULE_OP_GTE:
	case RULE_OP_EQUALS:
	case RULE_OP_EXISTS:
		buf_putf(out, "%s%g", signs[value->op], value->number);
		return;
	case RULE_OP_NULL:
		buf_put_text(out, "null");
		return;
	case RULE_OP_REGEX:
	case RULE_OP_CIDR:
	case RULE_OP_FIELDREF:
		buf_putf(out, "%s%u:%.*s", signs[value->op], value->flags, STR_ARG(value->text));
		return;
	}
}

static inline void show_item(const struct rule_item *item, struct buf *out)
{
	static const char *const parts[] = {"",      ".minute", ".hour", ".day",
					    ".week", ".month",  ".year"};
	buf_put_text(out, item->negated ? "!" : "");
	buf_put_str(out, item->field);
	buf_put_text(out, parts[item->part]);
	buf_put_text(out, item->cased ? ":cased" : "");
	buf_put_byte(out, ':');
	for (size_t i = 0; i < item->value_count; i++) {
		bool same =
			i != 0 && item->values[i].alternative == item->values[i - 1].alternative;
		buf_put_text(out, i == 0 ? "" : same ? "~" : item->all ? "&" : "|");
		show_value(&item->values[i], out);
	}
}

static inline void show_node(const struct rule_node *node, struct buf *out)
{
	static const char *const words[] = {"(and", "(or", "(not", ""};
	if (node->type == RULE_ITEM) {
		show_item(node->item, out);
		return;
	}
	buf_put_text(out, words[node->type]);
	for (size_t i = 0; i < node->child_count; i++) {
		buf_put_byte(out, ' ');
		show_node(node->children[i], out);
	}
	buf_put_byte(out, ')');
}

/* What becomes of a text: the trees of its rules, one a line, then its problems as line:column: text. To be freed. */
static inline char *outcome_with(const char *text, const struct pack_options *options)
{
	struct pack *pack = NULL;
	struct error err;
	struct buf out;
	buf_init(&out, 0);
	if (pack_parse("t.yml", str_of(text), options, &pack, &err) != 0) {
		buf_put_text(&out, err.text);
		return out.ptr;
	}
	buf_put_text(&out, "");
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		const struct rule *rule = pack_rule(pack, i);
		buf_put_text(&out, out.len != 0 ? "\n" : "");
		if (rule->idle) {
			buf_put_text(&out, "idle: ");
			buf_put_str(&out, rule->idle_reason);
			continue;
		}
		show_node(rule->condition, &out);
	}
	for (size_t i = 0; i < pack_problem_count(pack); i++) {
		const struct pack_problem *problem = pack_problem(pack, i);
		buf_put_text(&out, out.len != 0 ? "\n" : "");
		buf_putf(&out, "%d:%d: %s", problem->line, problem->column, problem->text);
	}
	pack_free(pack);
	return out.ptr;
}

static inline char *outcome(const char *text)
{
	static const struct pack_options none = {0};
	return outcome_with(text, &none);
}

/* The outcome of a rule with this detection (lines indented by two). */
static inline char *outcome_of_detection(const char *detection, const struct pack_options *options)
{
	static const struct pack_options none = {0};
	struct buf text;
	buf_init(&text, 0);
	buf_put_text(&text, "title: t\nlogsource: {product: mssql}\ndetection:\n");
	buf_put_text(&text, detection);
	char *result = outcome_with(text.ptr, options != NULL ? options : &none);
	buf_done(&text);
	return result;
}

static inline void assert_outcome(char *made, const char *wanted)
{
	assert_string_equal(made, wanted);
	free(made);
}

#endif
