#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "model/feed.h"
#include "model/record.h"
#include "query/access-report.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* One conversation as the daemon, in a child: what it answers to the batch. */
static int daemon_child(int listen_fd, enum feed_type answer, uint64_t stored)
{
	struct buf buffer;
	struct buf scratch;
	struct arena arena;
	struct feed_frame frame;
	struct record record;
	buf_init(&buffer, FEED_FRAME_MAX + 64);
	buf_init(&scratch, FEED_FRAME_MAX + 64);
	arena_init(&arena, 1 << 20);
	struct pollfd polled = {.fd = listen_fd, .events = POLLIN};
	(void)poll(&polled, 1, 10000); /* the socket does not block */
	int fd = accept(listen_fd, NULL, NULL);
	struct feed_frame welcome = {.type = FEED_WELCOME};
	struct feed_frame reply = {.type = answer,
				   .sequence = 1,
				   .stored = stored,
				   .code = ERR_AUTH,
				   .state = FEED_STATE_OK,
				   .text = STR_LIT("not you")};
	if (fd < 0 || feed_receive(fd, &buffer, &arena, &frame, NULL) != 0 ||
	    frame.type != FEED_HELLO || !str_is(frame.source_type, "serve") ||
	    feed_send(fd, &welcome, &scratch, NULL) != 0 ||
	    feed_receive(fd, &buffer, &arena, &frame, NULL) != 0 || frame.record_count != 1 ||
	    record_decode(frame.records[0], &record, NULL) != 0) {
		return 1;
	}
	bool good = record.kind == RECORD_ACCESS &&
		    str_is(record_text(&record, FIELD_user), "ann") &&
		    str_is(record_text(&record, FIELD_arguments), "who x") &&
		    record_number(&record, FIELD_peer_uid, 0) == 1000;
	if (feed_send(fd, &reply, &scratch, NULL) != 0) {
		return 1;
	}
	return good ? 0 : 1;
}

static int report(enum feed_type answer, uint64_t stored, struct error *err)
{
	char folder[] = "/tmp/querytrail-access-XXXXXX";
	char path[64];
	int listen_fd = -1;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/feed.sock", folder);
	assert_int_equal(io_unix_listen(path, 0600, &listen_fd, NULL), 0);
	pid_t child = fork();
	if (child == 0) {
		_exit(daemon_child(listen_fd, answer, stored));
	}
	struct access_report access = {STR_LIT("ann"), 1000, STR_LIT("who x"), NS_PER_SEC};
	int result = access_report_send(path, &access, err);
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	(void)close(listen_fd);
	(void)unlink(path);
	(void)rmdir(folder);
	return result;
}

static void test_answers(void **state)
{
	/* Proves: only a stored record lets the answer go on; a refusal, nothing stored and no daemon each end it with a reason. */
	(void)state;
	struct error err;
	assert_int_equal(report(FEED_COMMITTED, 1, &err), 0);
	assert_int_equal(report(FEED_COMMITTED, 0, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "nothing is shown"));
	assert_int_equal(report(FEED_ERROR, 1, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "not you"));
	assert_int_equal(report(FEED_STATUS, 1, &err), -ERR_IO);
	struct access_report access = {STR_LIT("ann"), 1000, STR_LIT("who x"), NS_PER_SEC};
	assert_true(access_report_send("/nonexistent/feed.sock", &access, &err) < 0);
	assert_non_null(strstr(err.text, "nothing is shown"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
