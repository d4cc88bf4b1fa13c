#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/transfer.h"
#include "tests/unit/notify-fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that gives one answer to one request. */
struct server {
	int listener;
	uint16_t port;
	const char *answer;
	char request[4096];
	pthread_t thread;
};

static void *serve(void *owner)
{
	struct server *server = owner;
	int peer = accept(server->listener, NULL, NULL);
	size_t len = 0;
	ssize_t more = 1;

	while (more > 0 && strstr(server->request, "BODY") == NULL) {
		more = read(peer, server->request + len, sizeof(server->request) - 1 - len);
		len += more > 0 ? (size_t)more : 0;
	}
	(void)!write(peer, server->answer,
		     strlen(server->answer)); /* the test sees it if it did not arrive */
	close(peer);
	return NULL;
}

static void start(struct server *server, const char *answer)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	*server = (struct server){.answer = answer,
				  .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->listener, 1), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* Posts to a server with that answer. */
static struct channel_reply post(const char *answer, char request[4096])
{
	struct config *config = fixture_config(
		"    type: webhook\n    url: http://x\n    timeout: 5s\n    retry_max: 1h\n");
	struct channel_settings settings = fixture_settings(config);
	atomic_bool stop = false;
	struct channel_reply reply;
	struct transfer transfer;
	struct server server;
	struct error err;
	char url[64];

	start(&server, answer);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/p", server.port);
	assert_int_equal(transfer_init(&transfer, &settings, &stop, &err), 0);
	transfer_reset(&transfer, url, "http,https");
	assert_true(transfer_header(&transfer, "X-One", "1"));
	assert_false(transfer_header(&transfer, "X-Two", "2\r\nX-Three: 3"));
	transfer_post(&transfer, STR_LIT("BODY"), 1, &reply);
	assert_int_equal(pthread_join(server.thread, NULL), 0);
	if (request != NULL) {
		memcpy(request, server.request, sizeof(server.request));
	}
	close(server.listener);
	transfer_done(&transfer);
	config_free(config);
	return reply;
}

static void test_request(void **state)
{
	/* proves: the request has our headers, the body and its length, and no header with a line end in it */
	char request[4096];
	struct channel_reply reply =
		post("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", request);

	(void)state;
	assert_int_equal(reply.outcome, FEED_DELIVERED);
	assert_string_equal(reply.text, "HTTP 200: ok");
	assert_memory_equal(request, "POST /p HTTP/1.1\r\n", 18);
	assert_non_null(strstr(request, "\r\nX-One: 1\r\n"));
	assert_null(strstr(request, "X-T"));
	assert_null(strstr(request, "Expect"));
	assert_non_null(strstr(request, "\r\nContent-Length: 4\r\n"));
	assert_non_null(strstr(request, "\r\n\r\nBODY"));
}

static void test_statuses(void **state)
{
	/* proves: what each status means; Retry-After counts only where it is tried again, and no longer than retry_max */
	static const struct {
		const char *status;
		enum feed_outcome outcome;
		bool gone;
		int64_t after_ns;
	} cases[] = {
		{"200", FEED_DELIVERED, false, 0},
		{"202", FEED_DELIVERED, false, 0},
		{"204", FEED_DELIVERED, false, 0},
		{"301", FEED_DEAD, false, 0},
		{"307", FEED_DEAD, false, 0},
		{"400", FEED_DEAD, false, 0},
		{"401", FEED_DEAD, false, 0},
		{"404", FEED_DEAD, false, 0},
		{"408", FEED_RETRY, false, 7 * NS_PER_SEC},
		{"410", FEED_DEAD, true, 0},
		{"413", FEED_DEAD, false, 0},
		{"425", FEED_RETRY, false, 7 * NS_PER_SEC},
		{"429", FEED_RETRY, false, 7 * NS_PER_SEC},
		{"500", FEED_RETRY, false, 7 * NS_PER_SEC},
		{"503", FEED_RETRY, false, 7 * NS_PER_SEC},
		{"599", FEED_RETRY, false, 7 * NS_PER_SEC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char answer[256];
		(void)snprintf(answer, sizeof(answer),
			       "HTTP/1.1 %s x\r\nRetry-After: 7\r\nLocation: "
			       "http://127.0.0.1:1/\r\nConnection: close\r\n\r\n",
			       cases[i].status);
		struct channel_reply reply = post(answer, NULL);
		assert_int_equal(reply.outcome, cases[i].outcome);
		assert_int_equal(reply.gone, cases[i].gone);
		assert_int_equal(reply.retry_after_ns, cases[i].after_ns);
		assert_non_null(strstr(reply.text, cases[i].status));
	}
	struct channel_reply reply =
		post("HTTP/1.1 503 x\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n", NULL);
	assert_int_equal(reply.retry_after_ns, NS_PER_HOUR + NS_PER_SEC);
}

static void test_broken(void **state)
{
	/* proves: no answer, and half of one, are tried again; a status that came counts though its body broke off */
	struct channel_reply reply = post("", NULL);

	(void)state;
	assert_int_equal(reply.outcome, FEED_RETRY);
	reply = post("HTTP/1.1 2", NULL);
	assert_int_equal(reply.outcome, FEED_RETRY);
	reply = post("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", NULL);
	assert_int_equal(reply.outcome, FEED_DELIVERED);
	reply = post("HTTP/1.1 400 no\r\nContent-Length: 100\r\n\r\n\r\n\n first\001line \nsecond",
		     NULL);
	assert_int_equal(reply.outcome, FEED_DEAD);
	assert_string_equal(reply.text, "HTTP 400:  first\\u{1}line ");
}

static void test_secrets(void **state)
{
	/* proves: a secret file that is missing is named, and nothing is sent without it */
	struct config *config = fixture_config(
		"    type: alertmanager\n    url: http://x\n    token_file: /nowhere/token\n");
	struct channel_settings settings = fixture_settings(config);
	atomic_bool stop = false;
	struct transfer transfer;
	struct error err;

	(void)state;
	assert_int_equal(transfer_init(&transfer, &settings, &stop, &err), 0);
	transfer_reset(&transfer, "http://127.0.0.1:1", "http,https");
	assert_int_equal(transfer_authorize(&transfer, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "/nowhere/token"));
	transfer_done(&transfer);
	config_free(config);
}

static void test_stop(void **state)
{
	/* proves: a transfer ends when it is told to stop, and may be repeated */
	struct config *config = fixture_config("    type: webhook\n    url: http://x\n");
	struct channel_settings settings = fixture_settings(config);
	atomic_bool stop = true;
	struct channel_reply reply;
	struct transfer transfer;
	struct error err;

	(void)state;
	assert_int_equal(transfer_init(&transfer, &settings, &stop, &err), 0);
	transfer_reset(&transfer, "http://127.0.0.1:1", "http,https");
	transfer_post(&transfer, STR_LIT("BODY"), 1, &reply);
	assert_int_equal(reply.outcome, FEED_RETRY);
	transfer_reset(&transfer, "file:///etc/hostname", "http,https");
	transfer_post(&transfer, STR_LIT("BODY"), 1, &reply);
	assert_int_equal(reply.outcome, FEED_RETRY);
	assert_non_null(strstr(reply.text, "rotocol"));
	transfer_done(&transfer);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request), cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_broken),  cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_stop),
	};
	struct error err;

	return transfer_global(&err) == 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
