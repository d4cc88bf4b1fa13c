/* anchor-board - all anchors of a configuration: hands CHECKPOINT frames to their workers and their answers to the daemon.
 *
 * Lost:    an answer that finds no daemon is dropped; the daemon sends the checkpoint again, and every anchor takes one twice.
 * Threads: one thread. Blocking: free and finish, until the workers have ended. Tests: tests/unit/notify-anchor.c
 */
#ifndef CORRELATOR_NOTIFY_ANCHOR_BOARD_H
#define CORRELATOR_NOTIFY_ANCHOR_BOARD_H

#include "correlator/notify/anchor-worker.h"
#include "correlator/notify/desk.h"

struct anchor_board;

/* Opens each anchor of the configuration, which is borrowed.
 *   wake_fd  an eventfd, written when an anchor has something to say
 *   call     takes the ANCHORED frames
 * Returns 0, ERR_CONFIG, ERR_NOMEM, ERR_IO; all or none. */
int anchor_board_new(const struct config *config, int wake_fd, struct desk_call call,
		     struct anchor_board **out_board, struct error *err);
void anchor_board_free(struct anchor_board *board); /* NULL is fine */

/* Takes a CHECKPOINT frame. For an anchor that the configuration has not, it is answered at once. */
void anchor_board_checkpoint(struct anchor_board *board, const struct feed_frame *frame);

/* Hands over what is done. */
void anchor_board_work(struct anchor_board *board);

/* Waits for what is in hand, at most grace_ns, and hands it over. */
void anchor_board_finish(struct anchor_board *board, int64_t grace_ns);

#endif
