/* scan - which window of time to ask CloudWatch for next, and what a finished one proves.
 *
 * Scans:   three, which take turns page by page: the tail (from the last tail's end less the overlap up to now), the settle sweep
 *          (the trailing settle_window), the deep sweep (the trailing deep_window); the tail goes first.
 *          A long scan is cut into windows, so that a restart costs one window.
 * Rules:   only a page without nextToken ends a window; only the last window of a scan moves its position; an empty page or a failed
 *          call moves nothing. Windows include both their ends, and the next one begins at the last one's end, never 1 ms later.
 *          settled_ms moves only by a finished settle sweep, to when that sweep began less settle_delay.
 *          A token that is older than its life restarts its window; one that is refused halves it too.
 * Cursor:  the whole state as bytes (scan_put, scan_read): version, positions, and the scans that are under way with their tokens.
 * Threads: one per thread; pure: "now" is an argument. Blocking: never.
 * Source:  docs/architecture.md, "CloudWatch". Tests: tests/unit/cloudwatch-scan.c
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_SCAN_H
#define COLLECTOR_SOURCES_CLOUDWATCH_SCAN_H

#include "base/buf.h"

#include <stdint.h>

#define SCAN_TOKEN_MAX     65536
#define SCAN_NONE          INT64_MIN
#define SCAN_TOKEN_LIFE_MS (INT64_C(23) * 3600 * 1000) /* AWS: 24 h */

enum scan_kind { /* stored in cursors; never changes */
		 SCAN_TAIL = 0,
		 SCAN_SETTLE = 1,
		 SCAN_DEEP = 2,
};
#define SCAN_KINDS 3

struct scan_options {     /* all in milliseconds */
	int64_t start_ms; /* how far back the very first scan begins */
	int64_t poll_ms, overlap_ms;
	int64_t settle_interval_ms, settle_window_ms, settle_delay_ms;
	int64_t deep_interval_ms, deep_window_ms;
};

struct scan {
	bool active;
	int64_t start_ms, end_ms; /* the window, both ends included */
	int64_t goal_ms;          /* where the scan's last window ends */
	int64_t started_ms;       /* when the scan began */
	int64_t token_ms;         /* when the token was given */
	struct buf token;         /* for the window's next page; empty: its first */
	uint64_t slice;           /* part of the page that is to be given next */
};

struct scans {
	struct scan scan[SCAN_KINDS];
	int64_t origin_ms; /* nothing before this is ever asked for; SCAN_NONE before the first scan */
	int64_t tail_end_ms; /* all windows of the tail up to here are finished; SCAN_NONE */
	int64_t settled_ms;  /* SCAN_NONE before the first settle sweep */
	int64_t began_ms[SCAN_KINDS]; /* when each kind of scan last began; SCAN_NONE */
	uint64_t serial;              /* makes each cursor unlike the one before */
	enum scan_kind last;          /* whose page was asked for last; not stored */
	int64_t window_ms;            /* length of windows; not stored */
	uint32_t window_pages;        /* of the tail's window so far; not stored */
};

/* At the very beginning: no cursor. */
void scans_init(struct scans *scans);
void scans_done(struct scans *scans);

/* Reads a cursor; an empty one is the beginning. Returns 0, or ERR_CORRUPT; then the state is as after scans_init. */
int scans_read(struct scans *scans, struct str cursor, struct error *err);

/* Appends the cursor. */
void scans_put(const struct scans *scans, struct buf *out);

/* Chooses the scan whose page comes next, and begins one when it is due.
 * Returns true and *out_kind, or false and *out_wait_ms until something is due. */
bool scans_choose(struct scans *scans, const struct scan_options *options, int64_t now_ms,
		  enum scan_kind *out_kind, int64_t *out_wait_ms);

/* Whether a scan is under way, or the first tail or settle sweep is still to come: the source has not caught up. */
bool scans_busy(const struct scans *scans);

/* How long until something is due; 0: now. */
int64_t scans_wait_ms(const struct scans *scans, const struct scan_options *options,
		      int64_t now_ms);

/* All of a page is given: next_token for the rest of its window, empty when it was the last. */
void scans_page_done(struct scans *scans, const struct scan_options *options, enum scan_kind kind,
		     struct str next_token, int64_t now_ms);

/* The token was refused: the window begins again, half as long, so that where tokens never work windows of one page do. */
void scans_token_lost(struct scans *scans, enum scan_kind kind);

#endif
