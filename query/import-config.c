#include "query/import-config.h"

#include "base/json.h"
#include "model/options.h"

/* A JSON string is a YAML scalar in double quotes. */
static void put_text(struct buf *out, const char *text)
{
	json_put_string(out, str_of(text));
}

static void put_pair(struct buf *out, const char *indent, const char *name, const char *value)
{
	buf_putf(out, "%s%s: ", indent, name);
	put_text(out, value);
	buf_put_byte(out, '\n');
}

static void put_list(const struct config *config, const char *section, const char *option,
		     struct buf *out)
{
	buf_putf(out, "  %s: [", option);
	for (size_t i = 0; i < config_list_count(config, section, option); i++) {
		buf_put_text(out, i > 0 ? ", " : "");
		put_text(out, config_list(config, section, option, i));
	}
	buf_put_text(out, "]\n");
}

static void put_map(const struct config *config, const char *section, const char *option,
		    struct buf *out)
{
	buf_putf(out, "  %s:\n", option);
	for (size_t i = 0; i < config_map_count(config, section, option); i++) {
		buf_put_text(out, "    ");
		put_text(out, config_map_key(config, section, option, i));
		buf_put_text(out, ": [");
		for (size_t v = 0; v < config_map_value_count(config, section, option, i); v++) {
			buf_put_text(out, v > 0 ? ", " : "");
			put_text(out, config_map_value(config, section, option, i, v));
		}
		buf_put_text(out, "]\n");
	}
}

static void put_option(const struct config *config, const char *section,
		       const struct config_option *option, struct buf *out)
{
	switch (option->type) {
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_SECRET:
	case CONFIG_ENUM:
		put_pair(out, "  ", option->name, config_text(config, section, option->name));
		return;
	case CONFIG_INT:
	case CONFIG_SIZE:
		buf_putf(out, "  %s: %lld\n", option->name,
			 (long long)config_int(config, section, option->name));
		return;
	case CONFIG_DURATION:
		buf_putf(out, "  %s: %lldns\n", option->name,
			 (long long)config_int(config, section, option->name));
		return;
	case CONFIG_BOOL:
		buf_putf(out, "  %s: %s\n", option->name,
			 config_bool(config, section, option->name) ? "true" : "false");
		return;
	case CONFIG_LIST:
		put_list(config, section, option->name, out);
		return;
	case CONFIG_MAP:
		put_map(config, section, option->name, out);
		return;
	}
}

static void put_section(const struct config *config, const char *name, struct buf *out)
{
	const struct config_schema *schema = options_schema();
	bool any = false;
	for (size_t s = 0; s < schema->section_count; s++) {
		const struct config_section *section = &schema->sections[s];
		for (size_t i = 0; strcmp(section->path, name) == 0 && i < section->option_count;
		     i++) {
			if (!config_is_set(config, name, section->options[i].name)) {
				continue;
			}
			if (!any) {
				buf_putf(out, "%s:\n", name);
			}
			any = true;
			put_option(config, name, &section->options[i], out);
		}
	}
}

void import_config_put(const struct import_config *import, struct buf *out)
{
	put_pair(out, "", "store", import->store);
	put_pair(out, "", "runtime", import->runtime);
	put_pair(out, "", "log_level", "warning");
	if (import->model != NULL) {
		if (config_is_set(import->model, "", "store_key_file")) {
			put_pair(out, "", "store_key_file",
				 config_text(import->model, "", "store_key_file"));
		}
		put_section(import->model, "log", out);
		put_section(import->model, "seal", out);
		put_section(import->model, "retention", out);
		put_section(import->model, "join", out);
		put_section(import->model, "identity", out);
		put_section(import->model, "rules", out);
		put_section(import->model, "alerts", out);
	}
	buf_put_text(out, "sources:\n  ");
	put_text(out, import->source);
	buf_put_text(out, ":\n");
	put_pair(out, "    ", "type", "file");
	put_pair(out, "    ", "content", import->content);
	if (import->log_format != NULL) {
		put_pair(out, "    ", "format", import->log_format);
	}
	/* the files may have changed since */
	put_pair(out, "    ", "from_start", import->goes_on ? "false" : "true");
	buf_put_text(out, "    files:\n");
	for (size_t i = 0; i < import->file_count; i++) {
		buf_put_text(out, "      - ");
		put_text(out, import->files[i]);
		buf_put_byte(out, '\n');
	}
}
