#include "correlator/orders.h"

#include "base/log.h"
#include "base/wire.h"
#include "correlator/lifeorders.h"
#include "model/alert.h"

#define NAME_MAX_BYTES 256

bool orders_is_allowed(const struct record *record)
{
	struct str event = record_text(record, FIELD_event);
	bool named = record_text(record, FIELD_alert_id).len == ALERT_ID_DIGITS;
	if (record->kind != RECORD_LIFECYCLE) {
		return false;
	}
	if (lifeorders_is_one(record)) {
		return lifeorders_is_allowed(record);
	}
	if (str_is(event, ORDERS_ACK)) {
		struct str note = record_text(record, FIELD_note);
		return named && note.len <= ORDERS_NOTE_MAX && str_trim(note).len > 0;
	}
	return str_is(event, ORDERS_REPLAY) &&
	       (named || record_text(record, FIELD_alert_id).len == 0);
}

static int acknowledge(struct alertlog *log, const struct record *record, struct error *err)
{
	struct buf texts;
	struct store_alert alert;
	struct str id = record_text(record, FIELD_alert_id);
	buf_init(&texts, 0);
	int rc = alerts_get(log->outbox.store, id, &texts, &alert, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		log_write(LOG_LEVEL_WARNING, "alert-unknown",
			  "an acknowledgement names alert %.*s, which does not exist", STR_ARG(id));
		rc = 0;
	} else if (rc == 0) {
		enum alert_state state = disposition_next(alert.state, DISPOSITION_ACKNOWLEDGED);
		alert.by = record_text(record, FIELD_user);
		alert.note = record_text(record, FIELD_note);
		rc = state != alert.state ? alertlog_change(log, &alert, state, NULL, err)
					  : alerts_put(log->outbox.store, &alert, err);
	}
	buf_done(&texts);
	return rc;
}

struct gathered { /* alerts and channels, before anything is changed; wire blocks */
	struct buf items;
	struct str channel; /* only of this one; empty: all */
	int64_t before_ns;
	size_t count, max;
};

static int gather_delivery(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct gathered *gathered = owner;
	if (gathered->channel.len > 0 && !str_equal(gathered->channel, delivery->channel)) {
		return 0;
	}
	wire_put_block(&gathered->items, delivery->alert_id);
	wire_put_block(&gathered->items, delivery->channel);
	return buf_check(&gathered->items, "the deliveries to repeat", err);
}

static int gather_firing(void *owner, const struct store_alert *alert, struct error *err)
{
	struct gathered *gathered = owner;
	if (alert->fired_ns >= gathered->before_ns || gathered->count == gathered->max) {
		return 1;
	}
	gathered->count++;
	wire_put_block(&gathered->items, alert->id);
	wire_put_block(&gathered->items, gathered->channel);
	return buf_check(&gathered->items, "the alerts that fire", err);
}

static int repeat(struct alertlog *log, struct str id, struct str channel, struct error *err)
{
	struct buf texts;
	struct store_alert alert;
	size_t count = 0;
	buf_init(&texts, 0);
	int rc = alerts_get(log->outbox.store, id, &texts, &alert, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		log_write(LOG_LEVEL_WARNING, "alert-unknown",
			  "a replay names alert %.*s, which does not exist", STR_ARG(id));
		rc = 0;
	} else if (rc == 0) {
		rc = outbox_repeat(&log->outbox, &alert, channel, &count, err);
	}
	buf_done(&texts);
	return rc;
}

static int repeat_gathered(struct alertlog *log, const struct gathered *gathered, struct error *err)
{
	struct wire_reader reader = wire_reader(buf_str(&gathered->items));
	int rc = 0;
	while (rc == 0 && wire_left(&reader) > 0) {
		struct str id = wire_block(&reader, ALERT_ID_DIGITS);
		struct str channel = wire_block(&reader, NAME_MAX_BYTES);
		rc = repeat(log, id, channel, err);
	}
	return rc;
}

static int replay(struct alertlog *log, const struct record *record, struct error *err)
{
	struct str id = record_text(record, FIELD_alert_id);
	struct str channel = record_text(record, FIELD_channel);
	struct store *store = log->outbox.store;
	if (id.len > 0) {
		return repeat(log, id, channel, err);
	}
	if (channel.len > NAME_MAX_BYTES) {
		return 0; /* no channel has such a name */
	}
	struct gathered gathered = {.channel = channel, .before_ns = INT64_MAX, .max = SIZE_MAX};
	const struct alerts_delivery_filter dead = {.states = 1u << DELIVERY_DEAD};
	buf_init(&gathered.items, 0);
	int rc = alerts_walk_deliveries(
		store, &dead, &(struct alerts_delivery_walk){gather_delivery, &gathered}, err);
	if (rc == 0 && channel.len > 0) {
		const struct alerts_place first = {.ns = INT64_MIN, .max = INT64_MAX};
		rc = alerts_firing(store, &first, &(struct alerts_walk){gather_firing, &gathered},
				   err);
	}
	rc = rc < 0 ? rc : repeat_gathered(log, &gathered, err);
	buf_done(&gathered.items);
	return rc;
}

int orders_obey(struct alertlog *log, const struct record *record, struct error *err)
{
	struct str event = record_text(record, FIELD_event);
	if (record->kind == RECORD_LIFECYCLE && str_is(event, ORDERS_ACK)) {
		return acknowledge(log, record, err);
	}
	if (record->kind == RECORD_LIFECYCLE && str_is(event, ORDERS_REPLAY)) {
		return replay(log, record, err);
	}
	return 0;
}

static int gather_due(struct store *store, int64_t before_ns, struct gathered *gathered,
		      struct error *err)
{
	const struct alerts_place first = {.ns = INT64_MIN, .max = gathered->max};
	gathered->before_ns = before_ns;
	buf_init(&gathered->items, 0);
	int rc = alerts_firing(store, &first, &(struct alerts_walk){gather_firing, gathered}, err);
	return rc > 0 ? 0 : rc;
}

int orders_expiry_is_due(struct store *store, int64_t before_ns, bool *out_due, struct error *err)
{
	struct gathered gathered = {.max = 1};
	int rc = gather_due(store, before_ns, &gathered, err);
	buf_done(&gathered.items);
	if (rc == 0) {
		*out_due = gathered.count > 0;
	}
	return rc;
}

static int expire(struct alertlog *log, struct str id, struct error *err)
{
	struct buf texts;
	struct store_alert alert;
	buf_init(&texts, 0);
	int rc = alerts_get(log->outbox.store, id, &texts, &alert, err);
	if (rc == 0) {
		enum alert_state state = disposition_next(alert.state, DISPOSITION_EXPIRES);
		rc = alertlog_change(log, &alert, state, NULL, err);
	}
	buf_done(&texts);
	return rc;
}

int orders_expire(struct alertlog *log, int64_t before_ns, bool *out_more, struct error *err)
{
	struct gathered gathered = {.max = ORDERS_EXPIRE};
	int rc = gather_due(log->outbox.store, before_ns, &gathered, err);
	struct wire_reader reader = wire_reader(buf_str(&gathered.items));
	while (rc == 0 && wire_left(&reader) > 0) {
		struct str id = wire_block(&reader, ALERT_ID_DIGITS);
		(void)wire_block(&reader, NAME_MAX_BYTES); /* no channel is meant */
		rc = expire(log, id, err);
	}
	buf_done(&gathered.items);
	if (rc == 0) {
		*out_more = gathered.count == ORDERS_EXPIRE;
	}
	return rc;
}
