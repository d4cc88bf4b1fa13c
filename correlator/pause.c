#include "correlator/pause.h"

#include "base/clock.h"
#include "base/service.h"

#include <errno.h>
#include <signal.h>
#include <sys/statvfs.h>

static int look(const struct pause *pause, bool *out_room, struct error *err)
{
	struct statvfs disk;
	if (statvfs(pause->dir, &disk) != 0) {
		return error_errno(err, "%s can't be looked at", pause->dir);
	}
	*out_room = (double)disk.f_bavail * (double)disk.f_frsize >= (double)pause->room_bytes;
	return 0;
}

/* A moment, or until the program is asked to stop. */
static int wait_a_moment(const sigset_t *asked, struct error *err)
{
	const struct timespec moment = {.tv_nsec = PAUSE_LOOK_NS};
	if (sigtimedwait(asked, NULL, &moment) >= 0) {
		return error_set(err, ERR_CANCELLED, "asked to stop while the disk was full");
	}
	return errno == EAGAIN || errno == EINTR ? 0 : error_errno(err, "can't wait for room");
}

int pause_until_room(const struct pause *pause, struct error *err)
{
	int64_t end_ns = clock_monotonic_ns() + pause->try_ns;
	bool room = false;
	sigset_t asked, before;
	(void)sigemptyset(&asked); /* these four cannot fail with valid arguments */
	(void)sigaddset(&asked, SIGTERM);
	(void)sigaddset(&asked, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &asked, &before);
	service_status("paused: the disk is full");
	int rc = wait_a_moment(&asked, err);
	while (rc == 0 && !room && clock_monotonic_ns() < end_ns) {
		service_watchdog();
		rc = look(pause, &room, err);
		rc = rc == 0 && !room ? wait_a_moment(&asked, err) : rc;
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}
