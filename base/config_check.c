#include "base/config_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define PROBLEMS_MAX   20
#define CANDIDATES_MAX 64

void config_problem(struct config_load *load, const char *format, ...)
{
	load->problem_count++;
	if (load->problem_count > PROBLEMS_MAX) {
		return;
	}
	va_list args;
	va_start(args, format);
	struct error text;                                 /* escapes what came from the file */
	(void)error_vset(&text, ERR_CONFIG, format, args); /* only the text is used */
	va_end(args);
	buf_putf(&load->report, "%s\n", text.text);
}

void config_problem_at(const struct config_place *place, int line, int column, const char *format,
		       ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	va_end(args);
	config_problem(place->load, "%s:%d:%d: %s", place->file.ptr, line, column, text);
}

static bool is_pattern(const struct config_section *section)
{
	return str_has_suffix(str_of(section->path), STR_LIT(".*"));
}

/* The schema section of a path like "join", or of "sources.api" with its kind. */
static const struct config_section *find_section(const struct config_schema *schema,
						 const char *path, const char *kind)
{
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct config_section *section = &schema->sections[i];
		bool kind_fits =
			kind == NULL || section->kind == NULL || strcmp(section->kind, kind) == 0;
		if (strcmp(section->path, path) == 0 && kind_fits) {
			return section;
		}
	}
	return NULL;
}

static const struct config_option *find_option(const struct config_section *section,
					       struct str name)
{
	for (size_t i = 0; i < section->option_count; i++) {
		if (str_is(name, section->options[i].name)) {
			return &section->options[i];
		}
	}
	return NULL;
}

static const char *nearest_option(const struct config_section *section, struct str word)
{
	const char *names[CANDIDATES_MAX];
	size_t count = 0;
	for (size_t i = 0; i < section->option_count && count < CANDIDATES_MAX; i++) {
		names[count++] = section->options[i].name;
	}
	return str_nearest(word, names, count);
}

/* The first parts of the sections' paths: what may stand at the top of a file. */
static const char *nearest_section(const struct config_schema *schema, struct str word,
				   char *scratch, size_t scratch_size)
{
	const char *names[CANDIDATES_MAX];
	size_t count = 0, used = 0;
	for (size_t i = 0; i < schema->section_count && count < CANDIDATES_MAX; i++) {
		const char *path = schema->sections[i].path;
		size_t len = strcspn(path, ".");
		if (len != 0 && len + 1 <= scratch_size - used) {
			memcpy(scratch + used, path, len);
			scratch[used + len] = '\0';
			names[count++] = scratch + used;
			used += len + 1;
		} else if (len == 0) {
			const struct config_section *top = &schema->sections[i];
			for (size_t o = 0; o < top->option_count && count < CANDIDATES_MAX; o++) {
				names[count++] = top->options[o].name;
			}
		}
	}
	return str_nearest(word, names, count);
}

/* The value row of an option in a section; made when it is not there. NULL without memory. */
static struct config_value *value_row(struct config *config, struct str section,
				      const struct config_option *option)
{
	struct config_value *value = config_find(config, section.ptr, option->name);
	if (value != NULL) {
		return value;
	}
	value = arena_calloc(&config->arena, 1, sizeof(*value));
	if (value == NULL) {
		return NULL;
	}
	value->section = section;
	value->option = option;
	value->text = STR_LIT("");
	if (config->last != NULL) {
		config->last->next = value;
	} else {
		config->first = value;
	}
	config->last = value;
	return value;
}

static void take_option(const struct config_place *place, struct str section,
			const struct yaml_node *node, const struct config_option *option)
{
	struct config_value *value = value_row(place->load->config, section, option);
	if (value == NULL) {
		config_problem_at(place, node->line, node->column,
				  "the file needs too much memory");
		return;
	}
	value->file = place->file;
	value->line = node->line;
	value->column = node->column;
	config_take_value(place, node, value);
}

static void unknown_option(const struct config_place *place, const struct config_section *schema,
			   struct str section, const struct yaml_node *node)
{
	const char *near = nearest_option(schema, node->key);
	config_problem_at(place, node->key_line, node->key_column,
			  "unknown option \"%s\" in %s%s%s%s", node->key.ptr,
			  section.len != 0 ? section.ptr : "the file",
			  near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
			  near != NULL ? "\"?" : "");
}

