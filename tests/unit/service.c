/* What the service manager is told arrives at its socket; without one nothing happens. */
#include "base/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void expect(int fd, const char *text)
{
	char got[256] = {0};

	assert_true(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(got, text);
}

/* Each call is one datagram. */
static void test_messages(void **state)
{
	(void)state;
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* an abstract name: nothing to remove afterwards */
	int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "querytrail-service-%d",
			   getpid());
	assert_int_equal(
		bind(fd, (struct sockaddr *)&name,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)),
		0);
	name.sun_path[0] = '@';
	assert_int_equal(setenv("NOTIFY_SOCKET", name.sun_path, 1), 0);
	service_ready();
	expect(fd, "READY=1");
	service_status("at work");
	expect(fd, "STATUS=at work");
	service_watchdog();
	expect(fd, "WATCHDOG=1");
	service_stopping();
	expect(fd, "STOPPING=1");
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	service_ready(); /* goes nowhere */
	assert_true(recv(fd, &(char){0}, 1, MSG_DONTWAIT) < 0);
	close(fd);
}

/* Half of the watchdog's time, 0 without one or when it is meant for another process. */
static void test_watchdog(void **state)
{
	(void)state;
	char pid[32];

	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_true(service_watchdog_ns() == 0);
	(void)snprintf(pid, sizeof(pid), "%d", getpid()); /* it fits */
	assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "4000000", 1), 0);
	assert_true(service_watchdog_ns() == INT64_C(2000000000));
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	assert_true(service_watchdog_ns() == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_messages),
					   cmocka_unit_test(test_watchdog)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
