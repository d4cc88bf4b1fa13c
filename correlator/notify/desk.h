/* desk - one channel with all that belongs to it: its queue, its rate, its worker, what it sends and what became of it.
 *
 * Receipts: each delivery that desk_take accepted gets one: DELIVERED, RETRY (with the time of the next try; the daemon holds it until
 *          then) or DEAD. A message that is refused for good is sent again alert by alert, so that one alert cannot take others
 *          with it. A receiver that answers 410 gets nothing more until the configuration is loaded again.
 * Lost:    what was sent while no daemon listened is remembered until the daemon asks for it again, and then only confirmed.
 * Threads: one thread; the worker's is its own. Blocking: desk_finish. Tests: tests/unit/notify-desk.c
 */
#ifndef CORRELATOR_NOTIFY_DESK_H
#define CORRELATOR_NOTIFY_DESK_H

#include "correlator/notify/firing.h"
#include "correlator/notify/queue.h"
#include "correlator/notify/retry.h"
#include "correlator/notify/worker.h"

/* Takes one receipt to the daemon; false when none listens. */
typedef bool desk_receipt_fn(void *owner, const struct feed_frame *receipt);

struct desk_call {
	desk_receipt_fn *each;
	void *owner;
};

struct desk {
	struct channel_settings settings;
	struct desk_call call;
	struct queue queue;
	struct firing firing; /* used when settings.resend_ns > 0 */
	struct bucket bucket;
	struct worker *worker;
	struct delivery *flight; /* being sent; in order of notices */
	struct delivery *unsaid; /* sent, and no daemon listened */
	struct notice *notices[QUEUE_MESSAGE];
	size_t notice_count, more_count; /* of the message in flight; more than 0: there is one */
	bool resending;                  /* it is one of firing */
	bool gone;                       /* the receiver wants nothing more */
	uint64_t failures;               /* in a row, for the log */
};

/* Sets up a channel with these settings, which are copied, and starts its worker. desk must not move. Returns 0, ERR_CONFIG, ERR_NOMEM,
 * ERR_IO. */
int desk_init(struct desk *desk, const struct channel_settings *settings, int wake_fd,
	      struct error *err);
void desk_done(struct desk *desk);

/* Takes a delivery over. What it cannot hold is given back with a receipt. */
void desk_take(struct desk *desk, struct notice *notice, const struct feed_delivery *how,
	       int64_t now_ns);

/* Hears of an alert that this channel need not be sent now: it may fire or have ended. */
void desk_hear(struct desk *desk, struct notice *notice, int64_t now_ns);

/* Takes the worker's reply, if there is one, and gives it the next message that is due. */
void desk_work(struct desk *desk, int64_t now_ns);

/* When desk_work has something to do again, but for the worker's reply; or QUEUE_NEVER. */
int64_t desk_due_ns(const struct desk *desk, int64_t now_ns);

/* Forgets what waits: the daemon is gone and will send it again. */
void desk_forget(struct desk *desk);

/* Waits for the message in hand until monotonic end_ns, and says what became of it; gives up what takes longer. */
void desk_finish(struct desk *desk, int64_t end_ns);

#endif
