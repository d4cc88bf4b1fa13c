/* feed-report - gives the daemon one record over feed.sock and waits until it is durable.
 *
 * Threads: any. Blocking: until the daemon has committed, at most FEED_REPORT_TIMEOUT_S.
 * Source:  model/feed.h. Tests: tests/unit/feed-report.c
 */
#ifndef QUERY_FEED_REPORT_H
#define QUERY_FEED_REPORT_H

#include "model/record.h"

#define FEED_REPORT_TIMEOUT_S 30

struct feed_report {
	const char *path;        /* of feed.sock */
	const char *source;      /* who speaks */
	const char *source_type; /* serve or person: the daemon commits soon */
	const struct record *record;
};

/* Sends it. Returns 0 when it is committed; ERR_AGAIN when somebody else speaks for the source now; ERR_IO, ERR_GONE, ERR_LIMIT or
 * the daemon's refusal (ERR_IO). */
int feed_report_send(const struct feed_report *report, struct error *err);

#endif
