#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "query/client.h"
#include "query/protocol.h"
#include "tests/unit/ask.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct desk { /* a folder with a configuration and a query.sock that a child serves */
	char dir[64], config[96], socket[96];
	int listen_fd;
	pid_t child;
};

static void desk_init(struct desk *desk)
{
	char text[128];
	*desk = (struct desk){.dir = "/tmp/querytrail-client-XXXXXX", .listen_fd = -1, .child = -1};
	assert_non_null(mkdtemp(desk->dir));
	(void)snprintf(desk->config, sizeof(desk->config), "%s/querytrail.yaml", desk->dir);
	(void)snprintf(desk->socket, sizeof(desk->socket), "%s/query.sock", desk->dir);
	(void)snprintf(text, sizeof(text), "runtime: %s\n", desk->dir);
	assert_int_equal(io_replace_file(desk->config, str_of(text), 0600, NULL), 0);
}

static void desk_done(struct desk *desk)
{
	(void)unlink(desk->socket); /* not there in every test */
	assert_int_equal(unlink(desk->config), 0);
	assert_int_equal(rmdir(desk->dir), 0);
}

/* A child that takes one question and answers with count frames. */
static void serve(struct desk *desk, const enum protocol_type *types, const char *const *payloads,
		  size_t count)
{
	assert_int_equal(io_unix_listen(desk->socket, 0600, &desk->listen_fd, NULL), 0);
	desk->child = fork();
	assert_true(desk->child >= 0);
	if (desk->child > 0) {
		(void)close(desk->listen_fd); /* the child has it */
		return;
	}
	int flags = fcntl(desk->listen_fd, F_GETFL);
	(void)fcntl(desk->listen_fd, F_SETFL,
		    flags & ~O_NONBLOCK); /* a failed accept ends the child */
	int fd = accept(desk->listen_fd, NULL, NULL);
	struct buf buffer;
	enum protocol_type type;
	struct str payload;
	buf_init(&buffer, PROTOCOL_FRAME_MAX + 16);
	int rc = fd < 0 ? -1 : protocol_receive(fd, &buffer, &type, &payload, NULL);
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct str frame =
			types[i] == PROTOCOL_END ? str_make(payloads[i], 1) : str_of(payloads[i]);
		rc = protocol_send(fd, types[i], frame, NULL);
	}
	_exit(rc == 0 ? 0 : 1);
}

static void ask_serve(struct desk *desk, struct asked *asked)
{
	const char *const words[] = {"who", "--config", desk->config, NULL};
	(void)unsetenv("QUERYTRAIL_STORE"); /* would be read without serve */
	ask(asked, NULL, words, 1);
	if (desk->child > 0) {
		int status;
		assert_int_equal(waitpid(desk->child, &status, 0), desk->child);
		desk->child = -1;
	}
}

static void test_answer(void **state)
{
	/* Proves: what serve sends for stdout and stderr arrives there as it is, and its exit status is the command's. */
	(void)state;
	static const enum protocol_type types[] = {PROTOCOL_OUT, PROTOCOL_ERR, PROTOCOL_OUT,
						   PROTOCOL_END};
	static const char *const payloads[] = {"one ", "message", "two", "\003"};
	struct desk desk;
	struct asked asked;
	desk_init(&desk);
	serve(&desk, types, payloads, 4);
	ask_serve(&desk, &asked);
	assert_int_equal(asked.status, 3);
	assert_true(str_is(buf_str(&asked.out), "one two"));
	assert_true(str_is(buf_str(&asked.err), "message"));
	asked_done(&asked);
	desk_done(&desk);
}

static void test_failures(void **state)
{
	/* Proves: a serve that is not there, that ends before its answer does or sends what is no answer is exit 2 with its
	 * reason; half an answer is never taken for a whole one. */
	(void)state;
	static const enum protocol_type half[] = {PROTOCOL_OUT};
	static const enum protocol_type wrong[] = {PROTOCOL_ASK};
	static const char *const payloads[] = {"one"};
	struct desk desk;
	struct asked asked;
	desk_init(&desk);
	ask_serve(&desk, &asked);
	assert_int_equal(asked.status, EXIT_ERROR);
	assert_true(asked_said(&asked, "querytrail-serve does not answer"));
	asked_done(&asked);
	serve(&desk, half, payloads, 1);
	ask_serve(&desk, &asked);
	assert_int_equal(asked.status, EXIT_ERROR);
	assert_true(asked_said(&asked, "querytrail-serve ended before the answer did"));
	asked_done(&asked);
	assert_int_equal(unlink(desk.socket), 0);
	serve(&desk, wrong, payloads, 1);
	ask_serve(&desk, &asked);
	assert_int_equal(asked.status, EXIT_ERROR);
	assert_true(asked_said(&asked, "querytrail-serve sent what is no answer"));
	asked_done(&asked);
	desk_done(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_answer),
					   cmocka_unit_test(test_failures)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
