#include "base/loop.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <systemd/sd-event.h>
#include <unistd.h>

struct loop {
	sd_event *event;
	struct loop_event *first; /* all events, to be freed with the loop */
	bool stopped;
	int failed;        /* code of the callback that failed */
	struct error *err; /* where callbacks put their sentence while the loop runs */
};

struct loop_event {
	struct loop *loop;
	struct loop_event *next, *previous;
	sd_event_source *source;
	loop_fd_fn *on_fd;
	loop_fn *on_event;
	void *owner;
	int pidfd; /* of a child; else -1 */
};

int loop_new(struct loop **out_loop, struct error *err)
{
	struct loop *loop = calloc(1, sizeof *loop);
	if (loop == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for an event loop");
	}
	int rc = sd_event_new(&loop->event);
	if (rc < 0) {
		free(loop);
		errno = -rc;
		return error_errno(err, "an event loop can't be made");
	}
	*out_loop = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL) {
		return;
	}
	while (loop->first != NULL) {
		loop_remove(loop->first);
	}
	(void)sd_event_unref(loop->event);
	free(loop);
}

static struct loop_event *new_event(struct loop *loop, void *owner, struct error *err)
{
	struct loop_event *event = calloc(1, sizeof *event);
	if (event == NULL) {
		(void)error_set(err, ERR_NOMEM,
				"no memory for an event"); /* the caller returns it */
		return NULL;
	}
	event->loop = loop;
	event->owner = owner;
	event->pidfd = -1;
	event->next = loop->first;
	if (loop->first != NULL) {
		loop->first->previous = event;
	}
	loop->first = event;
	return event;
}

void loop_remove(struct loop_event *event)
{
	if (event == NULL) {
		return;
	}
	if (event->source != NULL) {
		(void)sd_event_source_set_enabled(event->source,
						  SD_EVENT_OFF); /* also when it runs now */
		(void)sd_event_source_unref(event->source);
	}
	if (event->pidfd >= 0) {
		(void)close(event->pidfd); /* only watched */
	}
	if (event->previous != NULL) {
		event->previous->next = event->next;
	} else {
		event->loop->first = event->next;
	}
	if (event->next != NULL) {
		event->next->previous = event->previous;
	}
	free(event);
}

