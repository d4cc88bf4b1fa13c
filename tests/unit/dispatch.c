#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/dispatch.h"
#include "model/alert.h"
#include "tests/unit/alert-fixture.h"
#include "tests/unit/rules-text.h"

#define MANY 1200

struct hands {
	struct alert_fixture f;
	struct alerting *alerting;
	struct dispatch *dispatch;
	size_t frames, deliveries, room;
	char last[256]; /* "id revision channels" of the last frame */
	char state[16];
	bool open;
};

static bool has_room(void *owner)
{
	return ((struct hands *)owner)->room > 0;
}

static int take_frame(void *owner, const struct feed_frame *frame, struct error *err)
{
	struct hands *hands = owner;
	struct alert alert;
	int len = 0;
	assert_int_equal(frame->type, FEED_ALERT);
	assert_int_equal(alert_decode(frame->alert, &alert, err), 0);
	hands->frames++;
	hands->room--;
	hands->deliveries += frame->delivery_count;
	len = snprintf(hands->last, sizeof hands->last, "%.*s %llu", STR_ARG(alert.value[ALERT_id]),
		       (unsigned long long)frame->sequence);
	for (size_t i = 0; i < frame->delivery_count; i++) {
		len += snprintf(hands->last + len, sizeof hands->last - (size_t)len, " %.*s",
				STR_ARG(frame->deliveries[i].channel));
	}
	(void)snprintf(hands->state, sizeof hands->state, "%.*s",
		       STR_ARG(alert.value[ALERT_state]));
	return 0;
}

static void hands_init(struct hands *hands)
{
	memset(hands, 0, sizeof *hands);
	alert_fixture_init(&hands->f);
	hands->room = SIZE_MAX;
	assert_int_equal(alerting_new(hands->f.filled.store, &hands->alerting, &hands->f.err), 0);
	const struct dispatch_options options = {.store = hands->f.filled.store,
						 .alerting = hands->alerting,
						 .channels = &hands->f.channels,
						 .has_room = has_room,
						 .send = take_frame,
						 .owner = hands};
	assert_int_equal(dispatch_new(&options, &hands->dispatch, &hands->f.err), 0);
	hands->open = true;
}

static void hands_done(struct hands *hands)
{
	dispatch_free(hands->dispatch);
	alerting_free(hands->alerting);
	alert_fixture_done(&hands->f);
}

static void commit(struct hands *hands)
{
	assert_int_equal(store_commit(hands->f.filled.store, &hands->f.err), 0);
}

static void begin(struct hands *hands)
{
	assert_int_equal(store_begin(hands->f.filled.store, NOW, &hands->f.err), 0);
}

static int64_t pump(struct hands *hands, int64_t now_ns)
{
	int64_t next_ns = 0;
	hands->frames = hands->deliveries = 0;
	assert_int_equal(dispatch_pump(hands->dispatch, now_ns, &next_ns, &hands->f.err), 0);
	return next_ns;
}

static void receive(struct hands *hands, const char *id, const char *channel, uint32_t revision)
{
	bool known = false;
	const struct outbox_receipt receipt = {.alert_id = str_of(id),
					       .channel = str_of(channel),
					       .revision = revision,
					       .outcome = FEED_DELIVERED};
	assert_int_equal(outbox_receive(&hands->f.log.outbox, &receipt, &known, &hands->f.err), 0);
	dispatch_received(hands->dispatch, receipt.alert_id, receipt.channel, revision);
}

static void what_is_due_is_handed_out_once(void **state)
{
	/* nothing without notify or before its time; then once, with all channels; again only on a new connection */
	struct hands hands;
	(void)state;
	hands_init(&hands);
	(void)fixture_raise(&hands.f, ALERT_ID, true);
	commit(&hands);
	(void)pump(&hands, NOW + 6000);
	assert_int_equal(hands.frames, 0);
	dispatch_connected(hands.dispatch);
	assert_int_equal(pump(&hands, NOW), NOW + 5000);
	assert_int_equal(hands.frames, 0);
	assert_true(pump(&hands, NOW + 5000) == INT64_MAX);
	assert_int_equal(hands.frames, 1);
	assert_string_equal(hands.last, ALERT_ID " 1 mail pager");
	assert_int_equal(dispatch_in_hand(hands.dispatch), 2);
	(void)pump(&hands, NOW + NS_PER_HOUR);
	assert_int_equal(hands.frames, 0);
	dispatch_lost(hands.dispatch);
	assert_int_equal(dispatch_in_hand(hands.dispatch), 0);
	dispatch_connected(hands.dispatch);
	(void)pump(&hands, NOW + NS_PER_HOUR);
	assert_string_equal(hands.last, ALERT_ID " 1 mail pager");
	hands_done(&hands);
}

