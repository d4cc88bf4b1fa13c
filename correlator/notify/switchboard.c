#include "correlator/notify/switchboard.h"

#include "base/clock.h"

#include <stdlib.h>

#define UNKNOWN_WAIT_NS NS_PER_MIN
#define UNKNOWN_TRIES   12

struct switchboard {
	struct desk_call call;
	size_t count;
	struct desk desks[];
};

int switchboard_new(const struct config *config, int wake_fd, struct desk_call call,
		    struct switchboard **out_board, struct error *err)
{
	size_t count = config_name_count(config, "channels");
	struct switchboard *board = calloc(1, sizeof(*board) + count * sizeof(board->desks[0]));

	if (board == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu channels", count);
	}
	board->call = call;
	for (size_t i = 0; i < count; i++) {
		const char *name = config_name(config, "channels", i);
		struct channel_settings settings;
		int rc = channel_settings_load(config, name, &settings, err);
		if (rc == 0) {
			rc = desk_init(&board->desks[i], &settings, wake_fd, err);
		}
		if (rc != 0) {
			switchboard_free(board);
			return rc;
		}
		board->desks[i].call = call;
		board->count++;
	}
	*out_board = board;
	return 0;
}

void switchboard_free(struct switchboard *board)
{
	if (board == NULL) {
		return;
	}
	for (size_t i = 0; i < board->count; i++) { /* all at once, then one after the other */
		worker_give_up(board->desks[i].worker);
	}
	for (size_t i = 0; i < board->count; i++) {
		desk_done(&board->desks[i]);
	}
	free(board);
}

static struct desk *find_desk(struct switchboard *board, struct str name)
{
	for (size_t i = 0; i < board->count; i++) {
		if (str_is(name, board->desks[i].settings.name)) {
			return &board->desks[i];
		}
	}
	return NULL;
}

/* It may be there again after a reload; or the daemon has loaded its configuration before we have ours. */
static void give_back(struct switchboard *board, const struct notice *notice,
		      const struct feed_delivery *how, int64_t now_ns)
{
	struct feed_delivery delivery = *how;
	struct feed_frame receipt = {
		.type = FEED_RECEIPT,
		.sequence = notice->revision,
		.alert = notice->alert.value[ALERT_id],
		.deliveries = &delivery,
		.delivery_count = 1,
		.outcome = FEED_RETRY,
		.text = STR_LIT("the configuration has no channel of this name")};

	delivery.attempts++;
	delivery.next_ns = now_ns + UNKNOWN_WAIT_NS;
	if (delivery.attempts >= UNKNOWN_TRIES) {
		receipt.outcome = FEED_DEAD;
	}
	(void)board->call.each(board->call.owner, &receipt); /* else it is asked for again */
}

static bool is_addressed(const struct feed_frame *frame, const struct desk *desk)
{
	for (size_t i = 0; i < frame->delivery_count; i++) {
		if (str_is(frame->deliveries[i].channel, desk->settings.name)) {
			return true;
		}
	}
	return false;
}

int switchboard_alert(struct switchboard *board, const struct feed_frame *frame, int64_t now_ns,
		      struct error *err)
{
	struct notice *notice;

	int rc = notice_new(frame->alert, frame->sequence, &notice, err);
	if (rc != 0) {
		return rc;
	}
	for (size_t i = 0; i < frame->delivery_count; i++) {
		const struct feed_delivery *how = &frame->deliveries[i];
		struct desk *desk = find_desk(board, how->channel);
		if (desk != NULL) {
			desk_take(desk, notice, how, now_ns);
		} else {
			give_back(board, notice, how, now_ns);
		}
	}
	for (size_t i = 0; i < board->count; i++) {
		if (!is_addressed(frame, &board->desks[i])) {
			desk_hear(&board->desks[i], notice, now_ns);
		}
	}
	notice_drop(notice);
	return 0;
}

int64_t switchboard_work(struct switchboard *board, int64_t now_ns)
{
	int64_t due_ns = QUEUE_NEVER;

	for (size_t i = 0; i < board->count; i++) {
		desk_work(&board->desks[i], now_ns);
		int64_t each_ns = desk_due_ns(&board->desks[i], now_ns);
		due_ns = each_ns < due_ns ? each_ns : due_ns;
	}
	return due_ns;
}

void switchboard_forget(struct switchboard *board)
{
	for (size_t i = 0; i < board->count; i++) {
		desk_forget(&board->desks[i]);
	}
}

void switchboard_finish(struct switchboard *board, int64_t grace_ns)
{
	int64_t end_ns = clock_monotonic_ns() + grace_ns;

	for (size_t i = 0; i < board->count; i++) {
		if (clock_monotonic_ns() >=
		    end_ns) { /* then all that still send give up together */
			for (size_t j = i; j < board->count; j++) {
				worker_give_up(board->desks[j].worker);
			}
		}
		desk_finish(&board->desks[i], end_ns);
	}
}

size_t switchboard_count(const struct switchboard *board)
{
	return board->count;
}
