/* access-report - tells the daemon who asks what, and waits until that is durable.
 *
 * Threads: any. Blocking: until the daemon has committed, at most ACCESS_TIMEOUT_S.
 * Source:  docs/format.md section 2. Tests: tests/unit/access-report.c
 */
#ifndef QUERY_ACCESS_REPORT_H
#define QUERY_ACCESS_REPORT_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

#define ACCESS_TIMEOUT_S 30
#define ACCESS_SOURCE    "querytrail-serve"

struct access_report {
	struct str user;      /* name of the peer */
	int64_t peer_uid;     /* from the kernel */
	struct str arguments; /* the command line as it was asked */
	int64_t now_ns;
};

/* Sends one ACCESS record over the feed.sock at path.
 * Returns 0 when it is committed; ERR_IO, ERR_GONE, ERR_AGAIN or the daemon's refusal otherwise: then nothing may be shown. */
int access_report_send(const char *path, const struct access_report *report, struct error *err);

#endif
