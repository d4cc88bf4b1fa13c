#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/compose.h"
#include "tests/unit/alert-fixture.h"

static void how_it_ended_is_said(void **state)
{
	/* each end has its sentence, with person and note, or the verdict's reason; a rule that is gone leaves title and severity */
	static const struct {
		enum alert_state state;
		const char *sentence;
	} ends[] = {
		{ALERT_STATE_ACKNOWLEDGED, "acknowledged by ann: agreed"},
		{ALERT_STATE_REVOKED, "revoked: it was bob"},
		{ALERT_STATE_EXPIRED, "expired: nobody acknowledged it in time"},
	};
	struct alert_fixture f;
	struct alerting *alerting = NULL;
	struct composer composer;
	struct alert alert;
	(void)state;
	alert_fixture_init(&f);
	assert_int_equal(alerting_new(f.filled.store, &alerting, &f.err), 0);
	composer_init(&composer, f.filled.store, alerting);
	struct store_alert row = fixture_alert(ALERT_ID, "page-x", 4);
	const struct alertlog_said said = {.event = "fired",
					   .title = STR_LIT("Title"),
					   .reason = STR_LIT("it was bob"),
					   .statement_id = STR_LIT("1234")};
	assert_int_equal(alertlog_raise(&f.log, &row, false, &said, &f.err), 0);
	row.by = STR_LIT("ann");
	row.note = STR_LIT("agreed");
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		row.state = ends[i].state;
		assert_int_equal(compose_alert(&composer, &row, &alert, &f.err), 0);
		assert_true(str_is(alert.value[ALERT_resolution], ends[i].sentence));
		assert_true(str_is(alert.value[ALERT_state], "resolved"));
		assert_true(str_is(alert.value[ALERT_title], "Title"));
		assert_true(str_is(alert.value[ALERT_statement_id], "1234"));
		assert_null(alert.value[ALERT_explanation].ptr);
	}
	row.statement_leaf = 77; /* removed: the alert says what it can */
	assert_int_equal(compose_alert(&composer, &row, &alert, &f.err), 0);
	assert_null(alert.value[ALERT_statement].ptr);
	assert_true(str_is(alert.value[ALERT_title], "Title"));
	row.leaf = 77;
	assert_int_equal(compose_alert(&composer, &row, &alert, &f.err), -ERR_CORRUPT);
	assert_non_null(strstr(f.err.text, ALERT_ID));
	composer_done(&composer);
	alerting_free(alerting);
	alert_fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(how_it_ended_is_said)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