static void take_section(const struct config_place *place, const struct config_section *schema,
			 struct str section, const struct yaml_node *node)
{
	if (node->type == YAML_SCALAR && node->is_null) {
		return;
	}
	if (node->type != YAML_MAPPING) {
		config_problem_at(place, node->line, node->column,
				  "%s should be a mapping of options", section.ptr);
		return;
	}
	for (const struct yaml_node *child = node->first_child; child != NULL;
	     child = child->next) {
		const struct config_option *option = find_option(schema, child->key);
		if (option == NULL) {
			unknown_option(place, schema, section, child);
		} else {
			take_option(place, section, child, option);
		}
	}
}

static bool name_is_fine(struct str name)
{
	bool ok = name.len >= 1 && name.len <= 64;
	for (size_t i = 0; ok && i < name.len; i++) {
		char c = name.ptr[i];
		ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		     (i != 0 && (c == '.' || c == '_' || c == '-'));
	}
	return ok;
}

/* Notes a named section once. Returns its path "sources.api", or an empty str without memory. */
static struct str add_name(struct config *config, struct str parent, struct str name)
{
	struct buf path;
	buf_init(&path, 256);
	buf_put_str(&path, parent);
	buf_put_byte(&path, '.');
	buf_put_str(&path, name);
	struct str copy = {.ptr = NULL, .len = 0};
	int result = path.failed ? -ERR_LIMIT : arena_str(&config->arena, buf_str(&path), &copy);
	buf_done(&path);
	for (const struct config_name *known = config->names; known != NULL; known = known->next) {
		if (str_equal(known->parent, parent) && str_equal(known->name, name)) {
			return copy;
		}
	}
	struct config_name *row = arena_calloc(&config->arena, 1, sizeof(*row));
	if (result != 0 || row == NULL) {
		return (struct str){.ptr = NULL, .len = 0};
	}
	row->parent = parent;
	row->name = name;
	if (config->last_name != NULL) {
		config->last_name->next = row;
	} else {
		config->names = row;
	}
	config->last_name = row;
	return copy;
}

/* The value of `type` in a named section: here, or in a file read before. */
static const char *section_kind(const struct config *config, struct str section,
				const struct yaml_node *node)
{
	const struct yaml_node *type = node->type == YAML_MAPPING ? yaml_child(node, "type") : NULL;
	if (type != NULL && type->type == YAML_SCALAR && type->text.ptr != NULL) {
		return type->text.ptr;
	}
	const struct config_value *value = config_find(config, section.ptr, "type");
	return value != NULL ? value->text.ptr : NULL;
}

static void take_named(const struct config_place *place, const struct config_section *pattern,
		       const struct yaml_node *node)
{
	struct config *config = place->load->config;
	if (!name_is_fine(node->key)) {
		config_problem_at(
			place, node->key_line, node->key_column,
			"\"%s\" can't be a name: 1 to 64 letters, digits, dots, dashes and "
			"underscores, "
			"beginning with a letter or digit",
			node->key.ptr);
		return;
	}
	struct str parent = str_slice(str_of(pattern->path), 0, strlen(pattern->path) - 2);
	struct str section = add_name(config, parent, node->key);
	if (section.ptr == NULL) {
		config_problem_at(place, node->line, node->column,
				  "the file needs too much memory");
		return;
	}
	const char *kind = section_kind(config, section, node);
	const struct config_section *schema =
		kind != NULL ? find_section(config->schema, pattern->path, kind) : NULL;
	if (kind == NULL) {
		config_problem_at(place, node->key_line, node->key_column,
				  "%s needs the option \"type\"", section.ptr);
	} else if (schema == NULL) {
		const struct config_option *type = find_option(pattern, STR_LIT("type"));
		config_problem_at(place, node->line, node->column,
				  "%s: type should be one of %s, not \"%s\"", section.ptr,
				  type != NULL ? type->choices : "", kind);
	} else {
		take_section(place, schema, section, node);
	}
}

static const struct config_section *find_pattern(const struct config_schema *schema, struct str key)
{
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct config_section *section = &schema->sections[i];
		size_t len = strlen(section->path);
		if (is_pattern(section) && str_equal(str_make(section->path, len - 2), key)) {
			return section;
		}
	}
	return NULL;
}

