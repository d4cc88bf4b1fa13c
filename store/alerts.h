/* alerts - which alerts there are and what became of them, and the outbox of their deliveries: tables in the catalog.
 *
 * Shape:   the ALERT records (leaves) are the evidence; these rows are the state that follows from them, from LIFECYCLE records
 *          (alert_ack, alert_replay) and from receipts. One row an alert, one row a delivery (alert, channel).
 * Commit:  puts belong to the writer's open transaction, that of the ALERT record itself: an alert without its deliveries, or the reverse,
 *          cannot be.
 * Errors:  ERR_CORRUPT for a row that cannot be; ERR_IO, ERR_NOMEM as the catalog.
 * Threads: as the store. Blocking: disk. Source: docs/format.md section 5. Tests: tests/unit/alerts.c
 */
#ifndef STORE_ALERTS_H
#define STORE_ALERTS_H

#include "store/store.h"

enum alert_state { /* stored; never changes */
		   ALERT_STATE_FIRING = 1,
		   ALERT_STATE_ACKNOWLEDGED = 2, /* by a person, with a note */
		   ALERT_STATE_REVOKED = 3,      /* a later verdict says otherwise */
		   ALERT_STATE_EXPIRED = 4,      /* nobody acknowledged it in time */
};

struct store_alert {   /* texts borrow until the next call on the store */
	struct str id; /* 16 hexadecimal digits */
	enum alert_state state;
	uint32_t revision; /* 1 when it fired first; counted up with each change of state */
	int severity;      /* 1..5 */
	struct str rule;
	uint64_t leaf;           /* of the newest ALERT record */
	uint64_t statement_leaf; /* UINT64_MAX: none */
	uint64_t request_leaf;   /* at the time when it fired; the standing verdict says more */
	uint64_t other_leaf;     /* a gap or reject */
	int64_t time_ns;         /* of the event */
	int64_t fired_ns;
	int64_t changed_ns;  /* of the last change of state */
	struct str by, note; /* who acknowledged it, and what he said */
};

enum delivery_state { /* stored; never changes */
		      DELIVERY_WAITING = 1,
		      DELIVERY_DONE = 2,
		      DELIVERY_DEAD = 3,
};

struct store_delivery {
	struct str alert_id, channel;
	uint32_t revision; /* of the alert that is to be told */
	enum delivery_state state;
	uint32_t attempts; /* that failed */
	int64_t next_ns;   /* not before */
	int64_t changed_ns;
	struct str text; /* of the last failure */
};

/* Sets a row; made when it is new. Within the writer's transaction. */
int alerts_put(struct store *store, const struct store_alert *alert, struct error *err);
int alerts_put_delivery(struct store *store, const struct store_delivery *delivery,
			struct error *err);

/* One alert. Returns 0, ERR_GONE, .. */
int alerts_get(struct store *store, struct str id, struct store_alert *out_alert,
	       struct error *err);

/* All alerts in order of time and id; deliveries of one alert (in order of channel), or all of a state (id empty). The callback's
 * result other than 0 ends the walk and is returned. */
typedef int alerts_each_fn(void *owner, const struct store_alert *alert, struct error *err);
int alerts_walk(struct store *store, alerts_each_fn *each, void *owner, struct error *err);

struct alerts_delivery_filter {
	struct str alert_id; /* empty: all */
	unsigned states;     /* bit s: state s */
};
typedef int alerts_delivery_fn(void *owner, const struct store_delivery *delivery,
			       struct error *err);
struct alerts_delivery_walk {
	alerts_delivery_fn *each;
	void *owner;
};
int alerts_walk_deliveries(struct store *store, const struct alerts_delivery_filter *filter,
			   const struct alerts_delivery_walk *walk, struct error *err);

#endif
