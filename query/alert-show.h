/* alert-show - one alert for a person: what, why it is risky, who, the statement, what to do next, and what became of it.
 *
 * Trust:   every value is escaped; a statement keeps its lines, each behind a bar.
 * Threads: one per process. Blocking: disk. Tests: tests/unit/alert-show.c, tests/golden/
 */
#ifndef QUERY_ALERT_SHOW_H
#define QUERY_ALERT_SHOW_H

#include "query/alert-view.h"
#include "query/session.h"

/* The alert of an id, or of the beginning (6 digits or more) of one id alone; its texts stand in texts. Returns 0, ERR_GONE (there is none), ERR_USAGE (several
 * begin so, or it is shorter), ERR_CORRUPT, ERR_IO. */
int alert_find(struct store *store, struct str id, struct buf *texts, struct store_alert *out_alert,
	       struct error *err);

/* Puts the alert of an id (or of its only beginning); the exit status, or a failure of alert_find. */
int alert_show_put(struct session *session, struct str id, const struct pack *pack,
		   struct error *err);

#endif
