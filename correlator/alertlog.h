/* alertlog - puts what becomes of an alert into the store: ALERT record, row, and what the channels are to hear.
 *
 * Commit:  all of it within the writer's open transaction.
 * Threads: as the store. Blocking: disk. Tests: tests/unit/alertlog.c
 */
#ifndef CORRELATOR_ALERTLOG_H
#define CORRELATOR_ALERTLOG_H

#include "correlator/disposition.h"
#include "correlator/outbox.h"

struct alertlog {
	struct outbox outbox; /* store, channels, and the moment */
	int64_t hold_ns;      /* how long the first delivery may wait for the person */
	int64_t max_age_ns;   /* older events are listed, not sent */
	struct buf encoded;
	uint64_t appended; /* ALERT records, since the owner set it to 0 */
};

/* What the ALERT record says besides the alert's row; absent texts are empty. */
struct alertlog_said {
	const char *event; /* fired, revoked */
	struct str title, tags, matched, reason, statement_id;
};

/* Prepares for a writer's store; without channels. */
void alertlog_init(struct alertlog *log, struct store *store);
/* Frees. */
void alertlog_done(struct alertlog *log);

/* An alert that is new: state, revision, quiet and leaf are set here. hold: the person may become known soon. */
int alertlog_raise(struct alertlog *log, struct store_alert *alert, bool hold,
		   const struct alertlog_said *said, struct error *err);

/* An alert goes to another state; said is NULL for a change that makes no ALERT record. */
int alertlog_change(struct alertlog *log, struct store_alert *alert, enum alert_state state,
		    const struct alertlog_said *said, struct error *err);

#endif
