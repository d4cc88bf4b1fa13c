/* bars - the groups of a tally as the bars of a chart.
 *
 * Bars:    the largest first, the rest as one bar; timeline: every period from the first to the last, those without rows too, in a coarser
 *          unit when there would be more than REPORT_BARS_MAX; stack: grades in their order, else the largest first.
 * Threads: pure but for the targets. Blocking: writes. Tests: tests/unit/bars.c
 */
#ifndef QUERY_REPORT_BARS_H
#define QUERY_REPORT_BARS_H

#include "query/report/definition.h"
#include "query/report/target.h"

struct bars_question {
	const struct definition_chart *chart;
	const struct dataset *dataset;
	const struct zone *zone;
};

/* Sorts the tally and writes the chart; one without rows is not written. Returns 0 or a failure of a target, ERR_NOMEM. */
int bars_write(const struct bars_question *question, struct tally *tally, struct targets *targets,
	       struct error *err);

#endif
