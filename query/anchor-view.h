/* anchor-view - how far the log was signed, and what each anchor has of it: for status and for the coverage of an answer.
 *
 * Limits:  ANCHOR_VIEW_MAX anchors are told; more are only counted.
 * Threads: a value. Blocking: anchor_view_read reads the store. Source: docs/anchors.md. Tests: tests/unit/anchor-view.c
 */
#ifndef QUERY_ANCHOR_VIEW_H
#define QUERY_ANCHOR_VIEW_H

#include "query/output.h"
#include "store/log/anchors.h"

#define ANCHOR_VIEW_MAX 16

struct anchor_view {
	uint64_t signed_size;
	int64_t signed_ns;              /* INT64_MIN: nothing was signed */
	char origin[NOTE_NAME_MAX + 1]; /* of what was signed last */
	size_t count;                   /* of anchors */
	struct anchor_state anchors[ANCHOR_VIEW_MAX];
	char damage[ERROR_TEXT_MAX]; /* what cannot be read of it; empty: nothing */
	char refused[1024];          /* why nothing is signed any more; empty: it is */
};

/* Reads it as committed. What is damaged is told in the view: it takes nothing from an answer. Returns 0, ERR_IO or ERR_NOMEM. */
int anchor_view_read(struct store *store, struct anchor_view *out, struct error *err);

/* Whether an anchor has anything of the log as it is signed now. */
bool anchor_view_has(const struct anchor_view *view, const struct anchor_state *state);

/* Appends lines for status; none when there are no anchors. */
void anchor_view_put(const struct anchor_view *view, int64_t now_ns, struct output *out);

/* Appends a line for the coverage of an answer, begun by a newline and two spaces: "anchored: w1 all 28 records 12 s ago". Nothing when there are no anchors. */
void anchor_view_put_line(const struct anchor_view *view, int64_t now_ns, struct buf *out);

/* Appends members of an object: signed, signed_time, anchored, log_refused. */
void anchor_view_put_json(const struct anchor_view *view, int64_t now_ns, bool *io_first,
			  struct buf *out);

#endif
