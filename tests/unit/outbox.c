#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alert-fixture.h"

static struct outbox_receipt receipt(enum feed_outcome outcome, uint32_t revision)
{
	return (struct outbox_receipt){.alert_id = STR_LIT(ALERT_ID),
				       .channel = STR_LIT("mail"),
				       .revision = revision,
				       .outcome = outcome,
				       .attempts = 2,
				       .next_ns = NOW + 700,
				       .text = STR_LIT("refused")};
}

static void an_alert_goes_to_the_channels_that_take_it(void **state)
{
	/* one row a channel that takes the alert; what is held waits, and goes at once when it is released */
	struct alert_fixture f;
	(void)state;
	alert_fixture_init(&f);
	struct store_alert low = fixture_alert(ALERT_ID2, "other", 4);
	low.revision = 1;
	assert_int_equal(outbox_post(&f.log.outbox, &low, NOW, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID2), "mail:waiting:1:0:0 ");
	(void)fixture_raise(&f, ALERT_ID, true);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:5000:0 pager:waiting:1:5000:0 ");
	f.log.outbox.now_ns = NOW + 10;
	assert_int_equal(outbox_release(&f.log.outbox, STR_LIT(ALERT_ID), &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:10:0 pager:waiting:1:10:0 ");
	alert_fixture_done(&f);
}

static void receipts_decide(void **state)
{
	/* delivered, tried again later, dead; one of an older revision or of no delivery changes nothing */
	struct alert_fixture f;
	bool known = false;
	(void)state;
	alert_fixture_init(&f);
	(void)fixture_raise(&f, ALERT_ID, false);
	struct outbox_receipt given = receipt(FEED_DELIVERED, 7);
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	assert_true(known);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:0:0 pager:waiting:1:0:0 ");
	given = receipt(FEED_RETRY, 1);
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:700:2 pager:waiting:1:0:0 ");
	given.next_ns = INT64_MAX; /* nobody waits for ever */
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:604800000000000:2 pager:waiting:1:0:0 ");
	given = receipt(FEED_DEAD, 1);
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	given.channel = STR_LIT("pager");
	given.outcome = FEED_DELIVERED;
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:dead:1:604800000000000:2 pager:done:1:0:0 ");
	given.channel = STR_LIT("none");
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	assert_false(known);
	given = receipt(FEED_DELIVERED, 1);
	given.alert_id = STR_LIT("ffffffffffffffff");
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	assert_false(known);
	alert_fixture_done(&f);
}

static void an_end_is_told_to_those_who_heard(void **state)
{
	/* delivered and waiting ones hear of the end, dead ones do not, and what was held is never sent */
	struct alert_fixture f;
	bool known = false;
	(void)state;
	alert_fixture_init(&f);
	struct store_alert alert = fixture_raise(&f, ALERT_ID, false);
	struct outbox_receipt given = receipt(FEED_DEAD, 1);
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	alert.revision = 2;
	f.log.outbox.now_ns = NOW + 50;
	assert_int_equal(outbox_end(&f.log.outbox, &alert, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:dead:1:0:2 pager:waiting:2:50:0 ");
	struct store_alert held = fixture_raise(&f, ALERT_ID2, true);
	held.revision = 2;
	assert_int_equal(outbox_end(&f.log.outbox, &held, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID2),
			    "mail:done:2:50:0 pager:done:2:50:0 ");
	alert.revision = 3;
	assert_int_equal(outbox_follow(&f.log.outbox, &alert, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:dead:1:0:2 pager:waiting:3:50:0 ");
	alert_fixture_done(&f);
}

static void a_repeat_begins_anew(void **state)
{
	/* to one channel, or to all that take it; a channel that is not configured is none; what waits for one that is gone is dead */
	struct alert_fixture f;
	bool known = false;
	size_t count = 9;
	(void)state;
	alert_fixture_init(&f);
	struct store_alert alert = fixture_raise(&f, ALERT_ID, false);
	struct outbox_receipt given = receipt(FEED_DEAD, 1);
	assert_int_equal(outbox_receive(&f.log.outbox, &given, &known, &f.err), 0);
	assert_int_equal(outbox_repeat(&f.log.outbox, &alert, STR_LIT("none"), &count, &f.err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(outbox_repeat(&f.log.outbox, &alert, STR_LIT("mail"), &count, &f.err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:0:0 pager:waiting:1:0:0 ");
	assert_int_equal(outbox_repeat(&f.log.outbox, &alert, (struct str){0}, &count, &f.err), 0);
	assert_int_equal(count, 2);
	f.channels.count = 1;
	assert_int_equal(outbox_bury(&f.log.outbox, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:1:0:0 pager:dead:1:0:0 ");
	alert_fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alert_goes_to_the_channels_that_take_it),
		cmocka_unit_test(receipts_decide),
		cmocka_unit_test(an_end_is_told_to_those_who_heard),
		cmocka_unit_test(a_repeat_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
