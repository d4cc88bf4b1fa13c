#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/disposition.h"

static void every_step_is_as_documented(void **state)
{
	/* each state under each event; what the evidence says goes before persons and time */
	static const struct {
		int from, on_fires, on_fires_not, on_ack, on_expiry;
	} steps[] = {
		{0, ALERT_STATE_FIRING, 0, 0, 0},
		{ALERT_STATE_FIRING, ALERT_STATE_FIRING, ALERT_STATE_REVOKED,
		 ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_EXPIRED},
		{ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_REVOKED,
		 ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_ACKNOWLEDGED},
		{ALERT_STATE_REVOKED, ALERT_STATE_FIRING, ALERT_STATE_REVOKED, ALERT_STATE_REVOKED,
		 ALERT_STATE_REVOKED},
		{ALERT_STATE_EXPIRED, ALERT_STATE_EXPIRED, ALERT_STATE_REVOKED,
		 ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_EXPIRED},
	};
	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		enum alert_state from = (enum alert_state)steps[i].from;
		assert_int_equal(disposition_next(from, DISPOSITION_FIRES), steps[i].on_fires);
		assert_int_equal(disposition_next(from, DISPOSITION_FIRES_NOT),
				 steps[i].on_fires_not);
		assert_int_equal(disposition_next(from, DISPOSITION_ACKNOWLEDGED), steps[i].on_ack);
		assert_int_equal(disposition_next(from, DISPOSITION_EXPIRES), steps[i].on_expiry);
	}
}

static void evidence_does_not_depend_on_persons(void **state)
{
	/* an acknowledgement before or behind a revocation leads to the same state */
	(void)state;
	enum alert_state a = disposition_next(ALERT_STATE_FIRING, DISPOSITION_ACKNOWLEDGED);
	enum alert_state b = disposition_next(ALERT_STATE_FIRING, DISPOSITION_FIRES_NOT);
	assert_int_equal(disposition_next(a, DISPOSITION_FIRES_NOT),
			 disposition_next(b, DISPOSITION_ACKNOWLEDGED));
	assert_true(disposition_fires(ALERT_STATE_FIRING));
	assert_false(disposition_fires(a));
	assert_false(disposition_fires(b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_is_as_documented),
		cmocka_unit_test(evidence_does_not_depend_on_persons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
