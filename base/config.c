#include "base/config.h"

#include "base/arena.h"
#include "base/config_internal.h"
#include "base/io.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#define CONFIG_MEMORY_MAX (64u << 20)

struct config_value *config_find(const struct config *config, const char *section,
				 const char *option)
{
	for (struct config_value *value = config->first; value != NULL; value = value->next) {
		if (str_is(value->section, section) && strcmp(value->option->name, option) == 0) {
			return value;
		}
	}
	return NULL;
}

static struct config *config_new(const struct config_schema *schema)
{
	struct config *config = calloc(1, sizeof(*config));
	if (config != NULL) {
		config->schema = schema;
		arena_init(&config->arena, CONFIG_MEMORY_MAX);
		buf_init(&config->place, 8192);
	}
	return config;
}

void config_free(struct config *config)
{
	if (config != NULL) {
		arena_done(&config->arena);
		buf_done(&config->place);
		free(config);
	}
}

/* Reads one file into the configuration. */
static int load_file(struct config_load *load, const char *path, struct error *err)
{
	struct buf text;
	buf_init(&text, YAML_MAX_BYTES + 1);
	int result = io_read_file(path, YAML_MAX_BYTES, &text, err);
	if (result != 0 && result != -ERR_NOMEM) {
		result = -ERR_CONFIG;
		if (err != NULL) {
			err->code = ERR_CONFIG;
		}
	}
	if (result == 0) {
		result = config_take(load, path, buf_str(&text), err);
	}
	buf_done(&text);
	return result;
}

static int is_drop_in(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_has_suffix(str_of(entry->d_name), STR_LIT(".yaml"));
}

/* The folder part of path, with its slash. */
static struct str folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? str_make(path, (size_t)(slash - path) + 1) : STR_LIT("./");
}

static int load_drop_ins(struct config_load *load, const char *path, struct error *err)
{
	struct buf folder;
	buf_init(&folder, 8192);
	buf_put_str(&folder, folder_of(path));
	buf_put_text(&folder, "conf.d");
	struct dirent **entries = NULL;
	int count = scandir(folder.ptr, &entries, is_drop_in, alphasort);
	int result = 0;
	if (count < 0 && errno != ENOENT) {
		(void)error_errno(err, "read the folder %s", folder.ptr); /* code below */
		result = -ERR_CONFIG;
	}
	size_t len = folder.len;
	for (int i = 0; i < count; i++) {
		buf_truncate(&folder, len);
		buf_putf(&folder, "/%s", entries[i]->d_name);
		if (result == 0) {
			result = load_file(load, folder.ptr, err);
		}
		free(entries[i]);
	}
	free(entries);
	buf_done(&folder);
	return result;
}

/* Checks what only the whole can show, and hands the result or the failure over. */
static int finish(struct config_load *load, int result, struct config **out_config,
		  struct buf *out_report, struct error *err)
{
	if (result == 0) {
		config_check_whole(load);
		result = load->problem_count != 0 ? -ERR_CONFIG : 0;
	}
	if (result == -ERR_CONFIG && load->problem_count == 0 && err != NULL) {
		config_problem(load, "%s", err->text);
	}
	if (out_report != NULL) {
		buf_put_str(out_report, buf_str(&load->report));
	}
	if (result == -ERR_CONFIG && load->problem_count != 0) {
		struct str rest = buf_str(&load->report);
		struct str first = str_split(&rest, '\n');
		result = error_set(err, ERR_CONFIG, "%.*s", STR_ARG(first));
	}
	buf_done(&load->report);
	if (result != 0) {
		config_free(load->config);
		return result;
	}
	*out_config = load->config;
	return 0;
}

static int start(struct config_load *load, const struct config_schema *schema, struct error *err)
{
	*load = (struct config_load){.config = config_new(schema)};
	buf_init(&load->report, 65536);
	if (load->config == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the configuration");
	}
	return 0;
}

int config_load(const struct config_schema *schema, const char *path, struct config **out_config,
		struct buf *out_report, struct error *err)
{
	struct error local = {0};
	struct config_load load;
	int result = start(&load, schema, &local);
	if (result == 0) {
		load.folder = folder_of(path);
		result = load_file(&load, path, &local);
		if (result == 0) {
			result = load_drop_ins(&load, path, &local);
		}
		result = finish(&load, result, out_config, out_report, &local);
	}
	if (err != NULL && result != 0) {
		*err = local;
	}
	return result;
}

