/* dispatch - hands alerts to querytrail-notify: which of them now, and which are in its hands.
 *
 * Order:   on a new connection first every alert that fires and was delivered before, without deliveries (Alertmanager must hear of it as
 *          long as it fires); then, again and again, what is due in the outbox. Only what is committed is handed out: dispatch_pump is
 *          called when no transaction is open.
 * Once:    a delivery is in notify's hands until its receipt, or until the connection ends; then it is handed out again. So every alert is
 *          delivered at least once. An alert that changes meanwhile is handed out again at once, with its new revision.
 * Memory:  a channel has at most DISPATCH_IN_HAND deliveries in notify's hands; the rest waits in the outbox.
 * Threads: one per thread. Blocking: reads the store. Tests: tests/unit/dispatch.c
 */
#ifndef CORRELATOR_DISPATCH_H
#define CORRELATOR_DISPATCH_H

#include "base/clock.h"
#include "correlator/alerting.h"

#define DISPATCH_IN_HAND    512 /* of one channel */
#define DISPATCH_LOOK       256 /* rows of the outbox in one look */
#define DISPATCH_REVISIT_NS (NS_PER_SEC)

struct dispatch;

struct dispatch_options {
	struct store *store;             /* borrowed; the writer's */
	const struct alerting *alerting; /* borrowed */
	const struct channels *channels; /* borrowed */
	size_t statement_bytes;
	/* Whether notify takes more now; when it does again, dispatch_pump is called. */
	bool (*has_room)(void *owner);
	int (*send)(void *owner, const struct feed_frame *frame, struct error *err);
	void *owner;
};

/* Makes one; nobody is connected. Returns 0 or ERR_NOMEM. */
int dispatch_new(const struct dispatch_options *options, struct dispatch **out_dispatch,
		 struct error *err);
void dispatch_free(struct dispatch *dispatch);

/* Goes by other channels and another length of statements. */
void dispatch_set(struct dispatch *dispatch, const struct channels *channels,
		  size_t statement_bytes);

/* notify came, or went. */
void dispatch_connected(struct dispatch *dispatch);
void dispatch_lost(struct dispatch *dispatch);

/* A receipt came for a delivery, which is no longer in notify's hands. */
void dispatch_received(struct dispatch *dispatch, struct str alert_id, struct str channel,
		       uint32_t revision);

/* Hands out what is due and fits. *out_next_ns: when to be called again at the latest, by the wall clock; INT64_MAX: not before
 * something changes. An alert that cannot be read is told through the log and passed over. Returns 0, ERR_IO or ERR_NOMEM. */
int dispatch_pump(struct dispatch *dispatch, int64_t now_ns, int64_t *out_next_ns,
		  struct error *err);

/* How many deliveries are in notify's hands. */
size_t dispatch_in_hand(const struct dispatch *dispatch);

#endif
