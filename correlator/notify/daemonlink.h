/* daemonlink - notify's connection to querytraild: greets, hands over frames as they come, sends receipts.
 *
 * Shape:   not blocking for reading; a receipt blocks until the daemon takes it, at most SEND_TIMEOUT_S.
 * Errors:  any failure closes the connection; daemonlink_open makes a new one.
 * Threads: one thread. Source: model/feed.h. Tests: tests/unit/notify-daemonlink.c
 */
#ifndef CORRELATOR_NOTIFY_DAEMONLINK_H
#define CORRELATOR_NOTIFY_DAEMONLINK_H

#include "model/feed.h"

struct daemonlink {
	int fd;       /* -1: closed */
	bool greeted; /* WELCOME has come */
	struct buf in, out;
	struct arena arena;
};

/* A closed link. */
void daemonlink_init(struct daemonlink *link);
void daemonlink_done(struct daemonlink *link);

/* Connects to the socket and says HELLO; WELCOME comes as a frame. Returns 0, ERR_AGAIN (no daemon there), ERR_CONFIG. */
int daemonlink_open(struct daemonlink *link, const char *path, struct error *err);
void daemonlink_close(struct daemonlink *link);

typedef int daemonlink_fn(void *owner, const struct feed_frame *frame, struct error *err);

/* Reads what has come and calls back for each ALERT and CHECKPOINT. Returns 0, or closes and returns ERR_AGAIN (the daemon hung up), ERR_INPUT
 * (malformed, or what each returned), or the code of an ERROR frame. */
int daemonlink_read(struct daemonlink *link, daemonlink_fn *each, void *owner, struct error *err);

/* Sends a receipt; false (and closed) when there is no connection any more. */
bool daemonlink_send(struct daemonlink *link, const struct feed_frame *receipt);

#endif
