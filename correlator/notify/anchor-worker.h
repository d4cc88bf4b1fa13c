/* anchor-worker - the thread of one anchor: takes one checkpoint after the other, so that an anchor that hangs holds up no other.
 *
 * Shape:   one task in hand, one that waits (a newer one takes its place), one that is done; wake_fd becomes readable when one is done.
 * Threads: give, take and stop from the thread that started it. Blocking: stop, until the send ends.
 * Tests:   tests/unit/notify-anchor.c
 */
#ifndef CORRELATOR_NOTIFY_ANCHOR_WORKER_H
#define CORRELATOR_NOTIFY_ANCHOR_WORKER_H

#include "correlator/notify/anchor.h"

struct anchor_worker;

/* Opens the anchor and starts its thread. settings are copied, their texts borrowed. Returns 0, ERR_CONFIG, ERR_NOMEM, ERR_IO. */
int anchor_worker_start(const struct channel_settings *settings, const struct anchor_type *type,
			int wake_fd, struct anchor_worker **out_worker, struct error *err);

/* Its name. */
const char *anchor_worker_name(const struct anchor_worker *worker);

/* Gives it a CHECKPOINT, which is copied. false: no memory. */
bool anchor_worker_give(struct anchor_worker *worker, const struct feed_frame *frame);

/* Whether a checkpoint is in hand. */
bool anchor_worker_busy(struct anchor_worker *worker);

/* What became of one: an ANCHORED frame that borrows from scratch (cleared first). false: none is done. */
bool anchor_worker_take(struct anchor_worker *worker, struct buf *scratch,
			struct feed_frame *out_frame);

/* Makes the anchor give up what it does. */
void anchor_worker_give_up(struct anchor_worker *worker);

/* Ends the thread, closes the anchor, frees. NULL is fine. */
void anchor_worker_stop(struct anchor_worker *worker);

#endif
