#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "correlator/lifeorders.h"
#include "store/erasures.h"
#include "store/holds.h"
#include "tests/unit/store-filled.h"

#define ID "0123456789abcdef"

static struct record order(const char *event)
{
	struct record record;
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT("querytrail");
	record.key = STR_LIT("k");
	record.time_ns = 77;
	record_set_text(&record, FIELD_event, str_of(event));
	record_set_text(&record, FIELD_user, STR_LIT("ann"));
	record_set_text(&record, FIELD_note, STR_LIT("because"));
	return record;
}

static struct record hold_order(const char *event, const char *name)
{
	struct record record = order(event);
	record_set_text(&record, FIELD_hold, str_of(name));
	record_set_text(&record, FIELD_filter, STR_LIT("user:alice"));
	return record;
}

/* Leaves 5..6 and 9. */
static struct record erase_order(const char *what)
{
	struct record record = order(LIFEORDERS_ERASE);
	record_set_text(&record, FIELD_erasure, STR_LIT(ID));
	record_set_text(&record, FIELD_data_class, str_of(what));
	record_set_text(&record, FIELD_filter_digest, STR_LIT("abcd"));
	record_set_text(&record, FIELD_leaves, STR_LIT("\x05\x01\x02\0"));
	return record;
}

static void only_whole_orders_are_allowed(void **state)
{
	/* each of the three events passes when it has all it needs, and does not when one thing is missing or wrong */
	struct record good[] = {hold_order(LIFEORDERS_HOLD, "case-1"),
				hold_order(LIFEORDERS_RELEASE, "case-1"), erase_order("records"),
				erase_order("literals")};
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(lifeorders_is_one(&good[i]) && lifeorders_is_allowed(&good[i]));
		struct record no_note = good[i];
		record_unset(&no_note, FIELD_note);
		assert_false(lifeorders_is_allowed(&no_note));
	}
	struct record bad[] = {hold_order(LIFEORDERS_HOLD, "case 1"),
			       good[0],
			       hold_order(LIFEORDERS_RELEASE, ""),
			       good[2],
			       good[2],
			       good[2],
			       erase_order("all"),
			       order("alert_ack")};
	record_set_text(&bad[1], FIELD_filter, STR_LIT("  "));
	record_set_text(&bad[3], FIELD_leaves, STR_LIT("\x05"));
	record_set_text(&bad[4], FIELD_leaves, STR_LIT(""));
	record_set_text(&bad[5], FIELD_erasure, STR_LIT("0123456789ABCDEF"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(lifeorders_is_allowed(&bad[i]));
	}
	assert_false(lifeorders_is_one(&bad[7]));
	lifeorders_strip(&good[0]);
	lifeorders_strip(&good[2]);
	assert_false(record_has(&good[0], FIELD_filter) || record_has(&good[2], FIELD_leaves));
}

static void orders_are_done(void **state)
{
	/* a hold is made and released, an erasure is put down with its leaves; what cannot be done is logged and passed over */
	struct filled f;
	struct holds holds;
	struct erasures all;
	struct leafset leaves;
	(void)state;
	memset(&f, 0, sizeof f);
	fixture_init(&f.fixture);
	filled_open(&f, STORE_CREATE);
	holds_init(&holds);
	erasures_init(&all);
	leafset_init(&leaves);
	log_set_level(LOG_LEVEL_ERROR);
	const struct record add = hold_order(LIFEORDERS_HOLD, "case-1");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lifeorders_obey(f.store, &add, 5, &f.err), 0);
	}
	assert_int_equal(holds_read(f.store, &holds, &f.err), 0);
	assert_int_equal(holds.count, 1);
	assert_true(str_is(holds.list[0].filter, "user:alice") && holds.list[0].since_ns == 77);
	const struct record release = hold_order(LIFEORDERS_RELEASE, "case-1");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lifeorders_obey(f.store, &release, 5, &f.err), 0);
	}
	assert_int_equal(holds_read(f.store, &holds, &f.err), 0);
	assert_int_equal(holds.count, 0);
	const struct record erase = erase_order("literals");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lifeorders_obey(f.store, &erase, 5, &f.err), 0);
	}
	assert_int_equal(erasures_read(f.store, &all, &f.err), 0);
	assert_int_equal(all.count, 1);
	assert_string_equal(all.list[0].id, ID);
	assert_string_equal(all.list[0].by, "ann");
	assert_string_equal(all.list[0].reason, "because");
	assert_true(all.list[0].only_literals && all.list[0].asked == 3);
	assert_int_equal(all.list[0].state, ERASURE_ORDERED);
	assert_int_equal(erasures_get_leaves(f.store, ID, &leaves, &f.err), 0);
	assert_true(leafset_has(&leaves, 5) && leafset_has(&leaves, 6) && leafset_has(&leaves, 9));
	all.list[0].state = ERASURE_HELD;
	all.list[0].held = 3;
	assert_int_equal(erasures_put(f.store, &all.list[0], &f.err), 0);
	assert_int_equal(erasures_wake(f.store, true, &f.err), 0);
	assert_int_equal(lifeorders_obey(f.store, &release, 5, &f.err), 0); /* no such hold */
	assert_int_equal(erasures_read(f.store, &all, &f.err), 0);
	assert_int_equal(all.list[0].state, ERASURE_HELD);
	assert_int_equal(lifeorders_obey(f.store, &add, 5, &f.err), 0);
	assert_int_equal(lifeorders_obey(f.store, &release, 5, &f.err), 0);
	assert_int_equal(erasures_read(f.store, &all, &f.err), 0);
	assert_int_equal(all.list[0].state, ERASURE_ORDERED);
	leafset_done(&leaves);
	erasures_done(&all);
	holds_done(&holds);
	filled_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_orders_are_allowed),
		cmocka_unit_test(orders_are_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
