#include "correlator/outbox.h"

#include "base/arena.h"
#include "base/clock.h"

#define ROWS_BYTES   (256u << 10) /* texts of the rows of one alert */
#define WAIT_MAX_NS  (7 * 24 * NS_PER_HOUR)
#define BURIED_ROUND 4096
#define ALL_STATES   (1u << DELIVERY_WAITING | 1u << DELIVERY_DONE | 1u << DELIVERY_DEAD)

struct rows { /* copied, so that they may be written while they are gone through */
	struct store_delivery *row;
	size_t count, room;
	const struct channels *unless; /* not those of these channels */
	struct arena arena;
};

static int take_row(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct rows *rows = owner;
	if (rows->unless != NULL && channels_find(rows->unless, delivery->channel) != NULL) {
		return 0;
	}
	if (rows->count == rows->room) {
		return 1; /* enough for one round */
	}
	struct store_delivery *row = &rows->row[rows->count];
	*row = *delivery;
	if (arena_str(&rows->arena, delivery->alert_id, &row->alert_id) < 0 ||
	    arena_str(&rows->arena, delivery->channel, &row->channel) < 0 ||
	    arena_str(&rows->arena, delivery->text, &row->text) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for the deliveries of alert %.*s",
				 STR_ARG(delivery->alert_id));
	}
	rows->count++;
	return 0;
}

/* The deliveries of an alert; of all when alert_id is empty. rows must be done. */
static int read_rows(const struct outbox *outbox, const struct alerts_delivery_filter *filter,
		     size_t room, struct rows *rows, struct error *err)
{
	arena_init(&rows->arena, ROWS_BYTES * (1 + room / FEED_DELIVERIES_MAX) * 2);
	rows->row = arena_calloc(&rows->arena, room, sizeof rows->row[0]);
	rows->room = room;
	if (rows->row == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for deliveries");
	}
	const struct alerts_delivery_walk walk = {take_row, rows};
	int rc = alerts_walk_deliveries(outbox->store, filter, &walk, err);
	return rc > 0 ? 0 : rc;
}

/* An alert has no more rows than there ever were channels; those beyond are of channels long gone. */
static int read_alert_rows(const struct outbox *outbox, struct str alert_id, struct rows *rows,
			   struct error *err)
{
	const struct alerts_delivery_filter filter = {.alert_id = alert_id, .states = ALL_STATES};
	return read_rows(outbox, &filter, (size_t)FEED_DELIVERIES_MAX * 4, rows, err);
}

static const struct store_delivery *find_row(const struct rows *rows, struct str channel)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (str_equal(rows->row[i].channel, channel)) {
			return &rows->row[i];
		}
	}
	return NULL;
}

int outbox_post(const struct outbox *outbox, const struct store_alert *alert, int64_t next_ns,
		struct error *err)
{
	int rc = 0;
	for (size_t i = 0; i < outbox->channels->count && rc == 0; i++) {
		const struct channel *channel = &outbox->channels->items[i];
		if (!channel_takes(channel, alert->rule, alert->severity)) {
			continue;
		}
		const struct store_delivery row = {.alert_id = alert->id,
						   .channel = channel->name,
						   .revision = alert->revision,
						   .state = DELIVERY_WAITING,
						   .next_ns = next_ns,
						   .changed_ns = outbox->now_ns};
		rc = alerts_put_delivery(outbox->store, &row, err);
	}
	return rc;
}

/* Whether it was never handed out: only what is held waits without a failure until later. */
static bool is_held(const struct store_delivery *row, int64_t now_ns)
{
	return row->state == DELIVERY_WAITING && row->attempts == 0 && row->next_ns > now_ns;
}

int outbox_end(const struct outbox *outbox, const struct store_alert *alert, struct error *err)
{
	struct rows rows = {0};
	int rc = read_alert_rows(outbox, alert->id, &rows, err);
	for (size_t i = 0; i < rows.count && rc == 0; i++) {
		struct store_delivery *row = &rows.row[i];
		if (row->state == DELIVERY_DEAD) {
			continue; /* it never heard of the alert */
		}
		bool held = is_held(row, outbox->now_ns);
		row->revision = alert->revision;
		row->state = held ? DELIVERY_DONE : DELIVERY_WAITING;
		row->text = held ? STR_LIT("it ended before it was sent") : (struct str){0};
		row->attempts = 0;
		row->next_ns = outbox->now_ns;
		row->changed_ns = outbox->now_ns;
		rc = alerts_put_delivery(outbox->store, row, err);
	}
	arena_done(&rows.arena);
	return rc;
}

