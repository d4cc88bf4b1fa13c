#include "base/clock.h"
#include "base/config_internal.h"
#include "base/json.h"

/* A scalar as YAML that is read back the same: numbers and plain words bare, everything else in double quotes. */
static void put_scalar(struct buf *out, struct str text)
{
	bool plain = text.len != 0;
	for (size_t i = 0; plain && i < text.len; i++) {
		char c = text.ptr[i];
		plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_' || c == '/' ||
			(i != 0 && (c == '.' || c == '-'));
	}
	if (plain) {
		buf_put_str(out, text);
	} else {
		json_put_string(out, text);
	}
}

static void put_origin(struct buf *out, const struct config_value *value, bool with_origin)
{
	if (with_origin && value->file.len != 0) {
		buf_putf(out, " # %s:%d:%d", value->file.ptr, value->line, value->column);
	} else if (with_origin) {
		buf_put_text(out, " # default");
	}
}

static void put_items(struct buf *out, const struct config_item *item)
{
	buf_put_byte(out, '[');
	for (; item != NULL; item = item->next) {
		put_scalar(out, item->text);
		buf_put_text(out, item->next != NULL ? ", " : "");
	}
	buf_put_byte(out, ']');
}

static void put_value(struct buf *out, const struct config_value *value, int indent,
		      bool with_origin)
{
	const struct config_option *option = value->option;
	bool absent = option->type == CONFIG_LIST || option->type == CONFIG_MAP
			      ? value->item_count == 0
			      : value->text.len == 0;
	if (absent) {
		return;
	}
	buf_put_fill(out, ' ', (size_t)indent);
	buf_putf(out, "%s:", option->name);
	if (option->type == CONFIG_MAP) {
		put_origin(out, value, with_origin);
		buf_put_byte(out, '\n');
		for (const struct config_item *item = value->items; item != NULL;
		     item = item->next) {
			buf_put_fill(out, ' ', (size_t)indent + 2);
			json_put_string(out, item->text);
			buf_put_text(out, ": ");
			put_items(out, item->values);
			buf_put_byte(out, '\n');
		}
		return;
	}
	buf_put_byte(out, ' ');
	if (option->type == CONFIG_LIST) {
		put_items(out, value->items);
	} else {
		put_scalar(out, value->text);
	}
	put_origin(out, value, with_origin);
	buf_put_byte(out, '\n');
}

static void put_section(const struct config *config, struct str section, int indent,
			bool with_origin, struct buf *out)
{
	for (const struct config_value *value = config->first; value != NULL; value = value->next) {
		if (str_equal(value->section, section)) {
			put_value(out, value, indent, with_origin);
		}
	}
}

static void put_named(const struct config *config, struct str parent, bool with_origin,
		      struct buf *out)
{
	buf_putf(out, "%.*s:\n", STR_ARG(parent));
	for (const struct config_name *name = config->names; name != NULL; name = name->next) {
		if (!str_equal(name->parent, parent)) {
			continue;
		}
		buf_putf(out, "  %s:\n", name->name.ptr);
		struct buf path;
		buf_init(&path, 256);
		buf_putf(&path, "%.*s.%s", STR_ARG(parent), name->name.ptr);
		put_section(config, buf_str(&path), 4, with_origin, out);
		buf_done(&path);
	}
}

/* Whether the section with this index is the first with its path: several kinds share one. */
static bool is_first(const struct config_schema *schema, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(schema->sections[i].path, schema->sections[index].path) == 0) {
			return false;
		}
	}
	return true;
}

void config_dump(const struct config *config, bool with_origin, struct buf *out)
{
	for (size_t i = 0; i < config->schema->section_count; i++) {
		struct str path = str_of(config->schema->sections[i].path);
		if (str_has_suffix(path, STR_LIT(".*"))) {
			struct str parent = str_slice(path, 0, path.len - 2);
			if (is_first(config->schema, i) && config->names != NULL) {
				put_named(config, parent, with_origin, out);
			}
			continue;
		}
		if (path.len != 0) {
			buf_putf(out, "%.*s:\n", STR_ARG(path));
		}
		put_section(config, path, path.len != 0 ? 2 : 0, with_origin, out);
	}
}

static const char *type_name(enum config_type type)
{
	static const char *const names[] = {
		[CONFIG_TEXT] = "text",          [CONFIG_PATH] = "path",
		[CONFIG_SECRET] = "secret file", [CONFIG_INT] = "number",
		[CONFIG_BOOL] = "true or false", [CONFIG_DURATION] = "duration",
		[CONFIG_SIZE] = "size",          [CONFIG_ENUM] = "word",
		[CONFIG_LIST] = "list",          [CONFIG_MAP] = "mapping"};
	return names[type];
}

static void put_limits(struct buf *out, const struct config_option *option)
{
	if (option->choices != NULL) {
		buf_putf(out, ": %s", option->choices);
	}
	if (option->min == 0 && option->max == 0) {
		return;
	}
	buf_put_text(out, ", ");
	if (option->type == CONFIG_DURATION) {
		clock_put_duration(out, option->min);
		buf_put_text(out, " to ");
		clock_put_duration(out, option->max);
		return;
	}
	buf_putf(out, "%lld to %lld%s%s", (long long)option->min, (long long)option->max,
		 option->unit != NULL ? " " : "", option->unit != NULL ? option->unit : "");
	buf_put_text(out, option->type == CONFIG_TEXT ? " bytes" : "");
}

static void sample_option(struct buf *out, const struct config_option *option, const char *indent)
{
	bool required = option->fallback != NULL && strcmp(option->fallback, "!") == 0;
	buf_putf(out, "%s# %s (%s", indent, option->help, type_name(option->type));
	put_limits(out, option);
	buf_putf(out, "%s)\n", required ? "; required" : "");
	buf_putf(out, "%s%s%s: ", indent, required ? "" : "#", option->name);
	if (!required && option->fallback != NULL) {
		put_scalar(out, str_of(option->fallback));
	}
	buf_put_byte(out, '\n');
}

void config_sample(const struct config_schema *schema, struct buf *out)
{
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct config_section *section = &schema->sections[i];
		bool named = str_has_suffix(str_of(section->path), STR_LIT(".*"));
		buf_putf(out, "%s# %s\n", i == 0 ? "" : "\n", section->help);
		if (named && is_first(schema, i)) {
			buf_putf(out, "%.*s:\n", (int)strlen(section->path) - 2, section->path);
		} else if (!named && section->path[0] != '\0') {
			buf_putf(out, "%s:\n", section->path);
		}
		if (named) {
			buf_putf(out, "  my-%s:\n", section->kind != NULL ? section->kind : "name");
		}
		for (size_t o = 0; o < section->option_count; o++) {
			const char *indent = named ? "    " : section->path[0] != '\0' ? "  " : "";
			if (named && strcmp(section->options[o].name, "type") == 0) {
				buf_putf(out, "%stype: %s\n", indent, section->kind);
				continue;
			}
			sample_option(out, &section->options[o], indent);
		}
	}
}
