/* config - one YAML file and its drop-ins, checked against one table of options.
 *
 * Shape:   a schema is a list of sections; a section has a path ("join", or "sources.*" for named ones) and option rows. A
 *          section with a kind ("cloudwatch") applies to "sources.NAME" whose option `type` has that value.
 *          Values are kept as text with their place; typed getters parse text that was checked at load, so they can't fail.
 * Files:   the file first, then conf.d/ *.yaml beside it in lexical order; a later one wins option by option.
 * Rules:   unknown sections or options, a repeated key, a wrong type, a value out of range, and a missing required option are
 *          errors with file:line:column and, where near, "did you mean". All errors of a load are told, up to 20.
 *          YAML anchors, aliases and tags are refused; depth <= 8; a file <= 1 MiB.
 * Life:    a struct config is immutable once loaded; texts borrow from it.
 * Threads: read-only after load. Blocking: reads files.
 * Source:  YAML 1.2 by libfyaml. Tests: tests/unit/config.c, tests/fuzz/config.c
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

enum config_type {
	CONFIG_TEXT, /* any text; min and max are lengths in bytes */
	CONFIG_PATH, /* a file or folder; relative ones are taken from the configuration file's folder */
	CONFIG_SECRET, /* the path of a secret file, or a bare systemd credential name; never the secret itself */
	CONFIG_INT,      /* min..max */
	CONFIG_BOOL,     /* true or false */
	CONFIG_DURATION, /* "250ms"; min..max in nanoseconds */
	CONFIG_SIZE,     /* "64MiB"; min..max in bytes */
	CONFIG_ENUM,     /* one of the words in choices, which are separated by '|' */
	CONFIG_LIST,     /* a sequence of texts; a single text counts as a list of one */
	CONFIG_MAP,      /* a mapping from text to a list of texts, in file order */
};

struct config_option {
	const char *name;
	enum config_type type;
	const char *fallback; /* the default as YAML text; NULL: none; "!" : required */
	int64_t min, max;     /* both 0: no limit */
	const char *choices;  /* CONFIG_ENUM only */
	const char *unit;     /* for the manual; may be NULL */
	const char *help;     /* one sentence */
};

struct config_section {
	const char *path; /* "", "join", "sources.*" */
	const char *kind; /* the value of `type` that selects this row, or NULL */
	const char *help;
	const struct config_option *options;
	size_t option_count;
};

struct config_schema {
	const struct config_section *sections;
	size_t section_count;
};

struct config;

/* Loads and checks path and its conf.d.
 *   schema   borrowed for the life of the result
 * Returns 0 and *out_config (to be freed), or
 *   ERR_CONFIG  err holds the first problem; out_report (may be NULL) every problem, one a line "file:line:column: text"
 *   ERR_NOMEM */
int config_load(const struct config_schema *schema, const char *path, struct config **out_config,
		struct buf *out_report, struct error *err);

/* The same from text, for tests and for a store that is used without a file; input->name stands for the file in messages,
 * relative paths are taken from the working folder. */
struct config_input {
	const char *name;
	struct str text;
};
int config_parse(const struct config_schema *schema, const struct config_input *input,
		 struct config **out_config, struct buf *out_report, struct error *err);

/* Frees; NULL is fine. */
void config_free(struct config *config);

/* How many named sections stand below parent ("sources"), and the name of one; in file order. */
size_t config_name_count(const struct config *config, const char *parent);
const char *config_name(const struct config *config, const char *parent, size_t index);

/* Values of option in section ("join", "sources.api"); the fallback when the file has none. Asking for an option that the
 * schema has not, or by the wrong type, is a bug and asserts. Text is "" when there is neither value nor fallback. Paths come
 * absolute. */
const char *config_text(const struct config *config, const char *section, const char *option);
int64_t config_int(const struct config *config, const char *section,
		   const char *option); /* INT, DURATION (ns), SIZE */
bool config_bool(const struct config *config, const char *section, const char *option);
bool config_is_set(const struct config *config, const char *section,
		   const char *option); /* in a file */
size_t config_list_count(const struct config *config, const char *section, const char *option);
const char *config_list(const struct config *config, const char *section, const char *option,
			size_t index);
size_t config_map_count(const struct config *config, const char *section, const char *option);
const char *config_map_key(const struct config *config, const char *section, const char *option,
			   size_t index);
size_t config_map_value_count(const struct config *config, const char *section, const char *option,
			      size_t index);
const char *config_map_value(const struct config *config, const char *section, const char *option,
			     size_t index, size_t value_index);

/* Where a value stands: "file:line:column", or "default". Borrowed until the next call. */
const char *config_place(const struct config *config, const char *section, const char *option);

/* Appends the whole configuration as YAML, defaults included; with_origin adds "# file:line:column" behind each. Secrets are
 * paths, so nothing is hidden. */
void config_dump(const struct config *config, bool with_origin, struct buf *out);

/* Appends a commented sample of the schema: every option with its sentence, type, limits and default. */
void config_sample(const struct config_schema *schema, struct buf *out);

#endif
