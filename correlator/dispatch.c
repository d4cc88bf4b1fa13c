#include "correlator/dispatch.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "correlator/compose.h"

#include <assert.h>
#include <stdlib.h>

#define KEY_MAX    512
#define LOOK_BYTES (1u << 20)

struct dispatch {
	struct dispatch_options options;
	struct composer composer;
	bool connected;
	bool greeted;          /* everything that fires was told on this connection */
	struct strmap in_hand; /* alert and channel to revision */
	size_t of_channel[FEED_DELIVERIES_MAX];
	bool blocked;          /* a row was passed over because its channel has enough in hand */
	struct arena arena;    /* rows of one look */
	struct arena of_alert; /* rows of one alert, while it is handed out */
	struct alerts_place
		place; /* how far the outbox, or what fires, was gone through; texts in place_text */
	char place_text[2][KEY_MAX];
	int64_t revisit_ns; /* when to begin at the front again */
	struct buf texts, encoded;
};

int dispatch_new(const struct dispatch_options *options, struct dispatch **out_dispatch,
		 struct error *err)
{
	struct dispatch *dispatch = calloc(1, sizeof *dispatch);
	if (dispatch == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to hand out alerts");
	}
	dispatch->options = *options;
	composer_init(&dispatch->composer, options->store, options->alerting);
	dispatch->composer.statement_bytes = options->statement_bytes;
	strmap_init(&dispatch->in_hand, (size_t)DISPATCH_IN_HAND * FEED_DELIVERIES_MAX + 1);
	arena_init(&dispatch->arena, LOOK_BYTES);
	arena_init(&dispatch->of_alert, LOOK_BYTES);
	buf_init(&dispatch->texts, 0);
	buf_init(&dispatch->encoded, ALERT_MAX_BYTES);
	*out_dispatch = dispatch;
	return 0;
}

void dispatch_free(struct dispatch *dispatch)
{
	if (dispatch == NULL) {
		return;
	}
	composer_done(&dispatch->composer);
	strmap_done(&dispatch->in_hand);
	arena_done(&dispatch->arena);
	arena_done(&dispatch->of_alert);
	buf_done(&dispatch->texts);
	buf_done(&dispatch->encoded);
	free(dispatch);
}

static void go_to_front(struct dispatch *dispatch)
{
	dispatch->place = (struct alerts_place){.ns = INT64_MIN, .max = DISPATCH_LOOK};
	dispatch->blocked = false;
}

static void forget_hands(struct dispatch *dispatch)
{
	strmap_done(&dispatch->in_hand);
	strmap_init(&dispatch->in_hand, (size_t)DISPATCH_IN_HAND * FEED_DELIVERIES_MAX + 1);
	memset(dispatch->of_channel, 0, sizeof dispatch->of_channel);
}

void dispatch_set(struct dispatch *dispatch, const struct channels *channels,
		  size_t statement_bytes)
{
	dispatch->options.channels = channels;
	dispatch->composer.statement_bytes = statement_bytes;
	forget_hands(
		dispatch); /* their channels may have other numbers now; at worst some are handed out twice */
	go_to_front(dispatch);
}

void dispatch_connected(struct dispatch *dispatch)
{
	dispatch->connected = true;
	dispatch->greeted = false;
	forget_hands(dispatch);
	go_to_front(dispatch);
}

void dispatch_lost(struct dispatch *dispatch)
{
	dispatch->connected = false;
	forget_hands(dispatch);
}

size_t dispatch_in_hand(const struct dispatch *dispatch)
{
	return dispatch->in_hand.entry_count;
}

/* The number of a channel, or the count of all. */
static size_t channel_number(const struct dispatch *dispatch, struct str name)
{
	const struct channels *channels = dispatch->options.channels;
	size_t at = 0;
	while (at < channels->count && !str_equal(channels->items[at].name, name)) {
		at++;
	}
	return at;
}

/* The key of a delivery in in_hand; empty when it is too long to be one of ours. */
static struct str hand_key(char out[KEY_MAX], struct str alert_id, struct str channel)
{
	size_t len = alert_id.len + 1 + channel.len;
	if (len > KEY_MAX) {
		return (struct str){0};
	}
	memcpy(out, alert_id.ptr, alert_id.len);
	out[alert_id.len] = '/';
	if (channel.len > 0) {
		memcpy(out + alert_id.len + 1, channel.ptr, channel.len);
	}
	return str_make(out, len);
}

void dispatch_received(struct dispatch *dispatch, struct str alert_id, struct str channel,
		       uint32_t revision)
{
	char bytes[KEY_MAX];
	struct str key = hand_key(bytes, alert_id, channel);
	size_t number = channel_number(dispatch, channel);
	const uint64_t *held = key.len > 0 ? strmap_get(&dispatch->in_hand, key) : NULL;
	if (held == NULL || *held != revision || number >= dispatch->options.channels->count) {
		return;
	}
	(void)strmap_remove(&dispatch->in_hand, key); /* it is there */
	size_t left = --dispatch->of_channel[number];
	if (dispatch->blocked && left <= DISPATCH_IN_HAND / 2) {
		go_to_front(dispatch);
	}
}

