/* outbox - what is to be told to which channel: the rows of the outbox, and what changes them.
 *
 * Shape:   one row an alert and channel; it names the newest revision that the channel is to hear. A channel that was told of an alert is
 *          told of its end; one that was not (the alert ended while it was held) is not.
 * Commit:  all of it within the writer's open transaction.
 * Errors:  as store/alerts.h; ERR_LIMIT never.
 * Threads: as the store. Blocking: disk. Tests: tests/unit/outbox.c
 */
#ifndef CORRELATOR_OUTBOX_H
#define CORRELATOR_OUTBOX_H

#include "correlator/channels.h"
#include "model/feed.h"
#include "store/alerts.h"

struct outbox {
	struct store *store;             /* borrowed */
	const struct channels *channels; /* borrowed */
	int64_t now_ns;                  /* of what is done */
};

/* The alert fires: every channel that takes it shall hear of it, at next_ns. */
int outbox_post(const struct outbox *outbox, const struct store_alert *alert, int64_t next_ns,
		struct error *err);

/* The alert ended: every channel that may have heard of it shall hear that. What was still held is never sent. */
int outbox_end(const struct outbox *outbox, const struct store_alert *alert, struct error *err);

/* The alert has a new revision of which channels learn nothing new: what waits goes out as that. */
int outbox_follow(const struct outbox *outbox, const struct store_alert *alert, struct error *err);

/* What is held for the alert need not wait any longer. */
int outbox_release(const struct outbox *outbox, struct str alert_id, struct error *err);

/* The alert shall be told again: to the channel, or (empty) to each that takes it or was told before. *out_count: to how many. */
int outbox_repeat(const struct outbox *outbox, const struct store_alert *alert, struct str channel,
		  size_t *out_count, struct error *err);

/* What became of a delivery. One of an older revision changes nothing. *out_known is false when there is no such delivery. */
struct outbox_receipt {
	struct str alert_id, channel;
	uint32_t revision;
	enum feed_outcome outcome;
	uint32_t attempts;
	int64_t next_ns;
	struct str text;
};
int outbox_receive(const struct outbox *outbox, const struct outbox_receipt *receipt,
		   bool *out_known, struct error *err);

/* Deliveries that wait for channels which the configuration does not have are dead. */
int outbox_bury(const struct outbox *outbox, struct error *err);

#endif
