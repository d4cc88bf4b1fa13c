/* report - a report put together and run: its definition with its parts, over a store, to its targets.
 *
 * Order:   head, then each section: text, charts, table, notes; a bundle begins with its crosswalk. docs/reports.md.
 * Memory:  rows stream; groups and the crosswalk's counts are kept.
 * Same:    the same store, arguments and definition give the same bytes.
 * Threads: one per thread. Blocking: disk. Tests: tests/unit/report.c, tests/integration/report.sh
 */
#ifndef QUERY_REPORT_REPORT_H
#define QUERY_REPORT_REPORT_H

#include "query/report/folder.h"
#include "query/report/head.h"
#include "query/report/target.h"

#define REPORT_ITEMS_MAX (DEFINITION_PARTS_MAX * (DEFINITION_SECTIONS_MAX + 1) + 1)

struct report_item { /* a section, or the beginning of a part */
	const struct definition *definition;
	const struct definition_section *section; /* NULL: a part begins */
	const char *anchor;
	unsigned level;
	uint64_t matched; /* rows of the dataset; for a crosswalk */
	bool counted;
};

struct report {
	struct definition *definition;
	struct definition *part[DEFINITION_PARTS_MAX];
	size_t part_count;
	struct report_item item[REPORT_ITEMS_MAX];
	size_t item_count;
	struct arena arena;
};

/* Loads the definition and its parts. Returns 0 and *out_report (to be done), or as folders_load. */
int report_load(const struct folders *folders, struct str name, struct report *out_report,
		struct error *err);

/* The same of a definition that is at hand; its parts come from the folders. Returns as definition_parse and report_load. */
int report_parse(const struct folders *folders, const struct definition_input *input,
		 struct report *out_report, struct error *err);

/* Frees. */
void report_done(struct report *report);

struct report_question {
	struct store *store;
	const struct zone *zone;
	int64_t now_ns, from_ns, to_ns;
	struct str filter;
	struct head_asker asker;
};

struct report_outcome {
	uint64_t row_count; /* rows of all tables */
	bool incomplete;
};

/* Runs it. Returns 0 and *out_outcome, ERR_USAGE for the filter, or a failure. The targets are not committed. */
int report_run(struct report *report, const struct report_question *question,
	       struct targets *targets, struct report_outcome *out_outcome, struct error *err);

#endif