/* Copies a place, whose texts borrow from rows, into the dispatch. */
static void keep_place(struct dispatch *dispatch, int64_t ns, struct str alert_id,
		       struct str channel)
{
	struct str parts[] = {alert_id, channel};
	for (size_t i = 0; i < 2; i++) {
		size_t len = parts[i].len < KEY_MAX ? parts[i].len : KEY_MAX;
		if (len > 0) {
			memcpy(dispatch->place_text[i], parts[i].ptr, len);
		}
		parts[i] = str_make(dispatch->place_text[i], len);
	}
	dispatch->place.ns = ns;
	dispatch->place.alert_id = parts[0];
	dispatch->place.channel = parts[1];
}

struct looked { /* rows of one look, copied */
	struct arena *arena;
	struct store_delivery *rows;
	size_t count, room;
};

static int look_delivery(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct looked *looked = owner;
	struct arena *arena = looked->arena;
	struct store_delivery *row = &looked->rows[looked->count];
	if (looked->count == looked->room) {
		return 1;
	}
	*row = *delivery;
	row->text = (struct str){0};
	if (arena_str(arena, delivery->alert_id, &row->alert_id) < 0 ||
	    arena_str(arena, delivery->channel, &row->channel) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for the deliveries that are due");
	}
	looked->count++;
	return 0;
}

static int look_alert(void *owner, const struct store_alert *alert, struct error *err)
{
	const struct store_delivery row = {.alert_id = alert->id, .next_ns = alert->fired_ns};
	return look_delivery(owner, &row, err);
}

static int make_room(struct looked *looked, size_t room, struct error *err)
{
	looked->room = room;
	looked->rows = arena_calloc(looked->arena, room, sizeof looked->rows[0]);
	return looked->rows == NULL
		       ? error_set(err, ERR_NOMEM, "no memory for the deliveries that are due")
		       : 0;
}

/* Sends an alert with these deliveries. One that cannot be read is passed over. */
static int send_alert(struct dispatch *dispatch, const struct store_alert *row,
		      const struct feed_delivery *deliveries, size_t count, struct error *err)
{
	struct alert alert;
	int rc = compose_alert(&dispatch->composer, row, &alert, err);
	buf_clear(&dispatch->encoded);
	rc = rc < 0 ? rc : alert_encode(&alert, &dispatch->encoded, err);
	if (rc == -ERR_CORRUPT || rc == -ERR_LIMIT) {
		log_error(LOG_LEVEL_ERROR, "alert-unreadable", err);
		error_clear(err);
		return 0;
	}
	if (rc < 0) {
		return rc;
	}
	const struct feed_frame frame = {.type = FEED_ALERT,
					 .sequence = row->revision,
					 .alert = buf_str(&dispatch->encoded),
					 .deliveries = deliveries,
					 .delivery_count = count};
	return dispatch->options.send(dispatch->options.owner, &frame, err);
}

/* Whether a delivery may be handed out now. */
static bool may_go(struct dispatch *dispatch, const struct store_delivery *row)
{
	char bytes[KEY_MAX];
	size_t number = channel_number(dispatch, row->channel);
	struct str key = hand_key(bytes, row->alert_id, row->channel);
	if (number >= dispatch->options.channels->count || key.len == 0) {
		return false; /* it is dead with the next transaction */
	}
	const uint64_t *held = strmap_get(&dispatch->in_hand, key);
	if (held != NULL) {
		return *held != row->revision;
	}
	if (dispatch->of_channel[number] >= DISPATCH_IN_HAND) {
		dispatch->blocked = true;
		return false;
	}
	return true;
}

static int put_in_hand(struct dispatch *dispatch, const struct store_delivery *row,
		       struct error *err)
{
	char bytes[KEY_MAX];
	struct str key = hand_key(bytes, row->alert_id, row->channel);
	bool held = strmap_get(&dispatch->in_hand, key) != NULL;
	if (strmap_put(&dispatch->in_hand, key, row->revision) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for what is in notify's hands");
	}
	dispatch->of_channel[channel_number(dispatch, row->channel)] += held ? 0 : 1;
	return 0;
}

/* Hands out an alert with all of its deliveries that are due. */
static int hand_out(struct dispatch *dispatch, struct str alert_id, int64_t now_ns,
		    struct error *err)
{
	struct looked looked = {.arena = &dispatch->of_alert};
	struct feed_delivery deliveries[FEED_DELIVERIES_MAX];
	struct store_alert alert;
	size_t count = 0;
	const struct alerts_delivery_filter filter = {.alert_id = alert_id,
						      .states = 1u << DELIVERY_WAITING};
	arena_clear(&dispatch->of_alert);
	int rc = alerts_get(dispatch->options.store, alert_id, &dispatch->texts, &alert, err);
	rc = rc < 0 ? rc : make_room(&looked, FEED_DELIVERIES_MAX, err);
	if (rc == 0) {
		rc = alerts_walk_deliveries(dispatch->options.store, &filter,
					    &(struct alerts_delivery_walk){look_delivery, &looked},
					    err);
		rc = rc > 0 ? 0 : rc;
	}
	for (size_t i = 0; i < looked.count && rc == 0; i++) {
		const struct store_delivery *row = &looked.rows[i];
		if (row->next_ns > now_ns || row->revision != alert.revision ||
		    !may_go(dispatch, row)) {
			continue;
		}
		deliveries[count++] =
			(struct feed_delivery){.channel = row->channel, .attempts = row->attempts};
		rc = put_in_hand(dispatch, row, err);
	}
	if (rc < 0 || count == 0) {
		return rc;
	}
	return send_alert(dispatch, &alert, deliveries, count, err);
}

