/* config_internal - what the files of the configuration loader share: config.c (files, getters), config_value.c (types),
 * config_check.c (schema), config_dump.c (writing).
 *
 * Shape:   one config_value for every option of every section that exists, set or not, in schema order.
 * Life:    all in config->arena. Threads: as config.h.
 */
#ifndef BASE_CONFIG_INTERNAL_H
#define BASE_CONFIG_INTERNAL_H

#include "base/config.h"
#include "base/yaml.h"

struct config_item { /* of a list; or of a map, with its values */
	struct str text;
	struct config_item *values;
	size_t value_count;
	struct config_item *next;
};

struct config_value {
	struct str section; /* "sources.api" */
	const struct config_option *option;
	struct str text;
	int64_t number; /* INT, DURATION, SIZE, BOOL */
	struct config_item *items;
	size_t item_count;
	struct str file; /* empty: the default */
	int line, column;
	struct config_value *next;
};

struct config_name {
	struct str parent, name; /* "sources", "api" */
	struct config_name *next;
};

struct config {
	const struct config_schema *schema;
	struct arena arena;
	struct config_value *first, *last;
	struct config_name *names, *last_name;
	struct buf place;
};

struct config_load {
	struct config *config;
	struct str folder; /* what relative paths are taken from */
	struct buf report;
	size_t problem_count;
};

struct config_place { /* where a check stands */
	struct config_load *load;
	struct str file;
};

/* Adds a line to the report, up to 20. */
void config_problem(struct config_load *load, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with "file:line:column: " in front. */
void config_problem_at(const struct config_place *place, int line, int column, const char *format,
		       ...) __attribute__((format(printf, 4, 5)));

/* Reads text by the option's type: the number of INT, DURATION, SIZE and BOOL; other types leave *out as it is. False when the
 * text is not of the type. */
bool config_read_number(const struct config_option *option, struct str text, int64_t *out);

/* Checks a node by the option's type and limits, and takes its value; problems go to the report. */
void config_take_value(const struct config_place *place, const struct yaml_node *node,
		       struct config_value *value);

/* Takes one file's text into the configuration; problems of content go to the report, those of syntax are returned. */
int config_take(struct config_load *load, const char *file, struct str text, struct error *err);

/* After all files: makes values of what is not set, and reports required options that are missing. */
void config_check_whole(struct config_load *load);

/* The value row of an option, or NULL. */
struct config_value *config_find(const struct config *config, const char *section,
				 const char *option);

#endif
