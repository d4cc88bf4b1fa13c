#include "correlator/notify/anchor-board.h"

#include "base/clock.h"

#include <stdlib.h>
#include <unistd.h>

#define FINISH_STEP_US 10000

struct anchor_board {
	struct desk_call call;
	struct buf scratch;
	size_t count;
	struct anchor_worker *workers[];
};

int anchor_board_new(const struct config *config, int wake_fd, struct desk_call call,
		     struct anchor_board **out_board, struct error *err)
{
	size_t count = config_name_count(config, "anchors");
	struct anchor_board *board = calloc(1, sizeof(*board) + count * sizeof(board->workers[0]));

	if (board == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu anchors", count);
	}
	board->call = call;
	buf_init(&board->scratch, FEED_RECEIPT_MAX + CHANNEL_TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		struct channel_settings settings;
		const struct anchor_type *type;
		int rc = anchor_settings_load(config, config_name(config, "anchors", i), &settings,
					      &type, err);
		if (rc == 0) {
			rc = anchor_worker_start(&settings, type, wake_fd, &board->workers[i], err);
		}
		if (rc != 0) {
			anchor_board_free(board);
			return rc;
		}
		board->count++;
	}
	*out_board = board;
	return 0;
}

void anchor_board_free(struct anchor_board *board)
{
	if (board == NULL) {
		return;
	}
	for (size_t i = 0; i < board->count; i++) { /* all at once, then one after the other */
		anchor_worker_give_up(board->workers[i]);
	}
	for (size_t i = 0; i < board->count; i++) {
		anchor_worker_stop(board->workers[i]);
	}
	buf_done(&board->scratch);
	free(board);
}

static void refuse(const struct anchor_board *board, const struct feed_frame *frame,
		   const char *text)
{
	const struct feed_frame answer = {.type = FEED_ANCHORED,
					  .anchor = frame->anchor,
					  .size = frame->size,
					  .anchored = FEED_NOT_TAKEN,
					  .text = str_of(text)};

	(void)board->call.each(board->call.owner, &answer); /* else it is sent again */
}

void anchor_board_checkpoint(struct anchor_board *board, const struct feed_frame *frame)
{
	for (size_t i = 0; i < board->count; i++) {
		if (str_is(frame->anchor, anchor_worker_name(board->workers[i]))) {
			if (!anchor_worker_give(board->workers[i], frame)) {
				refuse(board, frame, "no memory for the checkpoint");
			}
			return;
		}
	}
	/* it may be there after a reload: the daemon has loaded its configuration before we have ours */
	refuse(board, frame, "the configuration has no anchor of this name");
}

void anchor_board_work(struct anchor_board *board)
{
	for (size_t i = 0; i < board->count; i++) {
		struct feed_frame frame;
		if (anchor_worker_take(board->workers[i], &board->scratch, &frame)) {
			(void)board->call.each(board->call.owner, &frame); /* else it comes again */
		}
	}
}

static bool is_busy(struct anchor_board *board)
{
	bool busy = false;

	for (size_t i = 0; i < board->count; i++) {
		busy |= anchor_worker_busy(board->workers[i]);
	}
	return busy;
}

void anchor_board_finish(struct anchor_board *board, int64_t grace_ns)
{
	int64_t end_ns = clock_monotonic_ns() + grace_ns;

	while (is_busy(board) && clock_monotonic_ns() < end_ns) {
		(void)usleep(FINISH_STEP_US);
	}
	anchor_board_work(board);
}
