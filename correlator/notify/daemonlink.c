#include "correlator/notify/daemonlink.h"

#include "base/io.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#define SEND_TIMEOUT_S 10
#define READ_BYTES     65536
#define READS_MAX      64 /* then others have their turn */

void daemonlink_init(struct daemonlink *link)
{
	*link = (struct daemonlink){.fd = -1};
	buf_init(&link->in, FEED_FRAME_MAX + READ_BYTES);
	buf_init(&link->out, FEED_FRAME_MAX);
	arena_init(&link->arena, 1 << 20);
}

void daemonlink_done(struct daemonlink *link)
{
	daemonlink_close(link);
	buf_done(&link->in);
	buf_done(&link->out);
	arena_done(&link->arena);
}

void daemonlink_close(struct daemonlink *link)
{
	if (link->fd >= 0) {
		close(link->fd);
		link->fd = -1;
	}
	link->greeted = false;
	buf_clear(&link->in);
}

int daemonlink_open(struct daemonlink *link, const char *path, struct error *err)
{
	struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
	struct feed_frame hello = {.type = FEED_HELLO,
				   .program = STR_LIT("querytrail-notify"),
				   .source = STR_LIT("notify"),
				   .source_type = STR_LIT("notify")};

	assert(link->fd < 0);
	int rc = io_unix_connect(path, &link->fd, err);
	if (rc == 0) {
		/* a daemon that hangs must not hold us for ever */
		(void)setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
		rc = feed_send(link->fd, &hello, &link->out, err);
	} else {
		link->fd = -1;
	}
	if (rc != 0) {
		daemonlink_close(link);
	}
	if (rc != 0 && rc != -ERR_CONFIG) {
		err->code = ERR_AGAIN;
		rc = -ERR_AGAIN;
	}
	return rc;
}

static int take_frame(struct daemonlink *link, const struct feed_frame *frame, daemonlink_fn *each,
		      void *owner, struct error *err)
{
	if (frame->type == FEED_ERROR) {
		return error_set(err, (enum error_code)frame->code, "querytraild says: %.*s",
				 STR_ARG(frame->text));
	}
	if (!link->greeted && frame->type == FEED_WELCOME) {
		link->greeted = true;
		return 0;
	}
	bool known = frame->type == FEED_ALERT || frame->type == FEED_CHECKPOINT;
	if (!link->greeted || !known) {
		return error_set(err, ERR_INPUT, "querytraild sent frame %d, which nobody expects",
				 (int)frame->type);
	}
	return each(owner, frame, err);
}

/* All whole frames in the buffer. */
static int take_frames(struct daemonlink *link, daemonlink_fn *each, void *owner, struct error *err)
{
	size_t taken = 0;
	int rc = 0;

	while (rc == 0 && link->fd >= 0) {
		struct feed_frame frame;
		size_t used = 0;
		arena_clear(&link->arena);
		rc = feed_decode(str_slice(buf_str(&link->in), taken, link->in.len), &link->arena,
				 &frame, &used, err);
		if (rc == 0) {
			rc = take_frame(link, &frame, each, owner, err);
			taken += used;
		}
	}
	if (link->fd >= 0) { /* else a receipt found it broken, and the buffer is empty */
		buf_consume(&link->in, taken);
	}
	return rc == -ERR_AGAIN ? 0 : rc;
}

int daemonlink_read(struct daemonlink *link, daemonlink_fn *each, void *owner, struct error *err)
{
	int rc = 0;

	for (int i = 0; i < READS_MAX && rc == 0 && link->fd >= 0; i++) {
		if (buf_reserve(&link->in, READ_BYTES) != 0) {
			rc = error_set(err, ERR_INPUT, "querytraild sent a frame that is too long");
			break;
		}
		ssize_t len = recv(link->fd, link->in.ptr + link->in.len, READ_BYTES, MSG_DONTWAIT);
		if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
			break;
		}
		if (len <= 0) {
			rc = error_set(err, ERR_AGAIN, "querytraild has closed the connection");
			break;
		}
		link->in.len += (size_t)len;
		rc = take_frames(link, each, owner, err);
	}
	if (rc == 0 && link->fd < 0) {
		rc = error_set(err, ERR_AGAIN, "querytraild has closed the connection");
	}
	if (rc != 0) {
		daemonlink_close(link);
	}
	return rc;
}

bool daemonlink_send(struct daemonlink *link, const struct feed_frame *receipt)
{
	struct error ignored;

	if (link->fd < 0 || !link->greeted) {
		return false;
	}
	if (feed_send(link->fd, receipt, &link->out, &ignored) != 0) {
		daemonlink_close(link); /* the reader finds it closed, and says so */
		return false;
	}
	return true;
}
