#include "correlator/notify/worker.h"

#include "base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define GIVE_UP_NS (2 * NS_PER_SEC) /* a channel that is told to stop has stopped by then */

enum slot { SLOT_EMPTY, SLOT_GIVEN, SLOT_DONE };

struct worker {
	const struct channel_settings *settings;
	struct channel *channel;
	pthread_t thread;
	int wake_fd;
	atomic_bool stop; /* the channel gives up, the thread ends */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* slot or stop */
	enum slot slot;
	struct channel_message message;
	struct channel_reply reply;
};

static void wake(const struct worker *worker)
{
	uint64_t one = 1;

	/* it can only fail when the counter is full, and then it is readable already */
	(void)!write(worker->wake_fd, &one, sizeof(one));
}

static void *run(void *owner)
{
	struct worker *worker = owner;

	(void)pthread_mutex_lock(&worker->lock);
	for (;;) {
		while (worker->slot != SLOT_GIVEN && !atomic_load(&worker->stop)) {
			(void)pthread_cond_wait(&worker->changed, &worker->lock);
		}
		if (worker->slot != SLOT_GIVEN) {
			break;
		}
		struct channel_reply reply = {0};
		(void)pthread_mutex_unlock(&worker->lock);
		worker->settings->type->send(worker->channel, &worker->message, &reply);
		assert(reply.taken >= 1 && reply.taken <= worker->message.notice_count);
		(void)pthread_mutex_lock(&worker->lock);
		worker->reply = reply;
		worker->slot = SLOT_DONE;
		(void)pthread_cond_broadcast(&worker->changed);
		wake(worker);
	}
	(void)pthread_mutex_unlock(&worker->lock);
	return NULL;
}

/* Starts the thread with all signals blocked: they are the main thread's. */
static int start_thread(struct worker *worker, struct error *err)
{
	pthread_condattr_t attributes;
	sigset_t all;
	sigset_t before;

	(void)pthread_mutex_init(&worker->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&worker->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int number = pthread_create(&worker->thread, NULL, run, worker);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (number != 0) {
		(void)pthread_cond_destroy(&worker->changed);
		(void)pthread_mutex_destroy(&worker->lock);
		return error_set(err, ERR_IO, "channel %s: the system starts no thread (error %d)",
				 worker->settings->name, number);
	}
	return 0;
}

int worker_start(const struct channel_settings *settings, int wake_fd, struct worker **out_worker,
		 struct error *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the channel %s", settings->name);
	}
	worker->settings = settings;
	worker->wake_fd = wake_fd;
	int rc = settings->type->open(settings, &worker->stop, &worker->channel, err);
	if (rc == 0) {
		rc = start_thread(worker, err);
		if (rc != 0) {
			settings->type->close(worker->channel);
		}
	}
	if (rc != 0) {
		free(worker);
		return rc;
	}
	*out_worker = worker;
	return 0;
}

bool worker_idle(struct worker *worker)
{
	(void)pthread_mutex_lock(&worker->lock);
	bool idle = worker->slot == SLOT_EMPTY;
	(void)pthread_mutex_unlock(&worker->lock);
	return idle;
}

void worker_give(struct worker *worker, const struct channel_message *message)
{
	(void)pthread_mutex_lock(&worker->lock);
	assert(worker->slot == SLOT_EMPTY && message->notice_count >= 1);
	worker->message = *message;
	worker->slot = SLOT_GIVEN;
	(void)pthread_cond_broadcast(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
}

bool worker_take(struct worker *worker, struct channel_reply *out_reply)
{
	(void)pthread_mutex_lock(&worker->lock);
	bool done = worker->slot == SLOT_DONE;
	if (done) {
		*out_reply = worker->reply;
		worker->slot = SLOT_EMPTY;
	}
	(void)pthread_mutex_unlock(&worker->lock);
	return done;
}

/* Waits for the end of the send until monotonic end_ns; with the lock held. */
static void await_done(struct worker *worker, int64_t end_ns)
{
	struct timespec end = {.tv_sec = end_ns / NS_PER_SEC, .tv_nsec = end_ns % NS_PER_SEC};

	while (worker->slot == SLOT_GIVEN &&
	       pthread_cond_timedwait(&worker->changed, &worker->lock, &end) == 0) {
	}
}

void worker_give_up(struct worker *worker)
{
	atomic_store(&worker->stop, true);
}

bool worker_finish(struct worker *worker, int64_t grace_ns, struct channel_reply *out_reply)
{
	(void)pthread_mutex_lock(&worker->lock);
	await_done(worker, clock_monotonic_ns() + grace_ns);
	if (worker->slot == SLOT_GIVEN) {
		atomic_store(&worker->stop, true);
		await_done(worker, clock_monotonic_ns() + GIVE_UP_NS);
	}
	(void)pthread_mutex_unlock(&worker->lock);
	return worker_take(worker, out_reply);
}

void worker_stop(struct worker *worker)
{
	if (worker == NULL) {
		return;
	}
	(void)pthread_mutex_lock(&worker->lock);
	atomic_store(&worker->stop, true);
	(void)pthread_cond_broadcast(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
	(void)pthread_join(worker->thread, NULL);
	worker->settings->type->close(worker->channel);
	(void)pthread_cond_destroy(&worker->changed);
	(void)pthread_mutex_destroy(&worker->lock);
	free(worker);
}
