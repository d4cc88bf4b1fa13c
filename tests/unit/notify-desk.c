#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/desk.h"
#include "tests/unit/notify-fixture.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What the made-up channel answers, and what it was given; the test reads it only while the worker is idle. */
struct channel {
	const atomic_bool *stop;
};

struct script {
	struct channel_reply reply;
	size_t refuse_more_than; /* messages with more alerts are refused for good */
	bool hang;
	unsigned sent;
	size_t counts[64], more[64];
	char ids[64][CHANNEL_ID_MAX];
};

static struct script script;

static int made_up_open(const struct channel_settings *settings, const atomic_bool *stop,
			struct channel **out_channel, struct error *err)
{
	(void)settings;
	(void)err;
	*out_channel = malloc(sizeof(**out_channel));
	assert_non_null(*out_channel);
	(*out_channel)->stop = stop;
	return 0;
}

static void made_up_send(struct channel *channel, const struct channel_message *message,
			 struct channel_reply *out_reply)
{
	unsigned number = script.sent++ % 64;

	script.counts[number] = message->notice_count;
	script.more[number] = message->more_count;
	memcpy(script.ids[number], message->id, sizeof(message->id));
	while (script.hang && !atomic_load(channel->stop)) {
		(void)usleep(1000);
	}
	*out_reply = script.reply;
	if (out_reply->taken == 0 || out_reply->taken > message->notice_count) {
		out_reply->taken = message->notice_count;
	}
	if (script.refuse_more_than > 0 && message->notice_count > script.refuse_more_than) {
		channel_reply_set(out_reply, FEED_DEAD, message->notice_count, "too many");
	}
}

static void made_up_close(struct channel *channel)
{
	free(channel);
}

static const struct channel_type made_up = {.name = "made-up",
					    .batch = 8,
					    .open = made_up_open,
					    .send = made_up_send,
					    .close = made_up_close};

struct bench {
	struct config *config;
	struct channel_settings settings;
	struct desk desk;
	int wake_fd;
	bool away; /* no daemon listens */
	struct {
		char id[24], text[CHANNEL_TEXT_MAX + 64];
		enum feed_outcome outcome;
		uint32_t attempts;
		uint64_t revision;
		int64_t next_ns;
	} receipts[64];
	size_t count;
};

static bool on_receipt(void *owner, const struct feed_frame *frame)
{
	struct bench *bench = owner;

	if (bench->away) {
		return false;
	}
	size_t i = bench->count++;
	assert_true(bench->count <= 64);
	assert_int_equal(frame->delivery_count, 1);
	assert_true(str_is(frame->deliveries[0].channel, "c"));
	(void)snprintf(bench->receipts[i].id, 24, "%.*s", STR_ARG(frame->alert));
	(void)snprintf(bench->receipts[i].text, sizeof(bench->receipts[i].text), "%.*s",
		       STR_ARG(frame->text));
	bench->receipts[i].outcome = frame->outcome;
	bench->receipts[i].attempts = frame->deliveries[0].attempts;
	bench->receipts[i].next_ns = frame->deliveries[0].next_ns;
	bench->receipts[i].revision = frame->sequence;
	return true;
}

