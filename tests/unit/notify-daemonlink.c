#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "correlator/notify/daemonlink.h"
#include "model/alert.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The daemon's end: a listening socket in a folder of its own, and the connection. */
struct bench {
	char folder[64], path[96];
	int listener, peer;
	struct daemonlink link;
	struct buf scratch;
	unsigned alerts;
	uint64_t revision;
	int answer; /* what the callback returns */
};

static int open_bench(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error err;

	assert_non_null(bench);
	(void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/daemonlink-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(bench->path, sizeof(bench->path), "%s/feed.sock", bench->folder);
	assert_int_equal(io_unix_listen(bench->path, 0600, &bench->listener, &err), 0);
	bench->peer = -1;
	buf_init(&bench->scratch, 0);
	daemonlink_init(&bench->link);
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *bench = *state;

	daemonlink_done(&bench->link);
	if (bench->peer >= 0) {
		close(bench->peer);
	}
	close(bench->listener);
	(void)unlink(bench->path);
	(void)rmdir(bench->folder);
	buf_done(&bench->scratch);
	free(bench);
	return 0;
}

static int on_alert(void *owner, const struct feed_frame *frame, struct error *err)
{
	struct bench *bench = owner;

	bench->alerts++;
	bench->revision = frame->sequence;
	return bench->answer == 0 ? 0 : error_set(err, ERR_INPUT, "as asked");
}

/* Connects and reads what notify says first. */
static void greet(struct bench *bench)
{
	struct error err;

	assert_int_equal(daemonlink_open(&bench->link, bench->path, &err), 0);
	bench->peer = accept(bench->listener, NULL, NULL);
	assert_true(bench->peer >= 0);
}

static void send_frame(struct bench *bench, const struct feed_frame *frame)
{
	struct error err;

	assert_int_equal(feed_send(bench->peer, frame, &bench->scratch, &err), 0);
}

static const struct feed_frame welcome = {.type = FEED_WELCOME};
static const struct feed_frame alert = {.type = FEED_ALERT, .sequence = 7, .alert = {"\0", 1}};

static void test_greeting(void **state)
{
	/* proves: HELLO says who we are, WELCOME is waited for, alerts come one by one, also in pieces */
	struct bench *bench = *state;
	struct feed_frame frame;
	struct arena arena;
	struct buf bytes;
	struct error err;

	greet(bench);
	arena_init(&arena, 1 << 16);
	buf_init(&bytes, 0);
	assert_int_equal(feed_receive(bench->peer, &bytes, &arena, &frame, &err), 0);
	assert_int_equal(frame.type, FEED_HELLO);
	assert_true(str_is(frame.program, "querytrail-notify") && str_is(frame.source, "notify"));
	assert_int_equal(frame.kinds, 0);
	assert_int_equal(daemonlink_read(&bench->link, on_alert, bench, &err), 0);
	assert_false(bench->link.greeted);
	send_frame(bench, &welcome);
	assert_int_equal(daemonlink_read(&bench->link, on_alert, bench, &err), 0);
	assert_true(bench->link.greeted);
	send_frame(bench, &alert);
	send_frame(bench, &alert);
	assert_int_equal(daemonlink_read(&bench->link, on_alert, bench, &err), 0);
	assert_int_equal(bench->alerts, 2);
	assert_int_equal(bench->revision, 7);
	buf_clear(&bytes);
	assert_int_equal(feed_encode(&alert, &bytes, &err), 0);
	for (size_t i = 0; i < bytes.len; i++) {
		assert_int_equal(write(bench->peer, bytes.ptr + i, 1), 1);
		assert_int_equal(daemonlink_read(&bench->link, on_alert, bench, &err), 0);
	}
	assert_int_equal(bench->alerts, 3);
	buf_done(&bytes);
	arena_done(&arena);
}

static void test_receipt(void **state)
{
	/* proves: a receipt goes out only after WELCOME, and says no when the daemon is gone */
	struct bench *bench = *state;
	struct feed_delivery delivery = {.channel = STR_LIT("c")};
	struct feed_frame receipt = {.type = FEED_RECEIPT,
				     .alert = STR_LIT("1"),
				     .deliveries = &delivery,
				     .delivery_count = 1,
				     .outcome = FEED_DELIVERED};
	struct error err;
	bool sent = true;

	assert_false(daemonlink_send(&bench->link, &receipt));
	greet(bench);
	assert_false(daemonlink_send(&bench->link, &receipt));
	send_frame(bench, &welcome);
	assert_int_equal(daemonlink_read(&bench->link, on_alert, bench, &err), 0);
	assert_true(daemonlink_send(&bench->link, &receipt));
	close(bench->peer);
	bench->peer = -1;
	for (int i = 0; i < 3 && sent; i++) {
		sent = daemonlink_send(&bench->link, &receipt);
	}
	assert_false(sent);
	assert_int_equal(bench->link.fd, -1);
}

static void check_refused(struct bench *bench, int code, const char *words)
{
	struct error err;

	assert_int_equal(daemonlink_read(&bench->link, on_alert, bench, &err), -code);
	assert_non_null(strstr(err.text, words));
	assert_int_equal(bench->link.fd, -1);
	assert_false(bench->link.greeted);
}

static void test_errors(void **state)
{
	/* proves: no daemon, a hang-up, an ERROR, a frame that nobody expects, rubbish and a refused alert close the link and say why */
	struct bench *bench = *state;
	struct error err;

	assert_int_equal(daemonlink_open(&bench->link, "/nowhere/feed.sock", &err), -ERR_AGAIN);
	greet(bench);
	close(bench->peer);
	check_refused(bench, ERR_AGAIN, "closed");
	const struct feed_frame error = {
		.type = FEED_ERROR, .code = ERR_CONFIG, .text = STR_LIT("no")};
	greet(bench);
	send_frame(bench, &error);
	check_refused(bench, ERR_CONFIG, "querytraild says: no");
	close(bench->peer);
	greet(bench);
	send_frame(bench, &alert);
	check_refused(bench, ERR_INPUT, "nobody expects");
	assert_int_equal(bench->alerts, 0);
	close(bench->peer);
	greet(bench);
	assert_int_equal(write(bench->peer, "\xff\xff\xff\xff\xff", 5), 5);
	check_refused(bench, ERR_INPUT, "frame");
	close(bench->peer);
	greet(bench);
	send_frame(bench, &welcome);
	send_frame(bench, &alert);
	bench->answer = 1;
	check_refused(bench, ERR_INPUT, "as asked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_greeting, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(test_receipt, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(test_errors, open_bench, close_bench),
	};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (sigaction(SIGPIPE, &ignore, NULL) != 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
