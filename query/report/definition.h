/* definition - a report as it is written down: report.yaml of its folder, checked.
 *
 * Shape:   title, purpose, clauses, facts, and sections or parts. A section asks one dataset and shows rows or groups of them as
 *          charts and a table. A bundle has parts, which are other reports, and a crosswalk from clauses to their sections.
 * Rules:   unknown keys, fields, datasets, a wrong type and a filter that does not parse are errors with file:line:column and, where
 *          near, "did you mean". The first error is told.
 * Limits:  a file <= 1 MiB; DEFINITION_*_MAX below; texts <= DEFINITION_TEXT_MAX bytes.
 * Life:    everything lives in the definition's arena, until definition_done.
 * Threads: read-only once read. Blocking: definition_load reads a file.
 * Source:  docs/reports.md. Tests: tests/unit/definition.c, tests/fuzz/report.c
 */
#ifndef QUERY_REPORT_DEFINITION_H
#define QUERY_REPORT_DEFINITION_H

#include "base/yaml.h"
#include "query/report/dataset.h"
#include "query/report/tally.h"

#define DEFINITION_SECTIONS_MAX 32
#define DEFINITION_CLAUSES_MAX  64
#define DEFINITION_CHARTS_MAX   4
#define DEFINITION_PARTS_MAX    16
#define DEFINITION_ROWS_MAX     64 /* of a crosswalk */
#define DEFINITION_ANSWERS_MAX  8
#define DEFINITION_MATCHES_MAX  8
#define DEFINITION_GLOBS_MAX    32
#define DEFINITION_TEXT_MAX     4000
#define DEFINITION_NAME_MAX     48
#define DEFINITION_FILE         "report.yaml"

struct definition_column {
	struct str title;
	enum report_form form;
	unsigned weight;
	bool of_tally;   /* an aggregate of the groups, else a field */
	unsigned field;  /* of the dataset; in a grouped table the number of its key */
	unsigned tally;  /* number of the aggregate */
	struct str name; /* NUL-terminated behind its length */
};

struct definition_order {
	unsigned column;
	bool descending;
};

struct definition_match { /* only, except: datasets without a filter */
	unsigned field;
	bool except;
	struct str glob[DEFINITION_GLOBS_MAX];
	size_t glob_count;
};

struct definition_chart {
	enum report_chart_kind kind;
	struct str title, unit;
	unsigned by;             /* field of the dataset */
	struct tally_spec tally; /* its groups: one key, what is marked */
	const char *risk_title;  /* NULL: nothing is marked */
	uint64_t first;          /* bars */
};

struct definition_section {
	struct str name, title, text, empty;
	const struct dataset_type *dataset;
	struct str filter;
	struct definition_match match[DEFINITION_MATCHES_MAX];
	size_t match_count;
	bool grouped;
	struct tally_spec tally; /* when grouped */
	struct definition_column column[REPORT_COLUMNS_MAX];
	size_t column_count;
	struct definition_order order[REPORT_COLUMNS_MAX];
	size_t order_count;
	bool newest_first; /* rows that are not grouped */
	uint64_t first;    /* UINT64_MAX: all */
	struct definition_chart chart[DEFINITION_CHARTS_MAX];
	size_t chart_count;
};

struct definition_crosswalk {
	struct report_clause clause;
	struct str answer[DEFINITION_ANSWERS_MAX]; /* "part/section" */
	size_t answer_count;
	struct str limits; /* what querytrail does not show */
	int line;
};

struct definition {
	struct arena arena;
	struct str name, title, purpose;
	char digest[65]; /* SHA-256 of the file, hexadecimal */
	struct report_clause clause[DEFINITION_CLAUSES_MAX];
	size_t clause_count;
	struct str fact[32]; /* names; none: all */
	size_t fact_count;
	struct definition_section *sections;
	size_t section_count;
	struct str part[DEFINITION_PARTS_MAX];
	size_t part_count;
	struct str crosswalk_title, crosswalk_text;
	struct definition_crosswalk *crosswalk;
	size_t crosswalk_count;
};

/* Reads text, of the report called name; file stands for it in messages.
 * Returns 0 and *out_definition (to be done), ERR_CONFIG or ERR_NOMEM; then it is empty. */
struct definition_input {
	const char *file;
	struct str name, text;
};
int definition_parse(const struct definition_input *input, struct definition *out_definition,
		     struct error *err);

/* Frees. */
void definition_done(struct definition *definition);

/* Whether it may name a report or a section: 1 to DEFINITION_NAME_MAX of a-z 0-9 and -, a letter or digit first. */
bool definition_name_is_allowed(struct str name);

/* The section of a name, or NULL. */
const struct definition_section *definition_section_find(const struct definition *definition,
							 struct str name);

#endif