static void open_bench(struct bench *bench, bool resends)
{
	struct error err;

	script = (struct script){.reply = {.outcome = FEED_DELIVERED, .text = "taken"}};
	*bench = (struct bench){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	bench->config =
		fixture_config("    type: syslog\n    host: x\n    tries: 3\n    rate: 100000\n");
	bench->settings = fixture_settings(bench->config);
	bench->settings.type = &made_up;
	bench->settings.group_limit = made_up.batch;
	bench->settings.resend_ns = resends ? NS_PER_MIN : 0;
	assert_int_equal(desk_init(&bench->desk, &bench->settings, bench->wake_fd, &err), 0);
	bench->desk.call = (struct desk_call){.each = on_receipt, .owner = bench};
}

static void close_bench(struct bench *bench)
{
	desk_done(&bench->desk);
	config_free(bench->config);
	close(bench->wake_fd);
}

/* Works until nothing is due at now_ns and the worker is idle. */
static void work(struct bench *bench, int64_t now_ns)
{
	desk_work(&bench->desk, now_ns);
	for (int i = 0; i < 1000; i++) {
		struct pollfd ready = {.fd = bench->wake_fd, .events = POLLIN};
		uint64_t count;
		if (desk_due_ns(&bench->desk, now_ns) > now_ns && worker_idle(bench->desk.worker)) {
			return;
		}
		if (!worker_idle(bench->desk.worker)) {
			assert_int_equal(poll(&ready, 1, 5000), 1);
			assert_int_equal(read(bench->wake_fd, &count, sizeof(count)), 8);
		}
		desk_work(&bench->desk, now_ns);
	}
	fail_msg("it works without end");
}

static void give(struct bench *bench, const char *id, uint64_t revision, uint32_t attempts)
{
	struct feed_delivery how = {.channel = STR_LIT("c"), .attempts = attempts};
	struct notice *notice = fixture_notice(id, revision, NULL);

	desk_take(&bench->desk, notice, &how, T0);
	notice_drop(notice);
}

static void test_delivers(void **state)
{
	/* proves: what is taken is sent in one message, and each alert gets a receipt with its revision */
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	give(&bench, "1", 4, 0);
	give(&bench, "2", 5, 0);
	give(&bench, "2", 5, 0);
	work(&bench, T0);
	assert_int_equal(script.sent, 1);
	assert_int_equal(script.counts[0], 2);
	assert_int_equal(bench.count, 2);
	assert_string_equal(bench.receipts[1].id, "2");
	assert_int_equal(bench.receipts[1].revision, 5);
	assert_int_equal(bench.receipts[1].outcome, FEED_DELIVERED);
	assert_string_equal(bench.receipts[1].text, "taken");
	close_bench(&bench);
}

static void test_tries_then_dead(void **state)
{
	/* proves: a failed try is given back with its count and a time within the bound; the last one is dead with the reason */
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	channel_reply_set(&script.reply, FEED_RETRY, 1, "busy");
	give(&bench, "1", 1, 0);
	work(&bench, T0);
	assert_int_equal(bench.receipts[0].outcome, FEED_RETRY);
	assert_int_equal(bench.receipts[0].attempts, 1);
	assert_true(bench.receipts[0].next_ns >= T0 &&
		    bench.receipts[0].next_ns <= T0 + 30 * NS_PER_SEC);
	script.reply.retry_after_ns = NS_PER_HOUR;
	give(&bench, "1", 1, 1);
	work(&bench, T0 + NS_PER_SEC);
	assert_true(bench.receipts[1].next_ns >= T0 + NS_PER_HOUR);
	give(&bench, "1", 1, 2);
	work(&bench, T0 + NS_PER_SEC);
	assert_int_equal(bench.receipts[2].outcome, FEED_DEAD);
	assert_int_equal(bench.receipts[2].attempts, 3);
	assert_string_equal(bench.receipts[2].text, "given up after 3 tries: busy");
	assert_int_equal(bench.count, 3);
	close_bench(&bench);
}

static void test_one_spoils_not_all(void **state)
{
	/* proves: a message that is refused for good is sent again alert by alert; only then they are dead or delivered */
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	script.refuse_more_than = 1;
	give(&bench, "1", 1, 0);
	give(&bench, "2", 1, 0);
	give(&bench, "3", 1, 0);
	work(&bench, T0);
	assert_int_equal(script.sent, 4);
	assert_int_equal(script.counts[0], 3);
	assert_int_equal(script.counts[3], 1);
	assert_int_equal(bench.count, 3);
	assert_string_equal(bench.receipts[0].id, "1");
	assert_int_equal(bench.receipts[2].outcome, FEED_DELIVERED);
	close_bench(&bench);
}

static void test_part_is_taken(void **state)
{
	/* proves: what a channel did not take of a message comes with the next one, in order */
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	script.reply.taken = 2;
	for (int i = 0; i < 5; i++) {
		char id[2] = {(char)('1' + i), '\0'};
		give(&bench, id, 1, 0);
	}
	work(&bench, T0);
	assert_int_equal(script.sent, 3);
	assert_int_equal(bench.count, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(bench.receipts[i].id[0], '1' + i);
	}
	close_bench(&bench);
}

static void test_gone(void **state)
{
	/* proves: after 410 all that waits and all that comes is dead, and nothing is sent */
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	channel_reply_set(&script.reply, FEED_DEAD, 1, "HTTP 410");
	script.reply.gone = true;
	give(&bench, "1", 1, 0);
	give(&bench, "2", 1, 0);
	work(&bench, T0);
	assert_int_equal(bench.count, 2);
	assert_int_equal(bench.receipts[1].outcome, FEED_DEAD);
	give(&bench, "3", 1, 0);
	work(&bench, T0);
	assert_int_equal(bench.count, 3);
	assert_int_equal(bench.receipts[2].outcome, FEED_DEAD);
	assert_int_equal(script.sent, 1);
	close_bench(&bench);
}

static void test_daemon_away(void **state)
{
	/* proves: what was delivered while no daemon listened is confirmed, not sent, when the daemon asks for it again */
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	give(&bench, "1", 1, 0);
	bench.away = true;
	work(&bench, T0);
	give(&bench, "2", 1, 0);
	desk_forget(&bench.desk);
	work(&bench, T0);
	assert_int_equal(script.sent, 1);
	bench.away = false;
	give(&bench, "1", 1, 0);
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.receipts[0].outcome, FEED_DELIVERED);
	work(&bench, T0);
	assert_int_equal(script.sent, 1);
	give(&bench, "1", 1, 0);
	work(&bench, T0);
	assert_int_equal(script.sent, 2);
	close_bench(&bench);
}

