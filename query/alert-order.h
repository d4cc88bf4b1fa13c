/* alert-order - tells the daemon what a person does to an alert: acknowledges it, or has it sent again.
 *
 * How:     see query/order.h; a daemon that is started for it judges nothing.
 * Threads: one per process. Blocking: until the daemon has committed. Tests: tests/unit/alert-order.c
 */
#ifndef QUERY_ALERT_ORDER_H
#define QUERY_ALERT_ORDER_H

#include "query/session.h"

#define ALERT_ORDER_ACK    "alert_ack"
#define ALERT_ORDER_REPLAY "alert_replay"

struct alert_order {
	const char *event;
	struct str alert_id, channel, note; /* empty: none */
};

/* Gives the order. Returns 0 when it is committed, or ERR_IO, ERR_GONE, ERR_AGAIN, ERR_CONFIG. */
int alert_order_give(struct session *session, const struct alert_order *order, struct error *err);

#endif
