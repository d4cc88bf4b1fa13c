#include "collector/sources/sqlserver/hangup.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define DESCRIPTORS_MAX 1024

/* A handler of a signal has no context. Written only while the timer is off. */
static struct {
	bool is_ready;
	timer_t timer;
	int fd;
	volatile sig_atomic_t fired;
	unsigned char was_open[DESCRIPTORS_MAX];
} hangup;

static void on_timer(int number)
{
	int saved = errno;
	(void)number;
	hangup.fired = 1;
	if (hangup.fd >= 0) {
		(void)shutdown(hangup.fd, SHUT_RDWR); /* closed already: what was wanted */
	} else {
		for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
			if (!hangup.was_open[fd]) {
				(void)shutdown(fd, SHUT_RDWR); /* not open, or no socket */
			}
		}
	}
	errno = saved;
}

int hangup_init(struct error *err)
{
	if (hangup.is_ready) {
		return 0;
	}
	struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	sigset_t set;
	sigemptyset(&action.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	if (sigaction(SIGRTMIN, &action, NULL) != 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &hangup.timer) != 0 ||
	    pthread_sigmask(SIG_UNBLOCK, &set, NULL) != 0) {
		return error_errno(err, "a timer for deadlines");
	}
	hangup.is_ready = true;
	return 0;
}

/* Sets the timer; 0: off. It comes again each 100 ms, because a socket may be opened after the first time. */
static void set_timer(int64_t deadline_ns)
{
	struct itimerspec spec = {
		.it_value = {.tv_sec = deadline_ns / NS_PER_SEC,
			     .tv_nsec = deadline_ns % NS_PER_SEC},
		.it_interval = {.tv_nsec = deadline_ns != 0 ? 100 * NS_PER_MS : 0},
	};
	int status = timer_settime(hangup.timer, TIMER_ABSTIME, &spec, NULL);
	assert(status == 0);
}

void hangup_arm(int64_t deadline_ns, int fd)
{
	assert(hangup.is_ready);
	set_timer(0);
	hangup.fired = 0;
	hangup.fd = fd;
	for (int i = 0; fd < 0 && i < DESCRIPTORS_MAX; i++) {
		hangup.was_open[i] = fcntl(i, F_GETFD) != -1;
	}
	set_timer(deadline_ns > 0 ? deadline_ns : 1);
}

bool hangup_disarm(void)
{
	set_timer(0);
	return hangup.fired != 0;
}
