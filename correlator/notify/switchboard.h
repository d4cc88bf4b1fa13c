/* switchboard - all channels of a configuration: takes ALERT frames apart for their desks, keeps the desks at work.
 *
 * Threads: one thread. Blocking: switchboard_free, until the workers have ended.
 * Tests:   tests/unit/notify-switchboard.c
 */
#ifndef CORRELATOR_NOTIFY_SWITCHBOARD_H
#define CORRELATOR_NOTIFY_SWITCHBOARD_H

#include "correlator/notify/desk.h"

struct switchboard;

/* Opens each channel of the configuration, which is borrowed.
 *   wake_fd  an eventfd, written when a channel has something to say
 *   call     takes the receipts
 * Returns 0, ERR_CONFIG, ERR_NOMEM, ERR_IO; all or none. */
int switchboard_new(const struct config *config, int wake_fd, struct desk_call call,
		    struct switchboard **out_board, struct error *err);
void switchboard_free(struct switchboard *board);

/* Takes an ALERT frame. A delivery to a channel that the configuration has not is given back, as a failed try. Returns 0, or
 * ERR_INPUT for an alert that is malformed (nothing of it was taken), ERR_NOMEM. */
int switchboard_alert(struct switchboard *board, const struct feed_frame *frame, int64_t now_ns,
		      struct error *err);

/* Lets each desk work. Returns when to call again, or QUEUE_NEVER. */
int64_t switchboard_work(struct switchboard *board, int64_t now_ns);

/* The daemon is gone: forgets what waits. */
void switchboard_forget(struct switchboard *board);

/* Lets each channel finish the message in hand, grace_ns for all of them together. */
void switchboard_finish(struct switchboard *board, int64_t grace_ns);

/* How many channels there are. */
size_t switchboard_count(const struct switchboard *board);

#endif