static bool is_gone(int rc, struct error *err)
{
	if (rc == -ERR_GONE || rc == -ERR_CORRUPT) {
		log_error(LOG_LEVEL_ERROR, "alert-unreadable", err);
		error_clear(err);
		return true;
	}
	return false;
}

/* Goes through what is due from the place on. *out_end: nothing is behind it. */
static int hand_out_due(struct dispatch *dispatch, int64_t now_ns, bool *out_end, struct error *err)
{
	struct looked looked = {.arena = &dispatch->arena};
	arena_clear(&dispatch->arena);
	int rc = make_room(&looked, DISPATCH_LOOK, err);
	rc = rc < 0 ? rc
		    : alerts_due(dispatch->options.store, now_ns, &dispatch->place,
				 &(struct alerts_delivery_walk){look_delivery, &looked}, err);
	*out_end = rc == 0 && looked.count < DISPATCH_LOOK;
	for (size_t i = 0; i < looked.count && rc == 0; i++) {
		const struct store_delivery *row = &looked.rows[i];
		if (!dispatch->options.has_room(dispatch->options.owner)) {
			*out_end = false;
			break;
		}
		if (may_go(dispatch, row)) {
			rc = hand_out(dispatch, row->alert_id, now_ns, err);
			rc = is_gone(rc, err) ? 0 : rc;
		}
		keep_place(dispatch, row->next_ns, row->alert_id, row->channel);
	}
	return rc;
}

static int was_delivered(void *owner, const struct store_delivery *delivery, struct error *err)
{
	bool *delivered = owner;
	(void)delivery;
	(void)err;
	*delivered = true;
	return 1;
}

/* Tells of an alert that fires, if a channel knows of it. */
static int greet_with(struct dispatch *dispatch, struct str alert_id, struct error *err)
{
	struct store_alert alert;
	bool delivered = false;
	const struct alerts_delivery_filter filter = {.alert_id = alert_id,
						      .states = 1u << DELIVERY_DONE};
	int rc = alerts_walk_deliveries(dispatch->options.store, &filter,
					&(struct alerts_delivery_walk){was_delivered, &delivered},
					err);
	if (rc < 0 || !delivered) {
		return rc;
	}
	rc = alerts_get(dispatch->options.store, alert_id, &dispatch->texts, &alert, err);
	return rc < 0 ? rc : send_alert(dispatch, &alert, NULL, 0, err);
}

static int greet(struct dispatch *dispatch, struct error *err)
{
	struct looked looked = {.arena = &dispatch->arena};
	arena_clear(&dispatch->arena);
	int rc = make_room(&looked, DISPATCH_LOOK, err);
	rc = rc < 0 ? rc
		    : alerts_firing(dispatch->options.store, &dispatch->place,
				    &(struct alerts_walk){look_alert, &looked}, err);
	bool end = looked.count < DISPATCH_LOOK;
	for (size_t i = 0; i < looked.count && rc == 0; i++) {
		if (!dispatch->options.has_room(dispatch->options.owner)) {
			end = false;
			break;
		}
		rc = greet_with(dispatch, looked.rows[i].alert_id, err);
		rc = is_gone(rc, err) ? 0 : rc;
		keep_place(dispatch, looked.rows[i].next_ns, looked.rows[i].alert_id,
			   (struct str){0});
	}
	if (rc == 0 && end) {
		dispatch->greeted = true;
		go_to_front(dispatch);
	}
	return rc;
}

int dispatch_pump(struct dispatch *dispatch, int64_t now_ns, int64_t *out_next_ns,
		  struct error *err)
{
	bool end = false;
	int rc = 0;
	*out_next_ns = INT64_MAX;
	if (!dispatch->connected) {
		return 0;
	}
	while (rc == 0 && !dispatch->greeted &&
	       dispatch->options.has_room(dispatch->options.owner)) {
		rc = greet(dispatch, err);
	}
	if (rc < 0 || !dispatch->greeted) {
		return rc;
	}
	if (now_ns >= dispatch->revisit_ns || dispatch->revisit_ns > now_ns + DISPATCH_REVISIT_NS) {
		dispatch->revisit_ns = now_ns + DISPATCH_REVISIT_NS;
		go_to_front(dispatch);
	}
	while (rc == 0 && !end && dispatch->options.has_room(dispatch->options.owner)) {
		rc = hand_out_due(dispatch, now_ns, &end, err);
	}
	rc = rc < 0 ? rc : alerts_next_due(dispatch->options.store, now_ns, out_next_ns, err);
	return rc;
}
