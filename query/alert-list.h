/* alert-list - alerts as rows: table, sentences, JSON, JSON lines, CSV; and the deliveries that failed.
 *
 * Trust:   every value is escaped for the place where it goes.
 * Threads: one per process. Blocking: disk. Source: docs/query.md. Tests: tests/unit/cmd-alerts.c, tests/golden/, tests/golden/
 */
#ifndef QUERY_ALERT_LIST_H
#define QUERY_ALERT_LIST_H

#include "query/alert-view.h"
#include "query/session.h"

struct alert_filter {
	int64_t from_ns, to_ns; /* half-open, on the time of the event */
	int min_severity;       /* 0: all */
	unsigned states;        /* bit s: state s; 0: all */
	struct str rule;        /* glob over the rule's id, or a part of its title; empty: all */
};

/* Puts the alerts that pass; the exit status, or a failure. */
int alert_list_put(struct session *session, const struct alert_filter *filter,
		   const struct pack *pack, struct error *err);

/* Puts the deliveries that are dead. */
int alert_failed_put(struct session *session, struct error *err);

#endif