/* Ends the loop when a callback failed. */
static void note_result(struct loop *loop, int rc)
{
	if (rc < 0 && loop->failed == 0) {
		loop->failed = rc;
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct loop_event *event = data;
	struct loop *loop = event->loop;
	unsigned ready = (events & EPOLLIN) != 0 ? LOOP_READ : 0;
	(void)source;
	(void)fd;
	ready |= (events & EPOLLOUT) != 0 ? LOOP_WRITE : 0;
	ready |= (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0 ? LOOP_GONE : 0;
	note_result(loop, event->on_fd(event->owner, ready, loop->err));
	return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
	struct loop_event *event = data;
	struct loop *loop = event->loop;
	(void)source;
	(void)usec;
	note_result(loop, event->on_event(event->owner, loop->err));
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	(void)info;
	return on_time(source, 0, data);
}

static int on_child(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)fd;
	(void)events;
	(void)sd_event_source_set_enabled(source, SD_EVENT_OFF); /* a process ends once */
	return on_time(source, 0, data);
}

static int added(struct loop_event *event, int rc, struct loop_event **out_event, struct error *err)
{
	if (rc < 0) {
		loop_remove(event);
		errno = -rc;
		return error_errno(err, "an event can't be watched");
	}
	*out_event = event;
	return 0;
}

static uint32_t epoll_mask(unsigned wanted)
{
	return ((wanted & LOOP_READ) != 0 ? (uint32_t)(EPOLLIN | EPOLLRDHUP) : 0) |
	       ((wanted & LOOP_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0);
}

int loop_add_fd(struct loop *loop, int fd, struct loop_fd_call call, struct loop_event **out_event,
		struct error *err)
{
	struct loop_event *event = new_event(loop, call.owner, err);
	if (event == NULL) {
		return -ERR_NOMEM;
	}
	event->on_fd = call.each;
	int rc = sd_event_add_io(loop->event, &event->source, fd, epoll_mask(call.wanted), on_io,
				 event);
	return added(event, rc, out_event, err);
}

void loop_want(struct loop_event *event, unsigned wanted)
{
	int rc = sd_event_source_set_io_events(event->source, epoll_mask(wanted));
	assert(rc >= 0);
}

int loop_add_timer(struct loop *loop, struct loop_call call, struct loop_event **out_event,
		   struct error *err)
{
	struct loop_event *event = new_event(loop, call.owner, err);
	if (event == NULL) {
		return -ERR_NOMEM;
	}
	event->on_event = call.each;
	int rc = sd_event_add_time(loop->event, &event->source, CLOCK_MONOTONIC, UINT64_MAX, 1,
				   on_time, event);
	if (rc >= 0) {
		rc = sd_event_source_set_priority(event->source, SD_EVENT_PRIORITY_IDLE);
	}
	if (rc >= 0) {
		rc = sd_event_source_set_enabled(event->source, SD_EVENT_OFF);
	}
	return added(event, rc, out_event, err);
}

void loop_set_timer(struct loop_event *event, int64_t due_ns)
{
	uint64_t due_us = due_ns > 0 ? (uint64_t)(due_ns / NS_PER_US) : 0;
	int rc = sd_event_source_set_time(event->source, due_us);
	assert(rc >= 0);
	rc = sd_event_source_set_enabled(event->source, SD_EVENT_ONESHOT);
	assert(rc >= 0);
}

void loop_unset_timer(struct loop_event *event)
{
	int rc = sd_event_source_set_enabled(event->source, SD_EVENT_OFF);
	assert(rc >= 0);
}

int loop_add_signal(struct loop *loop, int number, struct loop_call call,
		    struct loop_event **out_event, struct error *err)
{
	struct loop_event *event = new_event(loop, call.owner, err);
	if (event == NULL) {
		return -ERR_NOMEM;
	}
	event->on_event = call.each;
	sigset_t set;
	(void)sigemptyset(&set);                  /* these three can't fail with a valid number */
	(void)sigaddset(&set, number);            /* as above */
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* as above */
	int rc = sd_event_add_signal(loop->event, &event->source, number, on_signal, event);
	return added(event, rc, out_event, err);
}

int loop_add_child(struct loop *loop, pid_t pid, struct loop_call call,
		   struct loop_event **out_event, struct error *err)
{
	struct loop_event *event = new_event(loop, call.owner, err);
	if (event == NULL) {
		return -ERR_NOMEM;
	}
	event->on_event = call.each;
	event->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (event->pidfd < 0) {
		return added(event, -errno, out_event, err);
	}
	int rc = sd_event_add_io(loop->event, &event->source, event->pidfd, EPOLLIN, on_child,
				 event);
	return added(event, rc, out_event, err);
}

void loop_keep_watchdog(struct loop *loop)
{
	(void)sd_event_set_watchdog(loop->event,
				    true); /* without a watchdog there is nothing to keep */
}

int loop_step(struct loop *loop, int64_t timeout_ns, struct error *err)
{
	loop->err = err;
	loop->failed = 0;
	uint64_t timeout_us = timeout_ns < 0 ? UINT64_MAX : (uint64_t)(timeout_ns / NS_PER_US);
	int rc = sd_event_run(loop->event, timeout_us);
	loop->err = NULL;
	if (rc < 0 && rc != -EINTR) {
		errno = -rc;
		return error_errno(err, "the event loop failed");
	}
	return loop->failed;
}

int loop_run(struct loop *loop, struct error *err)
{
	loop->stopped = false;
	while (!loop->stopped) {
		int rc = loop_step(loop, -1, err);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
