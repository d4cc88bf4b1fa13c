/* question - what was asked: the filter, the time bounds, the grades and the limit of a command line, ready to run.
 *
 * Life:    everything lives until question_done; the plan borrows from it.
 * Threads: a value. Blocking: never. Source: docs/query.md. Tests: tests/unit/group.c, tests/golden/
 */
#ifndef QUERY_QUESTION_H
#define QUERY_QUESTION_H

#include "base/arena.h"
#include "query/plan.h"
#include "query/session.h"

struct question {
	struct buf text; /* the filter */
	struct arena arena;
	struct query query;
	struct plan_options options;
	struct plan plan;
	uint64_t limit; /* --limit; what it is before question_read holds without one */
};

/* Prepares an empty question without a limit; gives its memory back. */
void question_init(struct question *question);
void question_done(struct question *question);

/* Reads --since, --until, --grade, --limit, and words as the filter. Returns 0, or ERR_USAGE: then, for a fault of the filter, err has the line and
 * a mark below the place. */
int question_read(struct session *session, char *const *words, size_t word_count,
		  struct question *question, struct error *err);

#endif
