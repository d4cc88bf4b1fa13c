#include "collector/waiter.h"

#include "base/clock.h"
#include "base/service.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int waiter_open(struct waiter *waiter, struct error *err)
{
	sigset_t set;
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	*waiter = (struct waiter){.stop_fd = -1, .watchdog_ns = service_watchdog_ns()};
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0) {
		return error_errno(err, "cannot set up signals");
	}
	waiter->stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (waiter->stop_fd < 0) {
		return error_errno(err, "cannot read signals");
	}
	return 0;
}

void waiter_close(struct waiter *waiter)
{
	if (waiter->stop_fd >= 0) {
		close(waiter->stop_fd);
		waiter->stop_fd = -1;
	}
}

static void ping(struct waiter *waiter)
{
	int64_t now_ns = clock_monotonic_ns();

	if (waiter->watchdog_ns > 0 && now_ns - waiter->last_ping_ns >= waiter->watchdog_ns / 2) {
		service_watchdog();
		waiter->last_ping_ns = now_ns;
	}
}

/* One poll; the signal is never read, so that the descriptor stays readable. */
static enum wait_result wait_once(struct waiter *waiter, int fd, int64_t wait_ns)
{
	struct pollfd fds[2] = {
		{.fd = waiter->stop_fd, .events = POLLIN},
		{.fd = fd, .events = POLLIN | POLLRDHUP},
	};
	struct timespec time = {.tv_sec = wait_ns / NS_PER_SEC, .tv_nsec = wait_ns % NS_PER_SEC};

	if (ppoll(fds, fd >= 0 ? 2 : 1, &time, NULL) <= 0) {
		return WAIT_TIME;
	}
	if ((fds[0].revents & POLLIN) != 0) {
		return WAIT_STOP;
	}
	return fds[1].revents != 0 ? WAIT_READY : WAIT_TIME;
}

enum wait_result waiter_wait(struct waiter *waiter, int fd, int64_t wait_ns)
{
	int64_t end_ns = wait_ns < 0 ? INT64_MAX : clock_monotonic_ns() + wait_ns;

	for (;;) {
		ping(waiter);
		int64_t left_ns = end_ns - clock_monotonic_ns();
		if (left_ns < 0) {
			left_ns = 0;
		}
		int64_t piece_ns = waiter->watchdog_ns > 0 ? waiter->watchdog_ns / 2 : NS_PER_MIN;
		enum wait_result result =
			wait_once(waiter, fd, left_ns < piece_ns ? left_ns : piece_ns);
		if (result != WAIT_TIME || clock_monotonic_ns() >= end_ns) {
			return result;
		}
	}
}

bool waiter_stopped(struct waiter *waiter)
{
	ping(waiter);
	return wait_once(waiter, -1, 0) == WAIT_STOP;
}
