#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alert-fixture.h"

static int see_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		      struct error *err)
{
	struct record record;
	char *out = owner;
	size_t len = strlen(out);
	(void)leaf;
	(void)ingest_ns;
	assert_int_equal(record_decode(encoded, &record, err), 0);
	(void)snprintf(out + len, 512 - len, "%.*s %.*s %.*s %.*s;", STR_ARG(record.key),
		       STR_ARG(record_text(&record, FIELD_event)),
		       STR_ARG(record_text(&record, FIELD_title)),
		       STR_ARG(record_text(&record, FIELD_reason)));
	return 0;
}

static void changes_are_records_rows_and_deliveries(void **state)
{
	/* firing, revoking and firing again each are an ALERT record with the revision in its key; an expiry is none */
	struct alert_fixture f;
	char records[512] = "";
	(void)state;
	alert_fixture_init(&f);
	(void)fixture_raise(&f, ALERT_ID, false);
	struct store_alert alert = fixture_get(&f, ALERT_ID);
	assert_int_equal(alert.leaf, 0);
	const struct alertlog_said revoked = {
		.event = "revoked", .title = STR_LIT("Title"), .reason = STR_LIT("it was bob")};
	assert_int_equal(alertlog_change(&f.log, &alert, ALERT_STATE_REVOKED, &revoked, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:2:0:0 pager:waiting:2:0:0 ");
	const struct alertlog_said fired = {.event = "fired", .title = STR_LIT("Title")};
	alert = fixture_get(&f, ALERT_ID);
	assert_int_equal(alertlog_change(&f.log, &alert, ALERT_STATE_FIRING, &fired, &f.err), 0);
	alert = fixture_get(&f, ALERT_ID);
	assert_int_equal(alertlog_change(&f.log, &alert, ALERT_STATE_EXPIRED, NULL, &f.err), 0);
	alert = fixture_get(&f, ALERT_ID);
	assert_int_equal(alert.revision, 4);
	assert_int_equal(alert.leaf, 2);
	assert_int_equal(f.log.appended, 3);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:4:0:0 pager:waiting:4:0:0 ");
	assert_int_equal(alertlog_change(&f.log, &alert, ALERT_STATE_REVOKED, &revoked, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID),
			    "mail:waiting:5:0:0 pager:waiting:5:0:0 ");
	assert_int_equal(store_commit(f.filled.store, &f.err), 0);
	assert_int_equal(store_walk(f.filled.store, 0, see_record, records, &f.err), 0);
	assert_string_equal(records, "a" ALERT_ID ".1 fired Title ;a" ALERT_ID
				     ".2 revoked Title it was bob;a" ALERT_ID
				     ".3 fired Title ;a" ALERT_ID ".5 revoked Title it was bob;");
	alert_fixture_done(&f);
}

static void what_is_too_old_is_not_sent(void **state)
{
	/* an event older than max_age makes an alert without deliveries, also when it fires again */
	struct alert_fixture f;
	(void)state;
	alert_fixture_init(&f);
	struct store_alert alert = fixture_alert(ALERT_ID, "page-x", 4);
	const struct alertlog_said said = {.event = "fired"};
	alert.time_ns = NOW - f.log.max_age_ns - 1;
	assert_int_equal(alertlog_raise(&f.log, &alert, false, &said, &f.err), 0);
	assert_true(fixture_get(&f, ALERT_ID).quiet);
	alert = fixture_get(&f, ALERT_ID);
	assert_int_equal(alertlog_change(&f.log, &alert, ALERT_STATE_REVOKED, &said, &f.err), 0);
	alert = fixture_get(&f, ALERT_ID);
	assert_int_equal(alertlog_change(&f.log, &alert, ALERT_STATE_FIRING, &said, &f.err), 0);
	assert_string_equal(fixture_deliveries(&f, ALERT_ID), "");
	struct store_alert future = fixture_alert(ALERT_ID2, "page-x", 4);
	future.time_ns = INT64_MAX;
	assert_int_equal(alertlog_raise(&f.log, &future, false, &said, &f.err), 0);
	assert_false(fixture_get(&f, ALERT_ID2).quiet);
	alert_fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_records_rows_and_deliveries),
		cmocka_unit_test(what_is_too_old_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
