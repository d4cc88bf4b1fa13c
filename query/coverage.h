/* coverage - what an answer rests on: how much was there, what is missing, and until when the sources were read.
 *
 * Incomplete: a gap overlaps the time asked for, a block is damaged, a regular expression gave up on a text, a source is failed, silent, retrying or not caught up, or
 *          a source's watermark lies before the end that was asked for. Then the exit status is 3.
 * Rejects: what did not parse is told, but does not make an answer incomplete: its bytes are there, its time is not known.
 * Stopped: an open-ended question on a store that nobody writes is told so; it is no lack, since all that is stored was looked at.
 * Threads: a value. Blocking: coverage_make reads the sources.
 * Source:  docs/query.md. Tests: tests/unit/coverage.c
 */
#ifndef QUERY_COVERAGE_H
#define QUERY_COVERAGE_H

#include "query/anchor-view.h"
#include "query/run.h"
#include "query/verified.h"
#include "query/zone.h"
#include "store/store.h"

struct coverage {
	const struct run_result *result;
	const struct store_source *sources; /* borrowed from the store until its next call */
	size_t source_count;
	int64_t from_ns, to_ns, now_ns; /* what was asked for; INT64_MIN and INT64_MAX: all */
	uint64_t matched, returned;
	bool daemon_stopped; /* no process writes the store: nothing newer will be in it */
	struct store_removed
		removed;            /* what retention has taken: by policy, so no lack, but told */
	struct anchor_view anchors; /* what left the host */
	uint64_t given_up;          /* texts that a regular expression gave up on */
	const struct verified *verified; /* of --verified; NULL: it was not asked */
	uint64_t unread;                 /* rows that match but could not be read whole */
};

/* Fills in the sources and what the run found. Returns 0 or a failure of the store. */
int coverage_make(struct store *store, const struct plan *plan, const struct run_result *result,
		  struct coverage *out_coverage, struct error *err);

/* Whether a source has not delivered all that was asked for; *out_why is a static phrase ("is silent"). */
bool coverage_source_lacks(const struct coverage *coverage, const struct store_source *source,
			   const char **out_why);

/* How many records of all sources did not parse, and so may be what was asked for. */
uint64_t coverage_rejected(const struct coverage *coverage);

/* Whether anything is missing. */
bool coverage_incomplete(const struct coverage *coverage);

/* Appends lines for people: a summary, and one line for each thing that is missing. */
void coverage_put_text(const struct coverage *coverage, const struct zone *zone, struct buf *out);

/* Appends one JSON object. */
void coverage_put_json(const struct coverage *coverage, struct buf *out);

#endif
