/* link - a collector's connection to the daemon: greets, sends batches, learns that they are durable.
 *
 * Shape:   one connection to feed.sock. A batch is in flight until link_await says committed.
 * Errors:  any failure ends the connection: link_close, then link_open again; the cursor of the new WELCOME is the truth.
 * Threads: one per process. Blocking: link_open, link_send_* and link_await; the last two only as long as the daemon takes.
 * Source:  model/feed.h. Tests: tests/unit/runner.c
 */
#ifndef COLLECTOR_LINK_H
#define COLLECTOR_LINK_H

#include "base/arena.h"
#include "collector/waiter.h"
#include "model/feed.h"

struct link {
	int fd; /* -1: not connected */
	uint64_t sequence;
	struct buf out, in;
	struct arena arena;
	uint64_t stored, duplicate, rejected; /* sums of all that was committed */
};

struct link_hello {
	const char *path; /* of feed.sock */
	const char *source;
	const char *source_type;
	unsigned kinds;
};

/* An unconnected link. */
void link_init(struct link *link);
void link_done(struct link *link);

/* Connects, says HELLO, waits for WELCOME and sets out_cursor (cleared first) to the committed cursor.
 * Returns 0, or ERR_AGAIN (no daemon there now), ERR_CANCELLED, ERR_CONFIG (the daemon refuses us; its sentence is in err),
 * ERR_INPUT; then the link is closed. */
int link_open(struct link *link, const struct link_hello *hello, struct waiter *waiter,
	      struct buf *out_cursor, struct error *err);

/* Closes; closing a closed link is fine. */
void link_close(struct link *link);

/* Sends a batch (sequence is filled in) and waits until it is committed. A request to stop does not interrupt it, but for a
 * daemon that takes longer than LINK_PATIENCE_NS.
 * Returns 0, or ERR_AGAIN when the connection broke: then whether the batch was committed is unknown, and the link closed;
 * ERR_CANCELLED; ERR_LIMIT when it does not fit a frame (link stays open). */
#define LINK_PATIENCE_NS (5 * INT64_C(1000000000))
int link_commit(struct link *link, struct feed_frame *batch, struct waiter *waiter,
		struct error *err);

/* Sends STATUS. Returns 0 or ERR_AGAIN (link closed). */
int link_status(struct link *link, enum feed_state state, const char *text, struct error *err);

#endif
