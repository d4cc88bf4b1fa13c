#include "correlator/notify/anchor-worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct task { /* with its own copies */
	bool present;
	uint64_t size, old_size;
	struct buf note, proof;
};

struct anchor_worker {
	struct channel_settings settings;
	const struct anchor_type *type;
	struct anchor *anchor;
	pthread_t thread;
	int wake_fd;
	atomic_bool stop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct task waiting, working; /* working belongs to the thread while it is present */
	bool done;
	uint64_t done_size;
	struct anchor_reply reply; /* of the last one that is done */
};

static void wake(const struct anchor_worker *worker)
{
	uint64_t one = 1;

	/* it can only fail when the counter is full, and then it is readable already */
	(void)!write(worker->wake_fd, &one, sizeof(one));
}

/* Sends the task in hand; without the lock. */
static void work(struct anchor_worker *worker, struct anchor_reply *reply)
{
	const struct task *task = &worker->working;
	const struct anchor_task given = {.size = task->size,
					  .old_size = task->old_size,
					  .note = buf_str(&task->note),
					  .proof = buf_str(&task->proof)};

	buf_clear(&reply->receipt);
	reply->known_size = 0;
	anchor_reply_set(reply, FEED_NOT_TAKEN, "the anchor says nothing");
	worker->type->send(worker->anchor, &given, reply);
	if (reply->receipt.failed) {
		buf_clear(&reply->receipt);
		anchor_reply_set(reply, FEED_NOT_TAKEN, "the receipt is too large");
	}
}

static void *run(void *owner)
{
	struct anchor_worker *worker = owner;
	struct anchor_reply reply = {0};

	buf_init(&reply.receipt, FEED_RECEIPT_MAX);
	(void)pthread_mutex_lock(&worker->lock);
	for (;;) {
		while (!worker->waiting.present && !atomic_load(&worker->stop)) {
			(void)pthread_cond_wait(&worker->changed, &worker->lock);
		}
		if (atomic_load(&worker->stop)) {
			break;
		}
		struct task task = worker->working;
		worker->working = worker->waiting;
		worker->waiting = task;
		(void)pthread_mutex_unlock(&worker->lock);
		work(worker, &reply);
		(void)pthread_mutex_lock(&worker->lock);
		struct anchor_reply before = worker->reply;
		worker->reply = reply;
		reply = before;
		worker->done = true;
		worker->done_size = worker->working.size;
		worker->working.present = false;
		wake(worker);
	}
	(void)pthread_mutex_unlock(&worker->lock);
	buf_done(&reply.receipt);
	return NULL;
}

/* Starts the thread with all signals blocked: they are the main thread's. */
static int start_thread(struct anchor_worker *worker, struct error *err)
{
	sigset_t all;
	sigset_t before;

	(void)pthread_mutex_init(&worker->lock, NULL);
	(void)pthread_cond_init(&worker->changed, NULL);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int number = pthread_create(&worker->thread, NULL, run, worker);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (number != 0) {
		(void)pthread_cond_destroy(&worker->changed);
		(void)pthread_mutex_destroy(&worker->lock);
		return error_set(err, ERR_IO, "anchor %s: the system starts no thread (error %d)",
				 worker->settings.name, number);
	}
	return 0;
}

static void free_worker(struct anchor_worker *worker)
{
	buf_done(&worker->waiting.note);
	buf_done(&worker->waiting.proof);
	buf_done(&worker->working.note);
	buf_done(&worker->working.proof);
	buf_done(&worker->reply.receipt);
	free(worker);
}

int anchor_worker_start(const struct channel_settings *settings, const struct anchor_type *type,
			int wake_fd, struct anchor_worker **out_worker, struct error *err)
{
	struct anchor_worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the anchor %s", settings->name);
	}
	worker->settings = *settings;
	worker->type = type;
	worker->wake_fd = wake_fd;
	buf_init(&worker->waiting.note, NOTE_MAX_BYTES);
	buf_init(&worker->waiting.proof, 0);
	buf_init(&worker->working.note, NOTE_MAX_BYTES);
	buf_init(&worker->working.proof, 0);
	buf_init(&worker->reply.receipt, FEED_RECEIPT_MAX);
	int rc = type->open(&worker->settings, &worker->stop, &worker->anchor, err);
	if (rc == 0) {
		rc = start_thread(worker, err);
		if (rc != 0) {
			type->close(worker->anchor);
		}
	}
	if (rc != 0) {
		free_worker(worker);
		return rc;
	}
	*out_worker = worker;
	return 0;
}

const char *anchor_worker_name(const struct anchor_worker *worker)
{
	return worker->settings.name;
}

bool anchor_worker_give(struct anchor_worker *worker, const struct feed_frame *frame)
{
	(void)pthread_mutex_lock(&worker->lock);
	struct task *task = &worker->waiting;
	buf_clear(&task->note);
	buf_clear(&task->proof);
	buf_put_str(&task->note, frame->note);
	buf_put_str(&task->proof, frame->proof);
	task->size = frame->size;
	task->old_size = frame->old_size;
	task->present = !task->note.failed && !task->proof.failed;
	bool given = task->present;
	(void)pthread_cond_broadcast(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
	return given;
}

bool anchor_worker_busy(struct anchor_worker *worker)
{
	(void)pthread_mutex_lock(&worker->lock);
	bool busy = worker->working.present || worker->waiting.present;
	(void)pthread_mutex_unlock(&worker->lock);
	return busy;
}

bool anchor_worker_take(struct anchor_worker *worker, struct buf *scratch,
			struct feed_frame *out_frame)
{
	(void)pthread_mutex_lock(&worker->lock);
	bool done = worker->done;
	if (done) {
		const struct anchor_reply *reply = &worker->reply;
		size_t receipt = reply->receipt.len;
		buf_clear(scratch);
		buf_put_str(scratch, buf_str(&reply->receipt));
		buf_put_text(scratch, reply->text);
		*out_frame = (struct feed_frame){
			.type = FEED_ANCHORED,
			.anchor = str_of(worker->settings.name),
			.size = worker->done_size,
			.old_size = reply->known_size,
			.anchored = reply->outcome,
			.receipt = str_slice(buf_str(scratch), 0, receipt),
			.text = str_slice(buf_str(scratch), receipt, scratch->len)};
		worker->done = false;
	}
	(void)pthread_mutex_unlock(&worker->lock);
	return done;
}

void anchor_worker_give_up(struct anchor_worker *worker)
{
	atomic_store(&worker->stop, true);
}

void anchor_worker_stop(struct anchor_worker *worker)
{
	if (worker == NULL) {
		return;
	}
	(void)pthread_mutex_lock(&worker->lock);
	atomic_store(&worker->stop, true);
	(void)pthread_cond_broadcast(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
	(void)pthread_join(worker->thread, NULL);
	worker->type->close(worker->anchor);
	(void)pthread_cond_destroy(&worker->changed);
	(void)pthread_mutex_destroy(&worker->lock);
	free_worker(worker);
}
