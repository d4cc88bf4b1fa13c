#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/order.h"
#include "tests/unit/feed-daemon.h"

static int wait_once(void *owner, struct error *err)
{
	int *calls = owner;
	++*calls;
	return *calls == 1 ? 0 : error_set(err, ERR_CORRUPT, "waited twice");
}

static void the_wait_follows_the_commit(void **state)
{
	/* what the caller waits for is called once the order is committed, and not when it is refused; its result is that of the order */
	struct feed_daemon daemon;
	struct error err;
	struct session session = {0};
	struct record record;
	int calls = 0;
	struct surroundings surroundings = {.served = "/nonexistent",
					    .asker = "ann",
					    .asker_uid = 1000,
					    .out_fd = -1,
					    .err_fd = -1};
	(void)state;
	session.surroundings = &surroundings;
	record_init(&record, RECORD_LIFECYCLE);
	record_set_text(&record, FIELD_event, STR_LIT("hold_release"));
	record_set_text(&record, FIELD_note, STR_LIT("seen"));
	const struct order order = {.record = &record, .wait = wait_once, .owner = &calls};
	feed_daemon_start(&daemon, FEED_ERROR, ERR_INPUT);
	surroundings.runtime = daemon.folder;
	assert_int_equal(order_give(&session, &order, &err), -ERR_IO);
	assert_int_equal(calls, 0);
	assert_int_equal(feed_daemon_end(&daemon), 0);
	for (int round = 1; round <= 2; round++) {
		feed_daemon_start(&daemon, FEED_COMMITTED, 0);
		surroundings.runtime = daemon.folder;
		int rc = order_give(&session, &order, &err);
		assert_int_equal(rc, round == 1 ? 0 : -ERR_CORRUPT);
		assert_int_equal(calls, round);
		assert_int_equal(feed_daemon_end(&daemon), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_wait_follows_the_commit)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
