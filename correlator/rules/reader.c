#include "correlator/rules/reader.h"

#include <stdio.h>

int rule_reader_fail(struct rule_reader *reader, struct place place, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)error_vset(&reader->fault, ERR_CONFIG, format, args); /* the code is what we return */
	va_end(args);
	reader->line = place.line;
	reader->column = place.column;
	return -ERR_CONFIG;
}

struct place rule_reader_at(const struct yaml_node *node)
{
	return (struct place){.line = node->line, .column = node->column};
}

struct place rule_reader_at_key(const struct yaml_node *node)
{
	return (struct place){.line = node->key_line, .column = node->key_column};
}

int rule_reader_full(struct rule_reader *reader, struct place place)
{
	return rule_reader_fail(reader, place, "the rule needs too much memory");
}

void *rule_reader_new(struct rule_reader *reader, size_t count, size_t size)
{
	return arena_calloc(reader->arena, count, size);
}

int rule_reader_keep(struct rule_reader *reader, const struct yaml_node *node, struct str *out)
{
	return arena_str(reader->arena, node->text, out) == 0
		       ? 0
		       : rule_reader_full(reader, rule_reader_at(node));
}

const char *rule_reader_hint(struct str word, const char *const *names, size_t count,
			     char buffer[96])
{
	const char *near = str_nearest(word, names, count);
	buffer[0] = '\0';
	if (near != NULL) {
		(void)snprintf(buffer, 96, "; did you mean \"%s\"?", near); /* names are short */
	}
	return buffer;
}

struct rule_node *rule_reader_node(struct rule_reader *reader, struct place place,
				   enum rule_node_type type, size_t child_count)
{
	reader->node_count += 1 + child_count;
	if (reader->node_count > PACK_NODES_MAX) {
		(void)rule_reader_fail(reader, place, "the rule has more than %d tests",
				       PACK_NODES_MAX); /* NULL says so */
		return NULL;
	}
	struct rule_node *node = rule_reader_new(reader, 1, sizeof(*node));
	const struct rule_node **children =
		child_count != 0 ? rule_reader_new(reader, child_count, sizeof(struct rule_node *))
				 : NULL;
	if (node == NULL || (child_count != 0 && children == NULL)) {
		(void)rule_reader_full(reader, place); /* NULL says so */
		return NULL;
	}
	node->type = type;
	node->children = children;
	node->child_count = child_count;
	return node;
}
