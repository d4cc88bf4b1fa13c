#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/switchboard.h"
#include "tests/unit/notify-fixture.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct bench {
	struct config *config;
	struct switchboard *board;
	int wake_fd;
	unsigned count;
	enum feed_outcome outcome;
	uint32_t attempts;
	int64_t next_ns;
};

static bool on_receipt(void *owner, const struct feed_frame *frame)
{
	struct bench *bench = owner;

	bench->count++;
	bench->outcome = frame->outcome;
	bench->attempts = frame->deliveries[0].attempts;
	bench->next_ns = frame->deliveries[0].next_ns;
	return true;
}

static void open_bench(struct bench *bench, const char *lines)
{
	struct error err;

	*bench = (struct bench){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	bench->config = fixture_config(lines);
	struct desk_call call = {.each = on_receipt, .owner = bench};
	if (switchboard_new(bench->config, bench->wake_fd, call, &bench->board, &err) != 0) {
		fail_msg("%s", err.text);
	}
}

static void close_bench(struct bench *bench)
{
	switchboard_free(bench->board);
	config_free(bench->config);
	close(bench->wake_fd);
}

/* An encoded alert in out. */
static struct str encode(const char *id, const char *state, struct buf *out)
{
	struct alert alert = {0};
	struct error err;

	alert.value[ALERT_id] = str_of(id);
	alert.value[ALERT_state] = str_of(state);
	alert.value[ALERT_severity] = STR_LIT("high");
	buf_clear(out);
	assert_int_equal(alert_encode(&alert, out, &err), 0);
	return buf_str(out);
}

static void test_unknown_channel(void **state)
{
	/* proves: a delivery to a channel that is not configured is a failed try, and dead after twelve */
	struct feed_delivery how = {.channel = STR_LIT("other"), .attempts = 2};
	struct feed_frame frame = {.type = FEED_ALERT, .deliveries = &how, .delivery_count = 1};
	struct bench bench;
	struct buf bytes;
	struct error err;

	(void)state;
	buf_init(&bytes, 0);
	open_bench(&bench, "    type: syslog\n    host: x\n");
	assert_int_equal(switchboard_count(bench.board), 1);
	frame.alert = encode("1", "firing", &bytes);
	assert_int_equal(switchboard_alert(bench.board, &frame, T0, &err), 0);
	assert_int_equal(bench.outcome, FEED_RETRY);
	assert_int_equal(bench.attempts, 3);
	assert_int_equal(bench.next_ns, T0 + NS_PER_MIN);
	how.attempts = 11;
	assert_int_equal(switchboard_alert(bench.board, &frame, T0, &err), 0);
	assert_int_equal(bench.outcome, FEED_DEAD);
	assert_int_equal(bench.count, 2);
	close_bench(&bench);
	buf_done(&bytes);
}

static void test_bad_alert(void **state)
{
	/* proves: an alert that does not parse is refused as a whole */
	struct feed_delivery how = {.channel = STR_LIT("c")};
	struct feed_frame frame = {.type = FEED_ALERT,
				   .alert = STR_LIT("rubbish"),
				   .deliveries = &how,
				   .delivery_count = 1};
	struct bench bench;
	struct error err;

	(void)state;
	open_bench(&bench, "    type: syslog\n    host: x\n");
	assert_int_equal(switchboard_alert(bench.board, &frame, T0, &err), -ERR_INPUT);
	assert_int_equal(bench.count, 0);
	assert_int_equal(switchboard_work(bench.board, T0), QUEUE_NEVER);
	close_bench(&bench);
}

static void test_due_and_forgotten(void **state)
{
	/* proves: what waits for its group says when it is due; when the daemon is gone nothing waits any more */
	struct feed_delivery how = {.channel = STR_LIT("c")};
	struct feed_frame frame = {.type = FEED_ALERT, .deliveries = &how, .delivery_count = 1};
	struct bench bench;
	struct buf bytes;
	struct error err;

	(void)state;
	buf_init(&bytes, 0);
	open_bench(&bench, "    type: webhook\n    url: http://127.0.0.1:1\n    group_wait: 1h\n");
	frame.alert = encode("1", "firing", &bytes);
	assert_int_equal(switchboard_alert(bench.board, &frame, T0, &err), 0);
	assert_int_equal(switchboard_work(bench.board, T0), T0 + NS_PER_HOUR);
	switchboard_forget(bench.board);
	assert_int_equal(switchboard_work(bench.board, T0), QUEUE_NEVER);
	switchboard_finish(bench.board, NS_PER_SEC);
	assert_int_equal(bench.count, 0);
	close_bench(&bench);
	buf_done(&bytes);
}

static void test_all_or_none(void **state)
{
	/* proves: a channel that cannot be opened keeps all from being opened, and is named */
	struct config *config = fixture_config(
		"    type: smtp\n    url: smtp://x\n    from: nobody\n    to: [a@b]\n");
	struct switchboard *board = NULL;
	struct desk_call call = {.each = on_receipt};
	struct error err;

	(void)state;
	assert_int_equal(switchboard_new(config, -1, call, &board, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "channel c"));
	assert_non_null(strstr(err.text, "\"nobody\" is not a mail address"));
	assert_null(board);
	switchboard_free(NULL);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_channel),
		cmocka_unit_test(test_bad_alert),
		cmocka_unit_test(test_due_and_forgotten),
		cmocka_unit_test(test_all_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
