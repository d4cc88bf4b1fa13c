/* group - one CloudWatch log group, asked page by page.
 *
 * Threads: one per process. Blocking: group_page and group_retention, until the time limit.
 * Source:  AWS FilterLogEvents, DescribeLogGroups. Tests: tests/integration/cloudwatch-faults.py
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_GROUP_H
#define COLLECTOR_SOURCES_CLOUDWATCH_GROUP_H

#include "collector/source.h"
#include "collector/sources/cloudwatch/credentials.h"
#include "collector/sources/cloudwatch/reply.h"
#include "collector/sources/cloudwatch/scan.h"

struct group {
	const char *name;   /* or ARN; borrowed */
	const char *region; /* borrowed */
	struct buf url;
	struct client client;
	struct chain chain;
	int64_t timeout_ns;
	int64_t page_limit; /* as configured */
	int64_t limit_now;  /* fewer after a reply that was too large */
	struct buf body;
};

/* From the options of section. Returns 0, ERR_CONFIG, ERR_NOMEM; group_done is fine after a failure. */
int group_init(struct group *group, const struct config *config, const char *section,
	       struct error *err);
void group_done(struct group *group);

struct group_answer {
	struct http_reply reply; /* as the service sent it */
	struct reply_page page;  /* borrows from the group until its next call, and from arena */
	struct arena *arena;     /* given by the caller */
	enum awserror_kind
		kind; /* what the service refused; AWSERROR_NONE when all is well, and for other errors */
};

struct group_ask {
	const struct source_request *request;
	int64_t now_ns; /* wall time */
};

/* One page of the scan's window. Returns 0, or as source_type.fetch. */
int group_page(struct group *group, const struct scan *scan, const struct group_ask *ask,
	       struct group_answer *answer, struct error *err);

/* How many days the group keeps its lines: *out_days, 0 for ever. Returns 0, ERR_GONE when the service does not tell, or as
 * above. */
int group_retention(struct group *group, const struct group_ask *ask, int64_t *out_days,
		    struct error *err);

#endif
