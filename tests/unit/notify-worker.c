#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/worker.h"
#include "tests/unit/notify-fixture.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct channel {
	const atomic_bool *stop;
	bool hang;
};

static int made_up_open(const struct channel_settings *settings, const atomic_bool *stop,
			struct channel **out_channel, struct error *err)
{
	if (settings->tries == 99) {
		return error_set(err, ERR_CONFIG, "as asked");
	}
	*out_channel = calloc(1, sizeof(**out_channel));
	assert_non_null(*out_channel);
	**out_channel = (struct channel){.stop = stop, .hang = settings->tries == 1};
	return 0;
}

static void made_up_send(struct channel *channel, const struct channel_message *message,
			 struct channel_reply *out_reply)
{
	while (channel->hang && !atomic_load(channel->stop)) {
		(void)usleep(1000);
	}
	channel_reply_set(out_reply, FEED_DELIVERED, message->notice_count, "%s", message->id);
}

static void made_up_close(struct channel *channel)
{
	free(channel);
}

static const struct channel_type made_up = {
	.name = "made-up", .open = made_up_open, .send = made_up_send, .close = made_up_close};

static void test_sends(void **state)
{
	/* proves: a message is sent once, wakes by the descriptor, gives its reply once, and the worker is idle again */
	struct channel_settings settings = {.name = "c", .type = &made_up};
	struct notice *notice = fixture_notice("1", 1, NULL);
	struct channel_message message = {.id = "m1", .notices = &notice, .notice_count = 1};
	struct channel_reply reply;
	struct worker *worker;
	struct error err;
	int wake_fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_int_equal(worker_start(&settings, wake_fd, &worker, &err), 0);
	assert_true(worker_idle(worker));
	assert_false(worker_take(worker, &reply));
	for (int i = 0; i < 100; i++) {
		struct pollfd ready = {.fd = wake_fd, .events = POLLIN};
		uint64_t count;
		worker_give(worker, &message);
		assert_false(worker_idle(worker));
		assert_int_equal(poll(&ready, 1, 5000), 1);
		assert_int_equal(read(wake_fd, &count, sizeof(count)), 8);
		assert_true(worker_take(worker, &reply));
		assert_string_equal(reply.text, "m1");
		assert_false(worker_take(worker, &reply));
		assert_true(worker_idle(worker));
	}
	worker_stop(worker);
	worker_stop(NULL);
	notice_drop(notice);
	close(wake_fd);
}

static void test_hangs(void **state)
{
	/* proves: finish waits for its grace, then the channel gives up and its reply comes; stop in the middle of a send ends too */
	struct channel_settings settings = {.name = "c", .type = &made_up, .tries = 1};
	struct notice *notice = fixture_notice("1", 1, NULL);
	struct channel_message message = {.id = "m1", .notices = &notice, .notice_count = 1};
	struct channel_reply reply;
	struct worker *worker;
	struct error err;
	int wake_fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_int_equal(worker_start(&settings, wake_fd, &worker, &err), 0);
	worker_give(worker, &message);
	int64_t start_ns = clock_monotonic_ns();
	assert_true(worker_finish(worker, 100 * NS_PER_MS, &reply));
	int64_t took_ns = clock_monotonic_ns() - start_ns;
	assert_true(took_ns >= 100 * NS_PER_MS && took_ns < 2 * NS_PER_SEC);
	worker_stop(worker);
	assert_int_equal(worker_start(&settings, wake_fd, &worker, &err), 0);
	worker_give(worker, &message);
	worker_give_up(worker);
	worker_stop(worker);
	notice_drop(notice);
	close(wake_fd);
}

static void test_not_opened(void **state)
{
	/* proves: a channel that cannot be opened makes no worker, and its reason is passed on */
	struct channel_settings settings = {.name = "c", .type = &made_up, .tries = 99};
	struct worker *worker = NULL;
	struct error err;

	(void)state;
	assert_int_equal(worker_start(&settings, -1, &worker, &err), -ERR_CONFIG);
	assert_string_equal(err.text, "as asked");
	assert_null(worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sends),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_not_opened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
