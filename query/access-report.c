#include "query/access-report.h"

#include "base/io.h"
#include "model/feed.h"
#include "model/record.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#define KEY_BYTES 16

static int encode(const struct access_report *report, struct buf *out, struct error *err)
{
	struct record record;
	char key[KEY_BYTES];
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
		return error_errno(err, "no random key for the access record");
	}
	record_init(&record, RECORD_ACCESS);
	record.source = STR_LIT(ACCESS_SOURCE);
	record.key = str_make(key, sizeof(key));
	record.time_ns = report->now_ns;
	record_set_text(&record, FIELD_user, report->user);
	record_set_text(&record, FIELD_event, STR_LIT("query"));
	record_set_text(&record, FIELD_program, STR_LIT(ACCESS_SOURCE));
	record_set_text(&record, FIELD_arguments, report->arguments);
	record_set_number(&record, FIELD_peer_uid, report->peer_uid);
	return record_encode(&record, out, err);
}

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
		return error_set(err, ERR_IO, "the daemon refuses: %.*s", STR_ARG(frame.text));
	}
	if (frame.type != type || (type == FEED_COMMITTED && frame.stored == 0)) {
		return error_set(err, ERR_IO, "the daemon did not store the access record");
	}
	return 0;
}

static int converse(struct talk *talk, struct str encoded, struct error *err)
{
	struct feed_frame hello = {
		.type = FEED_HELLO,
		.program = STR_LIT(ACCESS_SOURCE),
		.source = STR_LIT(ACCESS_SOURCE),
		.source_type = STR_LIT("serve"),
		.kinds = 1u << RECORD_ACCESS,
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

int access_report_send(const char *path, const struct access_report *report, struct error *err)
{
	IO_CLOSE int fd = -1;
	int result = io_unix_connect(path, &fd, err);
	if (result != 0) {
		error_prefix(err, "the access cannot be recorded, so nothing is shown");
		return result;
	}
	struct timeval limit = {.tv_sec = ACCESS_TIMEOUT_S};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
			 sizeof(limit)); /* then it waits longer */
	struct talk talk = {.fd = fd};
	struct buf encoded;
	buf_init(&encoded, RECORD_MAX_BYTES);
	buf_init(&talk.buffer, FEED_FRAME_MAX + 64);
	buf_init(&talk.scratch, FEED_FRAME_MAX + 64);
	arena_init(&talk.arena, 1u << 20);
	result = encode(report, &encoded, err);
	if (result == 0) {
		result = converse(&talk, buf_str(&encoded), err);
	}
	if (result != 0) {
		error_prefix(err, "the access cannot be recorded, so nothing is shown");
	}
	buf_done(&encoded);
	buf_done(&talk.buffer);
	buf_done(&talk.scratch);
	arena_done(&talk.arena);
	return result;
}
