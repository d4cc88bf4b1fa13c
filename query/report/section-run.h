/* section-run - one section of a report: its rows read, put together, and handed to the targets.
 *
 * Threads: one per thread. Blocking: disk. Tests: tests/unit/report.c
 */
#ifndef QUERY_REPORT_SECTION_RUN_H
#define QUERY_REPORT_SECTION_RUN_H

#include "query/report/report.h"

struct section_result {
	uint64_t matched;   /* rows of the dataset that belong to the section */
	uint64_t row_count; /* rows of its table */
	uint64_t unread, damaged;
};

/* Writes the section to the targets. Returns 0 or a failure. */
int section_run(const struct report_item *item, const struct report_question *question,
		struct targets *targets, struct section_result *out_result, struct error *err);

/* Counts the rows of the dataset that belong to the section, and nothing else. */
int section_count(const struct report_item *item, const struct report_question *question,
		  uint64_t *out_matched, struct error *err);

#endif
