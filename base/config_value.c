#include "base/clock.h"
#include "base/config_internal.h"
#include "base/parse.h"

#include <unistd.h>

static bool in_choices(struct str word, const char *choices)
{
	struct str rest = str_of(choices);
	while (rest.ptr != NULL) {
		if (str_equal(str_split(&rest, '|'), word)) {
			return true;
		}
	}
	return false;
}

/* A number with its limits; type_words names the type in the error. */
bool config_read_number(const struct config_option *option, struct str text, int64_t *out)
{
	uint64_t size = 0;
	bool flag = false;
	switch (option->type) {
	case CONFIG_INT:
		return parse_i64(text, out);
	case CONFIG_DURATION:
		return clock_parse_duration(text, out);
	case CONFIG_SIZE:
		if (!parse_size(text, &size) || size > INT64_MAX) {
			return false;
		}
		*out = (int64_t)size;
		return true;
	case CONFIG_BOOL:
		if (!parse_bool(text, &flag)) {
			return false;
		}
		*out = flag;
		return true;
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_SECRET:
	case CONFIG_ENUM:
	case CONFIG_LIST:
	case CONFIG_MAP:
		return true;
	}
	return false;
}

static const char *type_words(enum config_type type)
{
	switch (type) {
	case CONFIG_INT:
		return "a whole number";
	case CONFIG_DURATION:
		return "a duration like 250ms, 5s or 2h";
	case CONFIG_SIZE:
		return "a size like 64MiB";
	case CONFIG_BOOL:
		return "true or false";
	case CONFIG_LIST:
		return "a list of texts";
	case CONFIG_MAP:
		return "a mapping of texts to lists";
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_SECRET:
	case CONFIG_ENUM:
		return "a text";
	}
	return "a value";
}

static void put_limit(struct buf *out, enum config_type type, int64_t value)
{
	if (type == CONFIG_DURATION) {
		clock_put_duration(out, value);
	} else {
		buf_put_i64(out, value);
	}
}

static bool check_limits(const struct config_place *place, const struct yaml_node *node,
			 const struct config_option *option, int64_t value)
{
	if ((option->min == 0 && option->max == 0) ||
	    (value >= option->min && value <= option->max)) {
		return true;
	}
	struct buf limits;
	buf_init(&limits, 256);
	put_limit(&limits, option->type, option->min);
	buf_put_text(&limits, " to ");
	put_limit(&limits, option->type, option->max);
	config_problem_at(place, node->line, node->column, "%s: %s is out of range; it may be %s%s",
			  option->name, node->text.ptr, limits.ptr,
			  option->type == CONFIG_TEXT ? " bytes long" : "");
	buf_done(&limits);
	return false;
}

/* A relative path, made absolute by the configuration file's folder. */
static struct str resolve_path(const struct config_place *place, struct str text)
{
	struct config_load *load = place->load;
	if (text.len == 0 || text.ptr[0] == '/') {
		return text;
	}
	struct buf path;
	buf_init(&path, 16384);
	if (load->folder.ptr[0] != '/') {
		char here[4096];
		buf_put_text(&path, getcwd(here, sizeof(here)) != NULL ? here : ".");
		buf_put_byte(&path, '/');
	}
	if (!str_is(load->folder, "./")) {
		buf_put_str(&path, load->folder);
	}
	buf_put_str(&path, text);
	struct str copy = text;
	if (path.failed || arena_str(&load->config->arena, buf_str(&path), &copy) != 0) {
		config_problem(load, "%s:1:1: a path is too long", place->file.ptr);
	}
	buf_done(&path);
	return copy;
}

static void take_scalar(const struct config_place *place, const struct yaml_node *node,
			struct config_value *value)
{
	const struct config_option *option = value->option;
	if (node->type != YAML_SCALAR || node->is_null) {
		config_problem_at(place, node->line, node->column, "%s should be %s", option->name,
				  type_words(option->type));
		return;
	}
	int64_t number = (int64_t)node->text.len;
	if (!config_read_number(option, node->text, &number)) {
		config_problem_at(place, node->line, node->column, "%s should be %s, not \"%s\"",
				  option->name, type_words(option->type), node->text.ptr);
		return;
	}
	if (option->type == CONFIG_ENUM && !in_choices(node->text, option->choices)) {
		config_problem_at(place, node->line, node->column,
				  "%s should be one of %s, not \"%s\"", option->name,
				  option->choices, node->text.ptr);
		return;
	}
	if (!check_limits(place, node, option, number)) {
		return;
	}
	bool is_file = option->type == CONFIG_PATH ||
		       (option->type == CONFIG_SECRET && str_find_byte(node->text, '/', 0) >= 0);
	value->text = is_file ? resolve_path(place, node->text) : node->text;
	value->number = number;
}

/* The scalars of a sequence (or one scalar) as a list. */
static struct config_item *take_items(const struct config_place *place,
				      const struct yaml_node *node, const char *name,
				      size_t *out_count)
{
	struct config_item *first = NULL, **link = &first;
	const struct yaml_node *child = node->type == YAML_SCALAR ? node : node->first_child;
	*out_count = 0;
	if (node->type == YAML_MAPPING) {
		config_problem_at(place, node->line, node->column, "%s should be a list of texts",
				  name);
		return NULL;
	}
	for (; child != NULL; child = child == node ? NULL : child->next) {
		struct config_item *item =
			arena_calloc(&place->load->config->arena, 1, sizeof(*item));
		if (item == NULL || child->type != YAML_SCALAR || child->is_null) {
			config_problem_at(place, child->line, child->column, "%s should hold texts",
					  name);
			return first;
		}
		item->text = child->text;
		*link = item;
		link = &item->next;
		(*out_count)++;
	}
	return first;
}

static void take_map(const struct config_place *place, const struct yaml_node *node,
		     struct config_value *value)
{
	if (node->type != YAML_MAPPING) {
		config_problem_at(place, node->line, node->column, "%s should be %s",
				  value->option->name, type_words(CONFIG_MAP));
		return;
	}
	struct config_item **link = &value->items;
	value->items = NULL;
	value->item_count = 0;
	for (const struct yaml_node *child = node->first_child; child != NULL;
	     child = child->next) {
		struct config_item *item =
			arena_calloc(&place->load->config->arena, 1, sizeof(*item));
		if (item == NULL) {
			config_problem_at(place, child->line, child->column,
					  "the file needs too much memory");
			return;
		}
		item->text = child->key;
		item->values = take_items(place, child, child->key.ptr, &item->value_count);
		*link = item;
		link = &item->next;
		value->item_count++;
	}
}

void config_take_value(const struct config_place *place, const struct yaml_node *node,
		       struct config_value *value)
{
	const struct config_option *option = value->option;
	if (option->type == CONFIG_LIST) {
		value->items = take_items(place, node, option->name, &value->item_count);
	} else if (option->type == CONFIG_MAP) {
		take_map(place, node, value);
	} else {
		take_scalar(place, node, value);
	}
}
