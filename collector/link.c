#include "collector/link.h"

#include "base/io.h"

#include <assert.h>
#include <sys/socket.h>
#include <sys/time.h>

#define WELCOME_TIMEOUT_NS (30 * INT64_C(1000000000))
#define SEND_TIMEOUT_S     60

void link_init(struct link *link)
{
	*link = (struct link){.fd = -1};
	buf_init(&link->out, FEED_FRAME_MAX + 64);
	buf_init(&link->in, FEED_FRAME_MAX + 64);
	arena_init(&link->arena, FEED_FRAME_MAX);
}

void link_done(struct link *link)
{
	link_close(link);
	buf_done(&link->out);
	buf_done(&link->in);
	arena_done(&link->arena);
}

void link_close(struct link *link)
{
	if (link->fd >= 0) {
		close(link->fd);
		link->fd = -1;
	}
	link->sequence = 0;
}

/* Closes the link; whatever went wrong on the way to the daemon passes, so the code becomes AGAIN. */
static int broken(struct link *link, struct error *err)
{
	link_close(link);
	err->code = ERR_AGAIN;
	error_prefix(err, "connection to querytraild");
	return -ERR_AGAIN;
}

/* Waits for a frame. A request to stop ends the wait at once, or after patience_ns. */
static int await_frame(struct link *link, struct waiter *waiter, int64_t patience_ns,
		       struct error *err)
{
	enum wait_result result = waiter_wait(waiter, link->fd, -1);

	if (result == WAIT_STOP && patience_ns > 0) {
		struct waiter only_fd = {.stop_fd = -1};
		result = waiter_wait(&only_fd, link->fd, patience_ns);
	}
	if (result != WAIT_READY) {
		return error_set(err, ERR_CANCELLED, "asked to stop while querytraild was busy");
	}
	return 0;
}

static int receive(struct link *link, struct feed_frame *out_frame, struct error *err)
{
	arena_clear(&link->arena);
	int rc = feed_receive(link->fd, &link->in, &link->arena, out_frame, err);
	if (rc == 0 && out_frame->type == FEED_ERROR) {
		return error_set(err, (enum error_code)out_frame->code, "querytraild says: %.*s",
				 STR_ARG(out_frame->text));
	}
	return rc;
}

static int greet(struct link *link, const struct link_hello *hello, struct waiter *waiter,
		 struct buf *out_cursor, struct error *err)
{
	struct feed_frame frame = {.type = FEED_HELLO,
				   .program = STR_LIT("querytrail-collect"),
				   .source = str_of(hello->source),
				   .source_type = str_of(hello->source_type),
				   .kinds = hello->kinds};

	int rc = feed_send(link->fd, &frame, &link->out, err);
	if (rc != 0) {
		return rc;
	}
	switch (waiter_wait(waiter, link->fd, WELCOME_TIMEOUT_NS)) {
	case WAIT_STOP:
		return error_set(err, ERR_CANCELLED, "asked to stop");
	case WAIT_TIME:
		return error_set(err, ERR_AGAIN, "querytraild did not answer the greeting");
	case WAIT_READY:
		break;
	}
	rc = receive(link, &frame, err);
	if (rc != 0) {
		return rc;
	}
	if (frame.type != FEED_WELCOME) {
		return error_set(err, ERR_INPUT, "querytraild answered the greeting with frame %d",
				 (int)frame.type);
	}
	buf_clear(out_cursor);
	buf_put_str(out_cursor, frame.cursor);
	return buf_check(out_cursor, "the cursor of querytraild", err);
}

int link_open(struct link *link, const struct link_hello *hello, struct waiter *waiter,
	      struct buf *out_cursor, struct error *err)
{
	assert(link->fd < 0);
	struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};

	int rc = io_unix_connect(hello->path, &link->fd, err);
	if (rc != 0) {
		link->fd = -1;
		if (rc != -ERR_CONFIG) {
			err->code = ERR_AGAIN;
			return -ERR_AGAIN;
		}
		return rc;
	}
	/* a daemon that hangs in the middle of a frame must not hold us for ever */
	(void)setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	rc = greet(link, hello, waiter, out_cursor, err);
	if (rc == 0) {
		return 0;
	}
	link_close(link);
	if (rc == -ERR_IO || rc == -ERR_GONE || rc == -ERR_LIMIT) {
		err->code = ERR_AGAIN;
		rc = -ERR_AGAIN;
	}
	if (rc == -ERR_INPUT) {
		error_prefix(err, "connection to querytraild");
	}
	return rc;
}

int link_commit(struct link *link, struct feed_frame *batch, struct waiter *waiter,
		struct error *err)
{
	struct feed_frame answer;

	assert(link->fd >= 0);
	batch->type = FEED_BATCH;
	batch->sequence = link->sequence + 1;
	int rc = feed_send(link->fd, batch, &link->out, err);
	if (rc == -ERR_LIMIT) {
		return rc;
	}
	if (rc != 0) {
		return broken(link, err);
	}
	link->sequence++;
	do {
		rc = await_frame(link, waiter, LINK_PATIENCE_NS, err);
		if (rc != 0) {
			link_close(link);
			return rc;
		}
		rc = receive(link, &answer, err);
		if (rc != 0) {
			return broken(link, err);
		}
	} while (answer.type != FEED_COMMITTED);
	if (answer.sequence != link->sequence) {
		(void)error_set(err, ERR_INPUT, "batch %llu was sent, %llu confirmed",
				(unsigned long long)link->sequence,
				(unsigned long long)answer.sequence);
		return broken(link, err);
	}
	link->stored += answer.stored;
	link->duplicate += answer.duplicate;
	link->rejected += answer.rejected;
	return 0;
}

int link_status(struct link *link, enum feed_state state, const char *text, struct error *err)
{
	struct feed_frame frame = {.type = FEED_STATUS, .state = state, .text = str_of(text)};

	assert(link->fd >= 0);
	if (feed_send(link->fd, &frame, &link->out, err) != 0) {
		return broken(link, err);
	}
	return 0;
}
