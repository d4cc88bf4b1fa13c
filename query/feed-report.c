#include "query/feed-report.h"

#include "base/io.h"
#include "model/feed.h"

#include <sys/socket.h>
#include <sys/time.h>

struct talk { /* one conversation with the daemon */
	int fd;
	struct buf buffer, scratch;
	struct arena arena;
};

/* Waits for a frame of the type. */
static int expect(struct talk *talk, enum feed_type type, struct error *err)
{
	struct feed_frame frame;
	int result = feed_receive(talk->fd, &talk->buffer, &talk->arena, &frame, err);
	if (result != 0) {
		return result;
	}
	if (frame.type == FEED_ERROR) {
		return error_set(err, frame.code == ERR_AGAIN ? ERR_AGAIN : ERR_IO,
				 "the daemon refuses: %.*s", STR_ARG(frame.text));
	}
	if (frame.type != type || (type == FEED_COMMITTED && frame.stored == 0)) {
		return error_set(err, ERR_IO, "the daemon did not store the record");
	}
	return 0;
}

static int converse(struct talk *talk, const struct feed_report *report, struct str encoded,
		    struct error *err)
{
	struct feed_frame hello = {
		.type = FEED_HELLO,
		.program = str_of(report->source),
		.source = str_of(report->source),
		.source_type = str_of(report->source_type),
		.kinds = 1u << report->record->kind,
	};
	struct feed_frame batch = {
		.type = FEED_BATCH,
		.sequence = 1,
		.watermark_ns = FEED_WATERMARK_NONE,
		.caught_up = true,
		.records = &encoded,
		.record_count = 1,
	};
	int result = feed_send(talk->fd, &hello, &talk->scratch, err);
	result = result == 0 ? expect(talk, FEED_WELCOME, err) : result;
	result = result == 0 ? feed_send(talk->fd, &batch, &talk->scratch, err) : result;
	return result == 0 ? expect(talk, FEED_COMMITTED, err) : result;
}

int feed_report_send(const struct feed_report *report, struct error *err)
{
	IO_CLOSE int fd = -1;
	int result = io_unix_connect(report->path, &fd, err);
	if (result != 0) {
		return result;
	}
	struct timeval limit = {.tv_sec = FEED_REPORT_TIMEOUT_S};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
			 sizeof(limit)); /* then it waits longer */
	struct talk talk = {.fd = fd};
	struct buf encoded;
	buf_init(&encoded, RECORD_MAX_BYTES);
	buf_init(&talk.buffer, FEED_FRAME_MAX + 64);
	buf_init(&talk.scratch, FEED_FRAME_MAX + 64);
	arena_init(&talk.arena, 1u << 20);
	result = record_encode(report->record, &encoded, err);
	if (result == 0) {
		result = converse(&talk, report, buf_str(&encoded), err);
	}
	buf_done(&encoded);
	buf_done(&talk.buffer);
	buf_done(&talk.scratch);
	arena_done(&talk.arena);
	return result;
}
