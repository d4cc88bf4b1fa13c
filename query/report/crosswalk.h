/* crosswalk - the table of a bundle that says for each clause which sections answer it, with how many rows, and what is not shown.
 *
 * Threads: one per thread. Blocking: disk, to count. Tests: tests/unit/report.c
 */
#ifndef QUERY_REPORT_CROSSWALK_H
#define QUERY_REPORT_CROSSWALK_H

#include "query/report/report.h"

#define CROSSWALK_ANCHOR "crosswalk"

/* Checks that every answer names a section of its part. Returns 0 or ERR_CONFIG. */
int crosswalk_check(const struct report *report, struct error *err);

/* Counts what the answers need and writes the section. Returns 0 or a failure. */
int crosswalk_write(struct report *report, const struct report_question *question,
		    struct targets *targets, struct error *err);

#endif
