#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/demo-alerts.h"
#include "store/alerts.h"
#include "tests/unit/store-filled.h"

#define MANY_ROWS   "48a89eeb-5d8e-40cf-a554-6555accbefba"
#define WHOLE_TABLE "058b5012-9f97-4556-9d29-ce7f02861015"

static void put(struct filled *filled, const char *id, const char *rule, int severity,
		int64_t second)
{
	const struct store_alert alert = {.id = str_of(id),
					  .state = ALERT_STATE_FIRING,
					  .revision = 1,
					  .severity = severity,
					  .rule = str_of(rule),
					  .verdict_leaf = ALERTS_NO_LEAF,
					  .statement_leaf = 1,
					  .request_leaf = ALERTS_NO_LEAF,
					  .other_leaf = ALERTS_NO_LEAF,
					  .time_ns = FIXTURE_START_NS + second};
	assert_int_equal(alerts_put(filled->store, &alert, &filled->err), 0);
}

static void begin(struct filled *filled)
{
	memset(filled, 0, sizeof(*filled));
	fixture_init(&filled->fixture);
	filled_open(filled, STORE_CREATE);
	assert_int_equal(store_begin(filled->store, FIXTURE_START_NS, &filled->err), 0);
}

static struct demo_alerts read_all(struct filled *filled)
{
	struct demo_alerts alerts;
	assert_int_equal(store_commit(filled->store, &filled->err), 0);
	assert_int_equal(demo_alerts_read(filled->fixture.dir, &alerts, &filled->err), 0);
	return alerts;
}

static void incident_is_found(void **state)
{
	/* the read of the whole table, and of the reads of many rows the last one before it; all are counted, high and critical ones as high */
	struct filled filled;
	(void)state;
	begin(&filled);
	put(&filled, "0000000000000001", MANY_ROWS, 3, 10);
	put(&filled, "0000000000000002", MANY_ROWS, 3, 20);
	put(&filled, "0000000000000003", WHOLE_TABLE, 4, 30);
	put(&filled, "0000000000000004", MANY_ROWS, 3,
	    30); /* the same statement, by another rule */
	put(&filled, "0000000000000005", MANY_ROWS, 3, 40);
	put(&filled, "0000000000000006", "other", 5, 25);
	const struct demo_alerts alerts = read_all(&filled);
	assert_string_equal(alerts.export_id, "0000000000000002");
	assert_string_equal(alerts.bypass_id, "0000000000000003");
	assert_int_equal(alerts.count, 6);
	assert_int_equal(alerts.high, 2);
	filled_done(&filled);
}

static void nothing_is_made_up(void **state)
{
	/* without alerts both are empty; without the bypass every read of many rows is before it; a store that is not there is an error */
	struct filled filled;
	struct demo_alerts alerts;
	(void)state;
	begin(&filled);
	alerts = read_all(&filled);
	assert_string_equal(alerts.export_id, "");
	assert_string_equal(alerts.bypass_id, "");
	assert_int_equal(alerts.count, 0);
	filled_done(&filled);
	begin(&filled);
	put(&filled, "0000000000000001", MANY_ROWS, 3, 10);
	alerts = read_all(&filled);
	assert_string_equal(alerts.export_id, "0000000000000001");
	assert_string_equal(alerts.bypass_id, "");
	filled_done(&filled);
	assert_true(demo_alerts_read("/nonexistent/store", &alerts, &filled.err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(incident_is_found),
					   cmocka_unit_test(nothing_is_made_up)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