static void take_top(const struct config_place *place, const struct config_section *top,
		     const struct yaml_node *node)
{
	const struct config_schema *schema = place->load->config->schema;
	const struct config_section *pattern = find_pattern(schema, node->key);
	const struct config_option *option = top != NULL ? find_option(top, node->key) : NULL;
	const struct config_section *section = find_section(schema, node->key.ptr, NULL);
	if (option != NULL) {
		take_option(place, STR_LIT(""), node, option);
	} else if (pattern != NULL && node->type == YAML_MAPPING) {
		for (const struct yaml_node *child = node->first_child; child != NULL;
		     child = child->next) {
			take_named(place, pattern, child);
		}
	} else if (pattern != NULL && !node->is_null) {
		config_problem_at(place, node->line, node->column,
				  "%s should be a mapping of names", node->key.ptr);
	} else if (section != NULL) {
		take_section(place, section, str_of(section->path), node);
	} else if (pattern == NULL) {
		char scratch[2048];
		const char *near = nearest_section(schema, node->key, scratch, sizeof(scratch));
		config_problem_at(place, node->key_line, node->key_column,
				  "unknown section or option \"%s\"%s%s%s", node->key.ptr,
				  near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
				  near != NULL ? "\"?" : "");
	}
}

int config_take(struct config_load *load, const char *file, struct str text, struct error *err)
{
	struct config *config = load->config;
	struct config_place place = {.load = load};
	if (arena_str(&config->arena, str_of(file), &place.file) != 0) {
		return error_set(err, ERR_NOMEM, "no memory to read %s", file);
	}
	struct yaml_node *root = NULL;
	int result = yaml_parse(place.file.ptr, text, &config->arena, &root, err);
	if (result != 0 || root == NULL || (root->type == YAML_SCALAR && root->is_null)) {
		return result;
	}
	if (root->type != YAML_MAPPING) {
		return error_set(err, ERR_CONFIG,
				 "%s:%d:%d: the file should be a mapping of sections", file,
				 root->line, root->column);
	}
	const struct config_section *top = find_section(config->schema, "", NULL);
	for (const struct yaml_node *child = root->first_child; child != NULL;
	     child = child->next) {
		take_top(&place, top, child);
	}
	return 0;
}

/* Gives an option that no file set its default. */
static void take_default(struct config_load *load, struct str section,
			 const struct config_option *option)
{
	if (config_find(load->config, section.ptr, option->name) != NULL) {
		return;
	}
	struct config_value *value = value_row(load->config, section, option);
	if (value == NULL) {
		config_problem(load, "the configuration needs too much memory");
		return;
	}
	if (option->fallback == NULL) {
		return;
	}
	if (strcmp(option->fallback, "!") == 0) {
		config_problem(load, "%s needs the option \"%s\": %s",
			       section.len != 0 ? section.ptr : "the configuration", option->name,
			       option->help);
		return;
	}
	value->text = str_of(option->fallback);
	value->number = (int64_t)value->text.len;
	if (!config_read_number(option, value->text, &value->number)) {
		config_problem(load, "the default of %s is wrong: a bug", option->name);
	}
}

static void take_defaults(struct config_load *load, const struct config_section *schema,
			  struct str section)
{
	for (size_t i = 0; i < schema->option_count; i++) {
		take_default(load, section, &schema->options[i]);
	}
}

void config_check_whole(struct config_load *load)
{
	struct config *config = load->config;
	const struct config_schema *schema = config->schema;
	for (size_t i = 0; i < schema->section_count; i++) {
		if (!is_pattern(&schema->sections[i])) {
			take_defaults(load, &schema->sections[i], str_of(schema->sections[i].path));
		}
	}
	for (const struct config_name *name = config->names; name != NULL; name = name->next) {
		struct str section = add_name(config, name->parent, name->name);
		const struct config_value *type =
			section.ptr != NULL ? config_find(config, section.ptr, "type") : NULL;
		struct buf path;
		buf_init(&path, 256);
		buf_putf(&path, "%.*s.*", STR_ARG(name->parent));
		const struct config_section *kind =
			type != NULL && !path.failed
				? find_section(schema, path.ptr, type->text.ptr)
				: NULL;
		if (kind != NULL) {
			take_defaults(load, kind, section);
		}
		buf_done(&path);
	}
}
