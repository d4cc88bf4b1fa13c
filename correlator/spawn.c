#include "correlator/spawn.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#define STATUS_CONFIG 78
#define STEADY_NS     (60 * NS_PER_SEC)

struct child {
	struct child *next;
	struct spawn *spawn;
	char *name;
	char *arguments[SPAWN_ARGUMENTS_MAX + 1];
	struct process process;
	struct loop_event *ended; /* while it runs */
	struct loop_event *timer; /* to start it again */
	int64_t started_ns;
	int64_t backoff_ns;
};

struct spawn {
	struct loop *loop;
	spawn_ended_fn *ended;
	void *owner;
	struct child *children;
	bool terminating;
};

struct spawn *spawn_new(struct loop *loop, spawn_ended_fn *ended, void *owner)
{
	struct spawn *spawn = calloc(1, sizeof *spawn);
	if (spawn != NULL) {
		*spawn = (struct spawn){.loop = loop, .ended = ended, .owner = owner};
	}
	return spawn;
}

static void free_child(struct child *child)
{
	loop_remove(child->ended);
	loop_remove(child->timer);
	for (size_t i = 0; child->arguments[i] != NULL; i++) {
		free(child->arguments[i]);
	}
	free(child->name);
	free(child);
}

static void start_later(struct child *child, int64_t wait_ns)
{
	loop_set_timer(child->timer, clock_monotonic_ns() + wait_ns);
	child->backoff_ns = child->backoff_ns * 2 < SPAWN_BACKOFF_MAX_NS ? child->backoff_ns * 2
									 : SPAWN_BACKOFF_MAX_NS;
}

static int on_ended(void *owner, struct error *err)
{
	struct child *child = owner;
	struct spawn *spawn = child->spawn;
	int status = 0;
	(void)err;
	loop_remove(child->ended);
	child->ended = NULL;
	(void)process_wait(&child->process, -1, &status); /* it has ended: this only reaps */
	bool again = spawn->ended(spawn->owner, child->name, status);
	if (!again || spawn->terminating) {
		return 0;
	}
	if (clock_monotonic_ns() - child->started_ns >= STEADY_NS) {
		child->backoff_ns = SPAWN_BACKOFF_FIRST_NS;
	}
	start_later(child, status == STATUS_CONFIG ? SPAWN_BACKOFF_MAX_NS : child->backoff_ns);
	return 0;
}

static int try_start(struct child *child, struct error *err)
{
	struct buf path;
	buf_init(&path, 4096);
	int rc = process_find(child->arguments[0], &path, err);
	if (rc == 0) {
		const char *const *argv = (const char *const *)child->arguments;
		struct process_start how = {
			.path = path.ptr, .argv = argv, .out_fd = -1, .err_fd = -1};
		rc = process_start(&how, &child->process, err);
	}
	buf_done(&path);
	if (rc == 0) {
		child->started_ns = clock_monotonic_ns();
		rc = loop_add_child(child->spawn->loop, child->process.pid,
				    (struct loop_call){on_ended, child}, &child->ended, err);
	}
	return rc;
}

static int on_timer(void *owner, struct error *err)
{
	struct child *child = owner;
	struct error why;
	(void)err;
	if (!child->spawn->terminating && try_start(child, &why) < 0) {
		log_error(LOG_LEVEL_WARNING, "child-not-started", &why);
		start_later(child, SPAWN_BACKOFF_MAX_NS);
	}
	return 0;
}

static bool copy_arguments(struct child *child, const char *name, const char *const *arguments)
{
	child->name = strdup(name);
	for (size_t i = 0; arguments[i] != NULL; i++) {
		assert(i < SPAWN_ARGUMENTS_MAX);
		child->arguments[i] = strdup(arguments[i]);
		if (child->arguments[i] == NULL) {
			return false;
		}
	}
	return child->name != NULL;
}

int spawn_add(struct spawn *spawn, const char *name, const char *const *arguments,
	      struct error *err)
{
	struct child *child = calloc(1, sizeof *child);
	if (child == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to start %s", name);
	}
	child->spawn = spawn;
	child->process = (struct process){.pid = -1, .in_fd = -1, .out_fd = -1};
	child->backoff_ns = SPAWN_BACKOFF_FIRST_NS;
	if (!copy_arguments(child, name, arguments)) {
		free_child(child);
		return error_set(err, ERR_NOMEM, "no memory to start %s", name);
	}
	int rc = loop_add_timer(spawn->loop, (struct loop_call){on_timer, child}, &child->timer,
				err);
	if (rc < 0) {
		free_child(child);
		return rc;
	}
	child->next = spawn->children;
	spawn->children = child;
	return on_timer(child, err);
}

void spawn_terminate(struct spawn *spawn)
{
	spawn->terminating = true;
	for (struct child *child = spawn->children; child != NULL; child = child->next) {
		loop_unset_timer(child->timer);
		if (child->process.pid > 0) {
			(void)kill(child->process.pid, SIGTERM); /* it may have ended just now */
		}
	}
}

size_t spawn_wait(struct spawn *spawn, int ms)
{
	size_t count = 0;
	for (struct child *child = spawn->children; child != NULL; child = child->next) {
		if (child->process.pid <= 0) {
			continue;
		}
		if (process_wait(&child->process, ms, NULL)) {
			loop_remove(child->ended);
			child->ended = NULL;
			continue;
		}
		ms = 0;
		count++;
	}
	return count;
}

size_t spawn_running(const struct spawn *spawn)
{
	size_t count = 0;
	for (const struct child *child = spawn->children; child != NULL; child = child->next) {
		count += child->process.pid > 0 ? 1 : 0;
	}
	return count;
}

void spawn_close(struct spawn *spawn, int grace_ms)
{
	if (spawn == NULL) {
		return;
	}
	spawn_terminate(spawn);
	int64_t deadline = clock_monotonic_ns() + grace_ms * NS_PER_MS;
	while (spawn->children != NULL) {
		struct child *child = spawn->children;
		int64_t left_ms = (deadline - clock_monotonic_ns()) / NS_PER_MS;
		spawn->children = child->next;
		(void)process_stop(&child->process,
				   left_ms > 0 ? (int)left_ms : 0); /* it ends in any case */
		free_child(child);
	}
	free(spawn);
}
