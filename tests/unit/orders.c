#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/orders.h"
#include "tests/unit/alert-fixture.h"

static struct record order(const char *event, const char *id, const char *note)
{
	struct record record;
	record_init(&record, RECORD_LIFECYCLE);
	record_set_text(&record, FIELD_event, str_of(event));
	record_set_text(&record, FIELD_user, STR_LIT("ann"));
	if (id != NULL) {
		record_set_text(&record, FIELD_alert_id, str_of(id));
	}
	if (note != NULL) {
		record_set_text(&record, FIELD_note, str_of(note));
	}
	return record;
}

static void only_orders_are_allowed(void **state)
{
	/* a peer may give acknowledgements with alert and note, and replays; nothing else of this kind */
	char large[ORDERS_NOTE_MAX + 2];
	(void)state;
	memset(large, 'n', sizeof large);
	large[sizeof large - 1] = 0;
	struct record good = order(ORDERS_ACK, ALERT_ID, "seen");
	assert_true(orders_is_allowed(&good));
	good = order(ORDERS_REPLAY, ALERT_ID, NULL);
	assert_true(orders_is_allowed(&good));
	good = order(ORDERS_REPLAY, NULL, NULL);
	assert_true(orders_is_allowed(&good));
	const struct record bad[] = {
		order(ORDERS_ACK, ALERT_ID, NULL),  order(ORDERS_ACK, ALERT_ID, " \n"),
		order(ORDERS_ACK, NULL, "seen"),    order(ORDERS_ACK, "short", "seen"),
		order(ORDERS_ACK, ALERT_ID, large), order(ORDERS_REPLAY, "short", NULL),
		order("start", ALERT_ID, "seen"),
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(orders_is_allowed(&bad[i]));
	}
	struct record gap;
	record_init(&gap, RECORD_GAP);
	assert_false(orders_is_allowed(&gap));
}

static void an_acknowledgement_ends_an_alert(void **state)
{
	/* state, person and note stand in the row, the channels hear of it; a second note replaces the first; an unknown id is passed over */
	struct alert_fixture f;
	(void)state;
	alert_fixture_init(&f);
	(void)fixture_raise(&f, ALERT_ID, false);
	struct record ack = order(ORDERS_ACK, ALERT_ID, "agreed");
	assert_int_equal(orders_obey(&f.log, &ack, &f.err), 0);
	struct store_alert alert = fixture_get(&f, ALERT_ID);
	assert_int_equal(alert.state, ALERT_STATE_ACKNOWLEDGED);
	assert_int_equal(alert.revision, 2);
	assert_true(str_is(alert.by, "ann"));
	assert_true(str_is(alert.note, "agreed"));
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:2:0:0 pager:waiting:2:0:0 ");
	ack = order(ORDERS_ACK, ALERT_ID, "once more");
	assert_int_equal(orders_obey(&f.log, &ack, &f.err), 0);
	alert = fixture_get(&f, ALERT_ID);
	assert_int_equal(alert.revision, 2);
	assert_true(str_is(alert.note, "once more"));
	ack = order(ORDERS_ACK, ALERT_ID2, "who?");
	assert_int_equal(orders_obey(&f.log, &ack, &f.err), 0);
	struct record start = order("start", NULL, NULL);
	assert_int_equal(orders_obey(&f.log, &start, &f.err), 0);
	alert_fixture_done(&f);
}

static void a_replay_sends_again(void **state)
{
	/* one alert, one channel with what fires and what is dead there, or all that is dead */
	struct alert_fixture f;
	bool known = false;
	(void)state;
	alert_fixture_init(&f);
	(void)fixture_raise(&f, ALERT_ID, false);
	(void)fixture_raise(&f, ALERT_ID2, false);
	const char *const ids[] = {ALERT_ID, ALERT_ID2};
	const char *const names[] = {"mail", "pager"};
	for (size_t i = 0; i < 4; i++) {
		struct outbox_receipt given = {.alert_id = str_of(ids[i / 2]),
					       .channel = str_of(names[i % 2]),
					       .revision = 1,
					       .outcome = i % 2 == 0 ? FEED_DEAD : FEED_DELIVERED};
		assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	}
	struct record replay = order(ORDERS_REPLAY, NULL, NULL);
	assert_int_equal(orders_obey(&f.log, &replay, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:0:0 pager:done:1:0:0 ");
	replay = order(ORDERS_REPLAY, ALERT_ID, NULL);
	assert_int_equal(orders_obey(&f.log, &replay, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:0:0 pager:waiting:1:0:0 ");
	assert_string_equal(fixture_deliveries(&f, ALERT_ID2),
			    "mail:waiting:1:0:0 pager:done:1:0:0 ");
	replay = order(ORDERS_REPLAY, NULL, NULL);
	record_set_text(&replay, FIELD_channel, STR_LIT("pager"));
	assert_int_equal(orders_obey(&f.log, &replay, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID2),
			    "mail:waiting:1:0:0 pager:waiting:1:0:0 ");
	replay = order(ORDERS_REPLAY, "ffffffffffffffff", NULL);
	assert_int_equal(orders_obey(&f.log, &replay, &f.err), 0);
	alert_fixture_done(&f);
}

static void time_ends_alerts(void **state)
{
	/* those that fired before the moment expire and the channels hear of it; younger and acknowledged ones do not */
	struct alert_fixture f;
	bool due = true;
	bool more = true;
	(void)state;
	alert_fixture_init(&f);
	(void)fixture_raise(&f, ALERT_ID, false);
	assert_int_equal(orders_expiry_is_due(f.filled.store, NOW, &due, &f.err), 0);
	assert_false(due);
	assert_int_equal(orders_expiry_is_due(f.filled.store, NOW + 1, &due, &f.err), 0);
	assert_true(due);
	(void)fixture_raise(&f, ALERT_ID2, false);
	struct record ack = order(ORDERS_ACK, ALERT_ID2, "agreed");
	assert_int_equal(orders_obey(&f.log, &ack, &f.err), 0);
	assert_int_equal(orders_expire(&f.log, NOW + 1, &more, &f.err), 0);
	assert_false(more);
	assert_int_equal(fixture_get(&f, ALERT_ID).state, ALERT_STATE_EXPIRED);
	assert_int_equal(fixture_get(&f, ALERT_ID2).state, ALERT_STATE_ACKNOWLEDGED);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:2:0:0 pager:waiting:2:0:0 ");
	alert_fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_orders_are_allowed),
		cmocka_unit_test(an_acknowledgement_ends_an_alert),
		cmocka_unit_test(a_replay_sends_again),
		cmocka_unit_test(time_ends_alerts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
