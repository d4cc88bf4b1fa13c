/* orders - what persons and the clock do to alerts: acknowledge, send again, expire.
 *
 * Orders:  LIFECYCLE records that querytrail and querytrail-serve give. event alert_ack: alert_id, note, user. event alert_replay:
 *          alert_id and channel, both optional. With an alert: it is sent again, to that channel or to all of its own. With a channel
 *          alone: all that fire and all dead letters go there again. With neither: all dead letters.
 * Commit:  within the writer's open transaction, that of the record.
 * Threads: as the store. Blocking: disk. Tests: tests/unit/orders.c
 */
#ifndef CORRELATOR_ORDERS_H
#define CORRELATOR_ORDERS_H

#include "correlator/alertlog.h"
#include "model/record.h"

#define ORDERS_ACK    "alert_ack"
#define ORDERS_REPLAY "alert_replay"
#define ORDERS_EXPIRE 1024 /* in one call */

#define ORDERS_NOTE_MAX 4096 /* bytes */

/* Whether a peer may give this record: LIFECYCLE with one of the two events, and for an acknowledgement an alert and a note; or an order about the life of
 * data (correlator/lifeorders.h). */
bool orders_is_allowed(const struct record *record);

/* Does what a stored record says; others are passed over. An alert that does not exist is logged. */
int orders_obey(struct alertlog *log, const struct record *record, struct error *err);

/* Whether an alert fires since before before_ns. */
int orders_expiry_is_due(struct store *store, int64_t before_ns, bool *out_due, struct error *err);

/* Ends alerts that fire since before before_ns; *out_more: not all of them yet. */
int orders_expire(struct alertlog *log, int64_t before_ns, bool *out_more, struct error *err);

#endif
