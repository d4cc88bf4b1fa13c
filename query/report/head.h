/* head - what stands at the top of a report: what it covers, what it was asked, what is missing, who asked.
 *
 * Facts:   scope, query, range, as_of, counts, grades, unmatched, gaps, rejects, clocks, asked_by, program, definition. Those that
 *          warn are shown even when a definition leaves them out.
 * Same:    nothing depends on the moment of the question but a relative range, which is given as instants.
 * Life:    texts live in the head_facts until head_done.
 * Threads: one per thread. Blocking: reads the sources. Tests: tests/unit/report-head.c
 */
#ifndef QUERY_REPORT_HEAD_H
#define QUERY_REPORT_HEAD_H

#include "query/coverage.h"
#include "query/report/writer.h"

#define HEAD_FACTS_MAX 16

struct definition;

/* Who asks, as the kernel says. */
struct head_asker {
	const char *name;
	int64_t uid;
};

struct head_question {
	struct store *store;
	const struct zone *zone;
	const struct plan *plan; /* the filter and range of the command line */
	struct str filter;       /* as it was given */
	const struct run_result *found;
	struct head_asker asker;
	const struct definition *definition;
};

struct head {
	struct arena arena;
	struct report_fact fact[HEAD_FACTS_MAX];
	size_t fact_count;
	bool incomplete;
	uint64_t matched;
};

/* Gathers the facts. Returns 0 and *out_head (to be done), or a failure of the store, ERR_NOMEM. */
int head_make(const struct head_question *question, struct head *out_head, struct error *err);
void head_done(struct head *head);

/* The names of all facts. */
const char *const *head_fact_names(size_t *out_count);

#endif