static void test_crowded(void **state)
{
	/* proves: past the queue's limit a delivery is given back without a failed try */
	struct bench bench;
	char id[24];

	(void)state;
	open_bench(&bench, false);
	for (unsigned i = 0; i <= QUEUE_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%u", i);
		give(&bench, id, 1, 0);
	}
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.receipts[0].outcome, FEED_RETRY);
	assert_int_equal(bench.receipts[0].attempts, 0);
	assert_int_equal(bench.receipts[0].next_ns, T0 + NS_PER_MIN);
	close_bench(&bench);
}

static void test_resends(void **state)
{
	/* proves: what was delivered and fires is sent again each round without receipts; what is heard of goes at once; an end stops it */
	struct bench bench;
	struct alert ended = {0};

	(void)state;
	open_bench(&bench, true);
	give(&bench, "1", 1, 0);
	work(&bench, T0);
	assert_int_equal(script.sent, 1);
	assert_int_equal(desk_due_ns(&bench.desk, T0), T0 + NS_PER_MIN);
	struct notice *heard = fixture_notice("2", 1, NULL);
	desk_hear(&bench.desk, heard, T0);
	notice_drop(heard);
	work(&bench, T0 + NS_PER_SEC);
	assert_int_equal(script.sent, 2);
	assert_int_equal(script.counts[1], 2);
	assert_int_equal(bench.count, 1);
	ended.value[ALERT_state] = STR_LIT("resolved");
	heard = fixture_notice("2", 2, &ended);
	desk_hear(&bench.desk, heard, T0);
	notice_drop(heard);
	struct notice *end = fixture_notice("1", 2, &ended);
	struct feed_delivery how = {.channel = STR_LIT("c")};
	desk_take(&bench.desk, end, &how, T0);
	notice_drop(end);
	work(&bench, T0 + NS_PER_HOUR);
	assert_int_equal(script.sent, 3);
	assert_int_equal(bench.count, 2);
	assert_int_equal(desk_due_ns(&bench.desk, T0 + NS_PER_HOUR), QUEUE_NEVER);
	struct alert low = {0};
	low.value[ALERT_severity] = STR_LIT("informational");
	heard = fixture_notice("3", 1, &low);
	desk_hear(&bench.desk, heard, T0);
	notice_drop(heard);
	assert_int_equal(bench.desk.firing.count, 0);
	close_bench(&bench);
}

static void test_finish(void **state)
{
	/* proves: at the end a send gets its grace; one that takes longer is broken off and is no failed try */
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	give(&bench, "1", 1, 0);
	desk_work(&bench.desk, T0);
	desk_finish(&bench.desk, clock_monotonic_ns() + 5 * NS_PER_SEC);
	assert_int_equal(bench.count, 1);
	close_bench(&bench);
	open_bench(&bench, false);
	script.hang = true;
	channel_reply_set(&script.reply, FEED_RETRY, 1, "stopped");
	give(&bench, "1", 1, 0);
	desk_work(&bench.desk, T0);
	int64_t start_ns = clock_monotonic_ns();
	desk_finish(&bench.desk, start_ns + 50 * NS_PER_MS);
	assert_int_equal(bench.count, 0);
	assert_true(clock_monotonic_ns() - start_ns < 2 * NS_PER_SEC);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delivers),
		cmocka_unit_test(test_tries_then_dead),
		cmocka_unit_test(test_one_spoils_not_all),
		cmocka_unit_test(test_part_is_taken),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_daemon_away),
		cmocka_unit_test(test_crowded),
		cmocka_unit_test(test_resends),
		cmocka_unit_test(test_finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
