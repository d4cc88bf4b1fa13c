/* order - tells the daemon what a person wants done: a lifecycle record that it obeys.
 *
 * Who:     behind querytrail-serve the peer that the kernel named; else the user of this process.
 * Daemon:  that of the runtime folder when one writes the store; when none does, one is started for it.
 * Threads: one per process. Blocking: until the daemon has committed, and until wait returns. Tests: tests/unit/order.c, tests/unit/alert-order.c
 */
#ifndef QUERY_ORDER_H
#define QUERY_ORDER_H

#include "query/session.h"

struct order {
	const struct record *
		record; /* LIFECYCLE with event and what belongs to it; who, when and the key are added */
	bool works; /* a daemon that is started for it does its work too; else it only takes the record, and judges nothing */
	/* Called when it is committed, as long as the daemon surely runs; NULL: nothing. Its result is that of the order. */
	int (*wait)(void *owner, struct error *err);
	void *owner;
};

/* Gives the order. Returns 0 when it is committed, or ERR_IO, ERR_AGAIN, ERR_CONFIG, or what wait returns. */
int order_give(struct session *session, const struct order *order, struct error *err);

#endif
