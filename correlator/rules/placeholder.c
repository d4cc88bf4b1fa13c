#include "correlator/rules/placeholder.h"

#include <stdio.h>

#define PARTS_MAX 32

/* A piece of a value: text, or a list whose members stand here. */
struct part {
	struct str text;
	const struct yaml_node *own; /* the rule's own list */
	const struct pack_list *list;
	size_t member_count; /* 0: text */
};

struct parts {
	struct part part[PARTS_MAX];
	size_t count;
	size_t combinations;
};

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-' || c == '.';
}

/* The name at text[at], which is a "%": its length, or 0 when it is a plain percent sign. */
static size_t name_at(struct str text, size_t at)
{
	size_t end = at + 1;
	while (end < text.len && is_name(text.ptr[end])) {
		end++;
	}
	return end < text.len && text.ptr[end] == '%' ? end - at - 1 : 0;
}

static void find_list(const struct rule_reader *reader, struct str name, struct part *out)
{
	if (reader->own_lists != NULL && reader->options->example_lists) {
		for (const struct yaml_node *child = reader->own_lists->first_child; child != NULL;
		     child = child->next) {
			if (str_equal(child->key, name)) {
				out->own = child;
				out->member_count = child->child_count;
				return;
			}
		}
	}
	for (size_t i = 0; i < reader->options->list_count; i++) {
		if (str_equal(reader->options->lists[i].name, name)) {
			out->list = &reader->options->lists[i];
			out->member_count = out->list->value_count;
			return;
		}
	}
}

static struct str member(const struct part *part, size_t index)
{
	if (part->own == NULL) {
		return part->list->values[index];
	}
	const struct yaml_node *node = part->own->first_child;
	while (index-- != 0) {
		node = node->next;
	}
	return node->text;
}

/* Without its list the rule is kept and never fires. */
static int make_idle(struct rule_reader *reader, const struct yaml_node *node, struct str name,
		     bool known)
{
	char text[256];
	if (reader->rule->idle) {
		return 0;
	}
	(void)snprintf(text, sizeof(text), "the list \"%.*s\" %s (rules.lists)", STR_ARG(name),
		       known ? "is empty" : "is not configured"); /* cut, if longer */
	reader->rule->idle = true;
	return arena_str(reader->arena, str_of(text), &reader->rule->idle_reason) == 0
		       ? 0
		       : rule_reader_full(reader, rule_reader_at(node));
}

static int add_part(struct rule_reader *reader, const struct yaml_node *node, struct parts *parts,
		    struct part part)
{
	if (part.member_count == 0 && part.text.len == 0) {
		return 0;
	}
	if (parts->count == PARTS_MAX) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"a value with more than %d lists", PARTS_MAX / 2);
	}
	parts->part[parts->count++] = part;
	if (part.member_count != 0) {
		parts->combinations *= part.member_count;
	}
	if (parts->combinations > PACK_VALUES_MAX) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"the lists of this value make more than %d values",
					PACK_VALUES_MAX);
	}
	return 0;
}

/* The text before a list, and the list. One without members makes the rule idle and leaves no combination. */
static int add_list(struct rule_reader *reader, const struct yaml_node *node, struct parts *parts,
		    struct part before, struct part list)
{
	find_list(reader, list.text, &list);
	int result = add_part(reader, node, parts, before);
	if (result == 0 && list.member_count == 0) {
		parts->combinations = 0;
		return make_idle(reader, node, list.text, list.list != NULL || list.own != NULL);
	}
	return result == 0 ? add_part(reader, node, parts, list) : result;
}

static int split(struct rule_reader *reader, const struct yaml_node *node, struct parts *parts)
{
	struct str text = node->text;
	size_t from = 0, at = 0;
	int result = 0;
	*parts = (struct parts){.combinations = 1};
	while (at < text.len && result == 0) {
		bool escaped = text.ptr[at] == '\\' && at + 1 < text.len &&
			       (text.ptr[at + 1] == '%' || text.ptr[at + 1] == '\\');
		size_t len = text.ptr[at] == '%' ? name_at(text, at) : 0;
		if (escaped && text.ptr[at + 1] == '%') {
			struct part before = {.text = str_slice(text, from, at - from)};
			result = add_part(reader, node, parts, before);
			from = at + 1; /* the percent sign begins the next part */
			at += 2;
		} else if (escaped) {
			at += 2;
		} else if (len != 0) {
			struct part before = {.text = str_slice(text, from, at - from)};
			struct part list = {.text = str_slice(text, at + 1, len)};
			result = add_list(reader, node, parts, before, list);
			if (parts->combinations == 0) {
				return result;
			}
			at += len + 2;
			from = at;
		} else {
			at++;
		}
	}
	struct part rest = {.text = str_slice(text, from, text.len)};
	return result == 0 ? add_part(reader, node, parts, rest) : result;
}

int placeholder_patterns(struct rule_reader *reader, const struct yaml_node *node,
			 struct patterns *out)
{
	struct parts parts;
	int result = split(reader, node, &parts);
	for (size_t number = 0; number < parts.combinations && result == 0; number++) {
		struct pattern pattern = {0};
		size_t left = number;
		for (size_t i = 0; i < parts.count && result == 0; i++) {
			const struct part *part = &parts.part[i];
			struct str text = part->text;
			if (part->member_count != 0) {
				text = member(part, left % part->member_count);
				left /= part->member_count;
			}
			result = pattern_put_text(reader, rule_reader_at(node), &pattern, text);
		}
		result = result == 0 ? patterns_add(reader, rule_reader_at(node), out, pattern)
				     : result;
	}
	return result;
}

static void put_quoted(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '*' || c == '?') {
			buf_put_text(out, c == '*' ? ".*" : ".");
			continue;
		}
		if (strchr("\\^$.|+()[]{}", c) != NULL) {
			buf_put_byte(out, '\\');
		}
		buf_put_byte(out, (uint8_t)c);
	}
}

static int put_text(struct rule_reader *reader, const struct parts *parts, size_t number,
		    bool regex, struct str *out)
{
	struct buf text;
	buf_init(&text, YAML_MAX_BYTES);
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->part[i];
		if (part->member_count == 0) {
			buf_put_str(&text, part->text);
			continue;
		}
		struct str one = member(part, number % part->member_count);
		number /= part->member_count;
		if (regex) {
			put_quoted(&text, one);
		} else {
			buf_put_str(&text, one);
		}
	}
	bool failed = text.failed || arena_str(reader->arena, buf_str(&text), out) != 0;
	buf_done(&text);
	return failed ? -ERR_NOMEM : 0;
}

int placeholder_texts(struct rule_reader *reader, const struct yaml_node *node, bool regex,
		      struct str **out, size_t *out_count)
{
	struct parts parts;
	int result = split(reader, node, &parts);
	if (result != 0) {
		return result;
	}
	struct str *texts = rule_reader_new(reader, parts.combinations + 1, sizeof(*texts));
	if (texts == NULL) {
		return rule_reader_full(reader, rule_reader_at(node));
	}
	for (size_t number = 0; number < parts.combinations; number++) {
		if (put_text(reader, &parts, number, regex, &texts[number]) != 0) {
			return rule_reader_full(reader, rule_reader_at(node));
		}
	}
	*out = texts;
	*out_count = parts.combinations;
	return 0;
}