int outbox_follow(const struct outbox *outbox, const struct store_alert *alert, struct error *err)
{
	struct rows rows = {0};
	int rc = read_alert_rows(outbox, alert->id, &rows, err);
	for (size_t i = 0; i < rows.count && rc == 0; i++) {
		if (rows.row[i].state == DELIVERY_WAITING) {
			rows.row[i].revision = alert->revision;
			rc = alerts_put_delivery(outbox->store, &rows.row[i], err);
		}
	}
	arena_done(&rows.arena);
	return rc;
}

int outbox_release(const struct outbox *outbox, struct str alert_id, struct error *err)
{
	struct rows rows = {0};
	int rc = read_alert_rows(outbox, alert_id, &rows, err);
	for (size_t i = 0; i < rows.count && rc == 0; i++) {
		if (is_held(&rows.row[i], outbox->now_ns)) {
			rows.row[i].next_ns = outbox->now_ns;
			rc = alerts_put_delivery(outbox->store, &rows.row[i], err);
		}
	}
	arena_done(&rows.arena);
	return rc;
}

int outbox_repeat(const struct outbox *outbox, const struct store_alert *alert, struct str channel,
		  size_t *out_count, struct error *err)
{
	struct rows rows = {0};
	size_t count = 0;
	int rc = read_alert_rows(outbox, alert->id, &rows, err);
	for (size_t i = 0; i < outbox->channels->count && rc == 0; i++) {
		const struct channel *to = &outbox->channels->items[i];
		bool meant = channel.len > 0
				     ? str_equal(channel, to->name)
				     : find_row(&rows, to->name) != NULL ||
					       channel_takes(to, alert->rule, alert->severity);
		if (!meant) {
			continue;
		}
		const struct store_delivery row = {.alert_id = alert->id,
						   .channel = to->name,
						   .revision = alert->revision,
						   .state = DELIVERY_WAITING,
						   .next_ns = outbox->now_ns,
						   .changed_ns = outbox->now_ns};
		rc = alerts_put_delivery(outbox->store, &row, err);
		count++;
	}
	arena_done(&rows.arena);
	if (rc == 0) {
		*out_count = count;
	}
	return rc;
}

int outbox_receive(const struct outbox *outbox, const struct outbox_receipt *receipt,
		   bool *out_known, struct error *err)
{
	struct rows rows = {0};
	int rc = read_alert_rows(outbox, receipt->alert_id, &rows, err);
	const struct store_delivery *found = rc == 0 ? find_row(&rows, receipt->channel) : NULL;
	if (rc == 0) {
		*out_known = found != NULL;
	}
	if (found != NULL && found->revision == receipt->revision &&
	    found->state == DELIVERY_WAITING) {
		struct store_delivery row = *found;
		int64_t latest_ns = outbox->now_ns + WAIT_MAX_NS;
		row.changed_ns = outbox->now_ns;
		row.text = receipt->text;
		switch (receipt->outcome) {
		case FEED_DELIVERED:
			row.state = DELIVERY_DONE;
			break;
		case FEED_RETRY:
			row.attempts = receipt->attempts > 0 ? receipt->attempts : 1;
			row.next_ns = receipt->next_ns < latest_ns ? receipt->next_ns : latest_ns;
			break;
		case FEED_DEAD:
			row.attempts = receipt->attempts;
			row.state = DELIVERY_DEAD;
			break;
		}
		rc = alerts_put_delivery(outbox->store, &row, err);
	}
	arena_done(&rows.arena);
	return rc;
}

int outbox_bury(const struct outbox *outbox, struct error *err)
{
	const struct alerts_delivery_filter filter = {.states = 1u << DELIVERY_WAITING};
	size_t count = 0;
	int rc = 0;
	do {
		struct rows rows = {.unless = outbox->channels};
		rc = read_rows(outbox, &filter, BURIED_ROUND, &rows, err);
		count = rows.count;
		for (size_t i = 0; i < count && rc == 0; i++) {
			rows.row[i].state = DELIVERY_DEAD;
			rows.row[i].changed_ns = outbox->now_ns;
			rows.row[i].text =
				STR_LIT("the configuration has no such channel any more");
			rc = alerts_put_delivery(outbox->store, &rows.row[i], err);
		}
		arena_done(&rows.arena);
	} while (rc == 0 && count == BURIED_ROUND);
	return rc;
}
