/* alerts - which alerts there are and what became of them, and the outbox of their deliveries: tables in the catalog.
 *
 * Shape:   the ALERT records (leaves) are the evidence; these rows are the state that follows from them, from LIFECYCLE records
 *          (alert_ack, alert_replay), from time (expiry) and from receipts. One row an alert, one row a delivery (alert, channel).
 * Commit:  puts belong to the writer's open transaction, that of the ALERT record itself: an alert without its deliveries, or the reverse,
 *          cannot be. The writer sees what it put before the commit.
 * Errors:  ERR_CORRUPT for a row that cannot be; ERR_IO, ERR_NOMEM as the catalog.
 * Threads: as the store. Blocking: disk. Source: docs/format.md section 5.1. Tests: tests/unit/alerts.c
 */
#ifndef STORE_ALERTS_H
#define STORE_ALERTS_H

#include "store/store.h"

#define ALERTS_NO_LEAF UINT64_MAX

enum alert_state { /* stored; never changes */
		   ALERT_STATE_FIRING = 1,
		   ALERT_STATE_ACKNOWLEDGED = 2, /* by a person, with a note */
		   ALERT_STATE_REVOKED = 3,      /* a later verdict says otherwise */
		   ALERT_STATE_EXPIRED = 4,      /* nobody acknowledged it in time */
};

struct store_alert {
	struct str id; /* 16 hexadecimal digits */
	enum alert_state state;
	uint32_t revision; /* 1 when it fired first; counted up with each change of state */
	int severity;      /* 1..5 */
	struct str rule;
	uint64_t leaf; /* of the newest ALERT record */
	uint64_t
		verdict_leaf; /* the newest verdict on its statement or request; ALERTS_NO_LEAF: none yet */
	uint64_t statement_leaf; /* ALERTS_NO_LEAF: none; so the next two */
	uint64_t request_leaf;   /* at the time when it fired; the standing verdict says more */
	uint64_t other_leaf;     /* a gap, reject, access or lifecycle record */
	int64_t time_ns;         /* of the event */
	int64_t fired_ns;
	int64_t changed_ns;  /* of the last change of state */
	bool quiet;          /* older than alerts.max_age when it fired: listed, not sent */
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

/* The word of a state: "firing", "acknowledged", .. ; "waiting", "done", "dead". NULL for none. And back; 0 when unknown. */
const char *alerts_state_word(enum alert_state state);
enum alert_state alerts_state_of(struct str word);
const char *alerts_delivery_word(enum delivery_state state);

/* The record that an alert rests on: its statement, else its other record, else its request. */
uint64_t alerts_subject(const struct store_alert *alert);

/* Appends how an alert ended, as a sentence without a stop; nothing while it fires. reason is that of its ALERT record. */
void alerts_put_resolution(const struct store_alert *alert, struct str reason, struct buf *out);

/* Sets a row; made when it is new. Within the writer's transaction. */
int alerts_put(struct store *store, const struct store_alert *alert, struct error *err);
int alerts_put_delivery(struct store *store, const struct store_delivery *delivery,
			struct error *err);

/* Takes away an alert and its deliveries, when its records are gone. Within the writer's transaction. */
int alerts_remove(struct store *store, struct str id, struct error *err);

/* One alert; its texts stand in texts (cleared first). Returns 0, ERR_GONE, .. */
int alerts_get(struct store *store, struct str id, struct buf *texts, struct store_alert *out_alert,
	       struct error *err);

/* What walks call back: texts borrow until the callback returns, which may read the store but not write to it; a result other than 0 ends
 * the walk and is returned. */
typedef int alerts_each_fn(void *owner, const struct store_alert *alert, struct error *err);
struct alerts_walk {
	alerts_each_fn *each;
	void *owner;
};
typedef int alerts_delivery_fn(void *owner, const struct store_delivery *delivery,
			       struct error *err);
struct alerts_delivery_walk {
	alerts_delivery_fn *each;
	void *owner;
};

/* All alerts in order of time and id; and those that rest on one record. */
int alerts_walk(struct store *store, const struct alerts_walk *walk, struct error *err);
int alerts_of_record(struct store *store, uint64_t subject_leaf, const struct alerts_walk *walk,
		     struct error *err);

/* At most max alerts that fire, in order of when they fired and id, behind a place in that order (INT64_MIN: from the first). */
struct alerts_place {
	int64_t ns;
	struct str alert_id, channel; /* no channel in an order of alerts */
	size_t max;
};
int alerts_firing(struct store *store, const struct alerts_place *behind,
		  const struct alerts_walk *walk, struct error *err);

/* Deliveries of one alert (in order of channel), or of all (alert_id empty, in order of alert and channel). */
struct alerts_delivery_filter {
	struct str alert_id;
	unsigned states; /* bit s: state s */
};
int alerts_walk_deliveries(struct store *store, const struct alerts_delivery_filter *filter,
			   const struct alerts_delivery_walk *walk, struct error *err);

/* At most max deliveries that wait and are due at now_ns, in order of next_ns, alert and channel, behind a place in that order. */
int alerts_due(struct store *store, int64_t now_ns, const struct alerts_place *behind,
	       const struct alerts_delivery_walk *walk, struct error *err);

/* When the next delivery that waits becomes due after now_ns; INT64_MAX: none. */
int alerts_next_due(struct store *store, int64_t now_ns, int64_t *out_ns, struct error *err);

/* How many alerts fire, how many of them are quiet, and how many deliveries wait or are dead. */
struct alerts_counts {
	uint64_t firing, quiet, waiting, dead;
};
int alerts_count(struct store *store, struct alerts_counts *out_counts, struct error *err);

#endif
