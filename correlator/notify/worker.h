/* worker - the thread of one channel: sends one message after the other, so that a channel that hangs holds up no other.
 *
 * Shape:   one slot: worker_give fills it, the thread sends, wake_fd becomes readable, worker_take empties it.
 * Life:    what a given message points to belongs to the worker until it is taken back.
 * Threads: give, take and stop from the thread that started it. Blocking: worker_stop, until the send ends.
 * Tests:   tests/unit/notify-worker.c
 */
#ifndef CORRELATOR_NOTIFY_WORKER_H
#define CORRELATOR_NOTIFY_WORKER_H

#include "correlator/notify/channel.h"

struct worker;

/* Opens the channel and starts its thread. settings is borrowed for the worker's life; wake_fd is an eventfd that is written
 * when a message is done. Returns 0, ERR_CONFIG, ERR_NOMEM, ERR_IO. */
int worker_start(const struct channel_settings *settings, int wake_fd, struct worker **out_worker,
		 struct error *err);

/* Gives a message to an idle worker; it is copied, what it points to is not. */
void worker_give(struct worker *worker, const struct channel_message *message);

/* Whether worker_give may be called. */
bool worker_idle(struct worker *worker);

/* The reply to the message, once; false while it is not done. Then the worker is idle. */
bool worker_take(struct worker *worker, struct channel_reply *out_reply);

/* Makes the channel give up what it is sending; nothing can be given any more. */
void worker_give_up(struct worker *worker);

/* Waits up to grace_ns for the message in hand, then makes the channel give up. false when there is no reply. */
bool worker_finish(struct worker *worker, int64_t grace_ns, struct channel_reply *out_reply);

/* Ends the thread (the message in hand is given up), closes the channel, frees. NULL is fine. */
void worker_stop(struct worker *worker);

#endif
