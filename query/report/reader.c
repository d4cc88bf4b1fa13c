#include "query/report/reader.h"

#include "base/parse.h"

#include <stdio.h>

__attribute__((format(printf, 3, 0))) static int
fail_at(const struct reader *reader, const int place[2], const char *format, va_list args)
{
	char sentence[ERROR_TEXT_MAX];
	(void)vsnprintf(sentence, sizeof(sentence), format,
			args); /* a cut one still has its place */
	return error_set(reader->err, ERR_CONFIG, "%s:%d:%d: %s", reader->file, place[0], place[1],
			 sentence);
}

int reader_fail(const struct reader *reader, const struct yaml_node *node, const char *format, ...)
{
	const int place[2] = {node != NULL ? node->line : 1, node != NULL ? node->column : 1};
	va_list args;
	va_start(args, format);
	int result = fail_at(reader, place, format, args);
	va_end(args);
	return result;
}

int reader_fail_key(const struct reader *reader, const struct yaml_node *node, const char *format,
		    ...)
{
	const int place[2] = {node->key_line, node->key_column};
	va_list args;
	va_start(args, format);
	int result = fail_at(reader, place, format, args);
	va_end(args);
	return result;
}

int reader_unknown(const struct reader *reader, const struct yaml_node *node,
		   const struct reader_names *known)
{
	const char *near = str_nearest(node->text, known->names, known->count);
	if (near != NULL) {
		return reader_fail(reader, node, "unknown %s \"%.*s\"; did you mean \"%s\"?",
				   known->what, STR_ARG(node->text), near);
	}
	struct buf list;
	buf_init(&list, 4096);
	for (size_t i = 0; i < known->count && known->count <= 24; i++) {
		buf_putf(&list, "%s%s", i > 0 ? ", " : "; there are ", known->names[i]);
	}
	int result = reader_fail(reader, node, "unknown %s \"%.*s\"%.*s", known->what,
				 STR_ARG(node->text), STR_ARG(buf_str(&list)));
	buf_done(&list);
	return result;
}

int reader_keys(const struct reader *reader, const struct yaml_node *node,
		const struct reader_names *keys)
{
	if (node == NULL || node->type != YAML_MAPPING) {
		return reader_fail(reader, node, "%s wants keys with values", keys->what);
	}
	for (const struct yaml_node *child = node->first_child; child != NULL;
	     child = child->next) {
		bool known = false;
		for (size_t i = 0; i < keys->count; i++) {
			known = known || str_is(child->key, keys->names[i]);
		}
		if (known) {
			continue;
		}
		const char *near = str_nearest(child->key, keys->names, keys->count);
		return reader_fail_key(reader, child, "%s has no key \"%.*s\"%s%s%s", keys->what,
				       STR_ARG(child->key), near != NULL ? "; did you mean \"" : "",
				       near != NULL ? near : "", near != NULL ? "\"?" : "");
	}
	return 0;
}

int reader_text(const struct reader *reader, const struct yaml_node *mapping, const char *key,
		struct str *out_text)
{
	const struct yaml_node *node = yaml_child(mapping, key);
	*out_text = (struct str){"", 0};
	if (node == NULL) {
		return 0;
	}
	if (node->type != YAML_SCALAR) {
		return reader_fail(reader, node, "%s wants a text", key);
	}
	if (node->text.len > reader->text_max) {
		return reader_fail(reader, node, "%s is longer than %zu bytes", key,
				   reader->text_max);
	}
	*out_text = str_trim(node->text);
	return 0;
}

int reader_need(const struct reader *reader, const struct yaml_node *mapping, const char *key,
		struct str *out_text)
{
	int result = reader_text(reader, mapping, key, out_text);
	if (result == 0 && out_text->len == 0) {
		return reader_fail(reader, mapping, "the key \"%s\" is missing or empty", key);
	}
	return result;
}

int reader_number(const struct reader *reader, const struct yaml_node *mapping, const char *key,
		  uint64_t max, uint64_t *out_number)
{
	const struct yaml_node *node = yaml_child(mapping, key);
	uint64_t number;
	if (node == NULL) {
		return 0;
	}
	if (node->type != YAML_SCALAR || !parse_u64(node->text, &number) || number < 1 ||
	    number > max) {
		return reader_fail(reader, node, "%s wants a number from 1 to %llu", key,
				   (unsigned long long)max);
	}
	*out_number = number;
	return 0;
}

int reader_list(const struct reader *reader, const struct yaml_node *mapping,
		const struct reader_limit *limit, struct reader_items *out_items)
{
	const struct yaml_node *node = yaml_child(mapping, limit->key);
	*out_items = (struct reader_items){.node = node};
	if (node == NULL) {
		return 0;
	}
	if (node->type == YAML_MAPPING || (node->type == YAML_SCALAR && !limit->texts)) {
		return reader_fail(reader, node, "%s wants a list", limit->key);
	}
	out_items->first = node->type == YAML_SEQUENCE ? node->first_child : node;
	out_items->count = node->type == YAML_SEQUENCE ? node->child_count : 1;
	if (out_items->count > limit->max) {
		return reader_fail(reader, node, "%s has more than %zu items", limit->key,
				   limit->max);
	}
	const struct yaml_node *item = out_items->first;
	for (size_t i = 0; limit->texts && i < out_items->count; i++, item = item->next) {
		if (item->type != YAML_SCALAR || str_trim(item->text).len == 0 ||
		    item->text.len > reader->text_max) {
			return reader_fail(reader, item, "%s wants texts", limit->key);
		}
	}
	return 0;
}