int config_parse(const struct config_schema *schema, const struct config_input *input,
		 struct config **out_config, struct buf *out_report, struct error *err)
{
	struct error local = {0};
	struct config_load load;
	int result = start(&load, schema, &local);
	if (result == 0) {
		load.folder = STR_LIT("./");
		result = config_take(&load, input->name, input->text, &local);
		result = finish(&load, result, out_config, out_report, &local);
	}
	if (err != NULL && result != 0) {
		*err = local;
	}
	return result;
}

static struct config_name *name_at(const struct config *config, const char *parent, size_t index)
{
	for (struct config_name *name = config->names; name != NULL; name = name->next) {
		if (str_is(name->parent, parent) && index-- == 0) {
			return name;
		}
	}
	return NULL;
}

size_t config_name_count(const struct config *config, const char *parent)
{
	size_t count = 0;
	while (name_at(config, parent, count) != NULL) {
		count++;
	}
	return count;
}

const char *config_name(const struct config *config, const char *parent, size_t index)
{
	const struct config_name *name = name_at(config, parent, index);
	assert(name != NULL);
	return name->name.ptr;
}

/* The value of an option that the caller knows to exist: the schema has it for this section. */
static const struct config_value *must_find(const struct config *config, const char *section,
					    const char *option)
{
	const struct config_value *value = config_find(config, section, option);
	assert(value != NULL && "an option that the schema has not");
	return value;
}

const char *config_text(const struct config *config, const char *section, const char *option)
{
	const struct config_value *value = must_find(config, section, option);
	assert(value->option->type != CONFIG_LIST && value->option->type != CONFIG_MAP);
	return value->text.ptr;
}

int64_t config_int(const struct config *config, const char *section, const char *option)
{
	const struct config_value *value = must_find(config, section, option);
	assert(value->option->type == CONFIG_INT || value->option->type == CONFIG_DURATION ||
	       value->option->type == CONFIG_SIZE);
	return value->number;
}

bool config_bool(const struct config *config, const char *section, const char *option)
{
	const struct config_value *value = must_find(config, section, option);
	assert(value->option->type == CONFIG_BOOL);
	return value->number != 0;
}

bool config_is_set(const struct config *config, const char *section, const char *option)
{
	return must_find(config, section, option)->file.len != 0;
}

size_t config_list_count(const struct config *config, const char *section, const char *option)
{
	const struct config_value *value = must_find(config, section, option);
	assert(value->option->type == CONFIG_LIST);
	return value->item_count;
}

static const struct config_item *item_at(const struct config_item *item, size_t index)
{
	while (item != NULL && index-- != 0) {
		item = item->next;
	}
	assert(item != NULL && "an index past the end");
	return item;
}

const char *config_list(const struct config *config, const char *section, const char *option,
			size_t index)
{
	return item_at(must_find(config, section, option)->items, index)->text.ptr;
}

size_t config_map_count(const struct config *config, const char *section, const char *option)
{
	const struct config_value *value = must_find(config, section, option);
	assert(value->option->type == CONFIG_MAP);
	return value->item_count;
}

const char *config_map_key(const struct config *config, const char *section, const char *option,
			   size_t index)
{
	return item_at(must_find(config, section, option)->items, index)->text.ptr;
}

size_t config_map_value_count(const struct config *config, const char *section, const char *option,
			      size_t index)
{
	return item_at(must_find(config, section, option)->items, index)->value_count;
}

const char *config_map_value(const struct config *config, const char *section, const char *option,
			     size_t index, size_t value_index)
{
	const struct config_item *item = item_at(must_find(config, section, option)->items, index);
	return item_at(item->values, value_index)->text.ptr;
}

const char *config_place(const struct config *config, const char *section, const char *option)
{
	const struct config_value *value = must_find(config, section, option);
	if (value->file.len == 0) {
		return "default";
	}
	struct config *owner =
		(struct config *)(uintptr_t)config; /* place is scratch, not content */
	buf_clear(&owner->place);
	buf_putf(&owner->place, "%s:%d:%d", value->file.ptr, value->line, value->column);
	return owner->place.ptr != NULL ? owner->place.ptr : "";
}
