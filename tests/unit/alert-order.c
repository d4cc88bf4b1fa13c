#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/alert-order.h"
#include "tests/unit/feed-daemon.h"

static void an_order_names_the_asker(void **state)
{
	/* behind serve the order goes to serve's daemon with the peer's name; a refusal and a missing daemon are told */
	struct feed_daemon daemon;
	struct error err;
	struct session session = {0};
	struct surroundings surroundings = {.served = "/nonexistent",
					    .asker = "ann",
					    .asker_uid = 1000,
					    .out_fd = -1,
					    .err_fd = -1};
	const struct alert_order order = {.event = ALERT_ORDER_ACK,
					  .alert_id = STR_LIT("00000000000000aa"),
					  .note = STR_LIT("seen")};
	(void)state;
	session.surroundings = &surroundings;
	feed_daemon_start(&daemon, FEED_COMMITTED, 0);
	surroundings.runtime = daemon.folder;
	assert_int_equal(alert_order_give(&session, &order, &err), 0);
	assert_int_equal(feed_daemon_end(&daemon), 0);
	feed_daemon_start(&daemon, FEED_ERROR, ERR_INPUT);
	surroundings.runtime = daemon.folder;
	assert_int_equal(alert_order_give(&session, &order, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "not you"));
	assert_int_equal(feed_daemon_end(&daemon), 0);
	surroundings.runtime = "/nonexistent";
	assert_true(alert_order_give(&session, &order, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_order_names_the_asker)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