static void what_fires_is_told_on_each_connection(void **state)
{
	/* an alert that was delivered and fires comes without deliveries, once a connection; one that never was does not, nor one that ended */
	struct hands hands;
	(void)state;
	hands_init(&hands);
	(void)fixture_raise(&hands.f, ALERT_ID, false);
	dispatch_connected(hands.dispatch);
	commit(&hands);
	(void)pump(&hands, NOW);
	begin(&hands);
	receive(&hands, ALERT_ID, "mail", 1);
	receive(&hands, ALERT_ID, "pager", 1);
	commit(&hands);
	assert_int_equal(dispatch_in_hand(hands.dispatch), 0);
	dispatch_connected(hands.dispatch);
	(void)pump(&hands, NOW + 1);
	assert_string_equal(hands.last, ALERT_ID " 1");
	assert_int_equal(hands.frames, 1);
	(void)pump(&hands, NOW + NS_PER_HOUR);
	assert_int_equal(hands.frames, 0);
	begin(&hands);
	struct store_alert alert = fixture_get(&hands.f, ALERT_ID);
	assert_int_equal(
		alertlog_change(&hands.f.log, &alert, ALERT_STATE_EXPIRED, NULL, &hands.f.err), 0);
	commit(&hands);
	(void)pump(&hands, NOW + NS_PER_HOUR);
	assert_string_equal(hands.last, ALERT_ID " 2 mail pager");
	assert_string_equal(hands.state, "resolved");
	hands_done(&hands);
}

static void a_change_overtakes_what_is_in_hand(void **state)
{
	/* a new revision goes out although the old one has no receipt, whose receipt then changes nothing */
	struct hands hands;
	(void)state;
	hands_init(&hands);
	(void)fixture_raise(&hands.f, ALERT_ID, false);
	commit(&hands);
	dispatch_connected(hands.dispatch);
	(void)pump(&hands, NOW);
	begin(&hands);
	struct store_alert alert = fixture_get(&hands.f, ALERT_ID);
	assert_int_equal(
		alertlog_change(&hands.f.log, &alert, ALERT_STATE_EXPIRED, NULL, &hands.f.err), 0);
	commit(&hands);
	(void)pump(&hands, NOW + 2 * NS_PER_SEC);
	assert_string_equal(hands.last, ALERT_ID " 2 mail pager");
	assert_int_equal(dispatch_in_hand(hands.dispatch), 2);
	begin(&hands);
	receive(&hands, ALERT_ID, "mail", 1);
	assert_int_equal(dispatch_in_hand(hands.dispatch), 2);
	receive(&hands, ALERT_ID, "mail", 2);
	assert_int_equal(dispatch_in_hand(hands.dispatch), 1);
	commit(&hands);
	hands_done(&hands);
}

static void a_slow_notify_costs_no_memory(void **state)
{
	/* a channel has at most DISPATCH_IN_HAND in hand and the rest stays in the outbox until receipts come; nothing goes without room */
	struct hands hands;
	char id[ALERT_ID_DIGITS + 1];
	size_t told = 0;
	(void)state;
	hands_init(&hands);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(id, sizeof id, "%016x", (unsigned)i);
		(void)fixture_raise(&hands.f, id, false);
	}
	commit(&hands);
	dispatch_connected(hands.dispatch);
	hands.room = 3;
	(void)pump(&hands, NOW);
	assert_int_equal(hands.frames, 3);
	hands.room = SIZE_MAX;
	(void)pump(&hands, NOW);
	assert_int_equal(hands.frames, DISPATCH_IN_HAND - 3);
	assert_int_equal(dispatch_in_hand(hands.dispatch), 2 * DISPATCH_IN_HAND);
	begin(&hands);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(id, sizeof id, "%016x", (unsigned)i);
		for (int c = 0; c < 2; c++) {
			receive(&hands, id, c == 0 ? "mail" : "pager", 1);
		}
		if (i % DISPATCH_IN_HAND == DISPATCH_IN_HAND - 1 || i == MANY - 1) {
			commit(&hands);
			(void)pump(&hands, NOW + 1);
			told += hands.frames;
			begin(&hands);
		}
	}
	commit(&hands);
	assert_int_equal(told, MANY - DISPATCH_IN_HAND);
	assert_int_equal(dispatch_in_hand(hands.dispatch), 0);
	hands_done(&hands);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_due_is_handed_out_once),
		cmocka_unit_test(what_fires_is_told_on_each_connection),
		cmocka_unit_test(a_change_overtakes_what_is_in_hand),
		cmocka_unit_test(a_slow_notify_costs_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
