#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "model/feed.h"

struct fixture {
	struct arena arena;
	struct buf out;
	struct feed_frame frame;
	struct error err;
};

static int make(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	arena_init(&f->arena, 1 << 20);
	buf_init(&f->out, 0);
	*state = f;
	return 0;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	buf_done(&f->out);
	arena_done(&f->arena);
	test_free(f);
	return 0;
}

static void pass(struct fixture *f, const struct feed_frame *frame)
{
	size_t used = 0;

	buf_clear(&f->out);
	assert_int_equal(feed_encode(frame, &f->out, &f->err), 0);
	for (size_t len = 0; len < f->out.len; len++) {
		assert_int_equal(feed_decode(str_make(f->out.ptr, len), &f->arena, &f->frame, &used,
					     &f->err),
				 -ERR_AGAIN);
	}
	assert_int_equal(feed_decode(buf_str(&f->out), &f->arena, &f->frame, &used, &f->err), 0);
	assert_int_equal(used, f->out.len);
	assert_int_equal(f->frame.type, frame->type);
}

static void every_frame_passes(void **state)
{
	/* each type of frame comes back with all its parts, and any front of it is ERR_AGAIN */
	const struct str records[] = {STR_LIT("one"), STR_LIT("two")};
	struct fixture *f = *state;

	pass(f, &(struct feed_frame){.type = FEED_HELLO,
				     .program = STR_LIT("p"),
				     .source = STR_LIT("api"),
				     .source_type = STR_LIT("file"),
				     .kinds = 6});
	assert_true(str_is(f->frame.program, "p") && str_is(f->frame.source, "api") &&
		    str_is(f->frame.source_type, "file") && f->frame.kinds == 6);
	pass(f, &(struct feed_frame){.type = FEED_WELCOME, .cursor = STR_LIT("c\0d")});
	assert_true(str_equal(f->frame.cursor, STR_LIT("c\0d")));
	pass(f, &(struct feed_frame){.type = FEED_BATCH,
				     .sequence = UINT64_MAX,
				     .watermark_ns = FEED_WATERMARK_NONE,
				     .caught_up = true,
				     .cursor = STR_LIT("next"),
				     .records = records,
				     .record_count = 2});
	assert_true(f->frame.sequence == UINT64_MAX && f->frame.caught_up &&
		    f->frame.watermark_ns == FEED_WATERMARK_NONE && f->frame.record_count == 2);
	assert_true(str_is(f->frame.cursor, "next") && str_is(f->frame.records[0], "one") &&
		    str_is(f->frame.records[1], "two"));
	pass(f, &(struct feed_frame){.type = FEED_BATCH, .sequence = 1, .watermark_ns = -5});
	assert_true(f->frame.watermark_ns == -5 && f->frame.record_count == 0);
	pass(f, &(struct feed_frame){.type = FEED_COMMITTED,
				     .sequence = 1,
				     .stored = 2,
				     .duplicate = 3,
				     .rejected = 4});
	assert_true(f->frame.stored == 2 && f->frame.duplicate == 3 && f->frame.rejected == 4);
	pass(f, &(struct feed_frame){.type = FEED_STATUS,
				     .state = FEED_STATE_RETRYING,
				     .text = STR_LIT("away")});
	assert_true(f->frame.state == FEED_STATE_RETRYING && str_is(f->frame.text, "away"));
	pass(f, &(struct feed_frame){.type = FEED_ERROR, .code = ERR_GONE, .text = STR_LIT("x")});
	assert_int_equal(f->frame.code, ERR_GONE);
}

static void anchor_frames_pass(void **state)
{
	/* CHECKPOINT and ANCHORED come back with all their parts; a proof of broken hashes and an unknown outcome do not */
	static const char proof[64] = "hashes";
	struct fixture *f = *state;
	size_t used = 0;
	struct feed_frame frame = {.type = FEED_CHECKPOINT,
				   .anchor = STR_LIT("w1"),
				   .size = 12,
				   .old_size = 5,
				   .note = STR_LIT("note"),
				   .proof = str_make(proof, sizeof(proof))};

	pass(f, &frame);
	assert_true(str_is(f->frame.anchor, "w1") && f->frame.size == 12 &&
		    f->frame.old_size == 5 && str_is(f->frame.note, "note") &&
		    str_equal(f->frame.proof, frame.proof));
	buf_clear(&f->out);
	frame.proof.len = 63;
	assert_int_equal(feed_encode(&frame, &f->out, &f->err), 0);
	assert_int_equal(feed_decode(buf_str(&f->out), &f->arena, &f->frame, &used, &f->err),
			 -ERR_INPUT);
	frame = (struct feed_frame){.type = FEED_ANCHORED,
				    .anchor = STR_LIT("w1"),
				    .size = 12,
				    .old_size = 13,
				    .anchored = FEED_ANCHOR_AHEAD,
				    .receipt = STR_LIT("r"),
				    .text = STR_LIT("why")};
	pass(f, &frame);
	assert_true(f->frame.anchored == FEED_ANCHOR_AHEAD && f->frame.old_size == 13 &&
		    str_is(f->frame.receipt, "r") && str_is(f->frame.text, "why"));
	buf_clear(&f->out);
	frame.anchored = (enum feed_anchored)6;
	assert_int_equal(feed_encode(&frame, &f->out, &f->err), 0);
	assert_int_equal(feed_decode(buf_str(&f->out), &f->arena, &f->frame, &used, &f->err),
			 -ERR_INPUT);
}

static void the_documented_bytes(void **state)
{
	/* the example of docs/format.md section 2 */
	static const uint8_t expected[] = {
		0x17, 0,   0,   0, 3,          /* length of what follows, BATCH */
		7,    0,   0,   0, 0, 0, 0, 0, /* sequence */
		9,    0,   0,   0, 0, 0, 0, 0, /* watermark */
		1,                             /* caught up */
		1,    'c',                     /* cursor */
		1,    1,   'r',                /* one record of one byte */
	};
	struct fixture *f = *state;
	const struct str record = STR_LIT("r");

	buf_clear(&f->out);
	assert_int_equal(feed_encode(&(struct feed_frame){.type = FEED_BATCH,
							  .sequence = 7,
							  .watermark_ns = 9,
							  .caught_up = true,
							  .cursor = STR_LIT("c"),
							  .records = &record,
							  .record_count = 1},
				     &f->out, &f->err),
			 0);
	assert_int_equal(f->out.len, sizeof(expected));
	assert_memory_equal(f->out.ptr, expected, sizeof(expected));
}

static void refuse(struct fixture *f, const char *bytes, size_t len)
{
	size_t used;

	assert_int_equal(feed_decode(str_make(bytes, len), &f->arena, &f->frame, &used, &f->err),
			 -ERR_INPUT);
}

static void malformed_frames_are_refused(void **state)
{
	/* each way to break a frame is ERR_INPUT, a length that can't be already with its four bytes */
	struct fixture *f = *state;

	refuse(f, "\x00\x00\x00\x00", 4);
	refuse(f, "\x01\x00\x80\x01", 4);
	refuse(f, "\xff\xff\xff\xff", 4);
	refuse(f, "\x01\x00\x00\x00\x07", 5);                      /* unknown type */
	refuse(f, "\x02\x00\x00\x00\x05\x01", 6);                  /* cut off */
	refuse(f, "\x03\x00\x00\x00\x05\x00\x00", 7);              /* unknown state */
	refuse(f, "\x04\x00\x00\x00\x05\x01\x00\x00", 8);          /* one byte too many */
	refuse(f, "\x06\x00\x00\x00\x06\x00\x00\x00\x00\x00", 10); /* code 0 */
	refuse(f, "\x06\x00\x00\x00\x02\x02\x00\x00\x00\x00", 10); /* version 2 */
	refuse(f, "\x0c\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	       16); /* no source */
	refuse(f,
	       "\x15\x00\x00\x00\x03"
	       "12345678"
	       "12345678"
	       "\x02\x00\x00\x00",
	       25); /* caught_up 2 */
	refuse(f,
	       "\x16\x00\x00\x00\x03"
	       "12345678"
	       "12345678"
	       "\x01\x00\x01\x00\x00",
	       26); /* empty record */
	refuse(f,
	       "\x16\x00\x00\x00\x03"
	       "12345678"
	       "12345678"
	       "\x01\x00\xff\x3f\x00",
	       26); /* fewer than said */
}

static void limits_of_what_is_sent(void **state)
{
	/* what the other side would refuse is ERR_LIMIT, and out is as before */
	struct fixture *f = *state;
	char *big = test_calloc(1, FEED_FRAME_MAX);
	struct str *records = test_calloc(FEED_BATCH_RECORDS + 1, sizeof(*records));
	const struct str huge = str_make(big, FEED_FRAME_MAX);
	const struct feed_frame frames[] = {
		{.type = FEED_BATCH, .records = records, .record_count = FEED_BATCH_RECORDS + 1},
		{.type = FEED_BATCH, .records = &huge, .record_count = 1},
		{.type = FEED_WELCOME, .cursor = {big, FEED_CURSOR_MAX + 1}},
		{.type = FEED_STATUS, .state = FEED_STATE_OK, .text = {big, 4097}},
		{.type = FEED_HELLO, .source = STR_LIT("no good")},
		{.type = FEED_HELLO, .source = STR_LIT("a"), .program = {big, 65}},
	};

	buf_put_text(&f->out, "before");
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		assert_int_equal(feed_encode(&frames[i], &f->out, &f->err), -ERR_LIMIT);
		assert_string_equal(f->out.ptr, "before");
		assert_false(f->out.failed);
	}
	test_free(records);
	test_free(big);
}

static void a_small_arena_is_refused(void **state)
{
	/* a batch whose list has no room is ERR_INPUT, as the header says of all that can't be taken */
	struct fixture *f = *state;
	struct str records[64];
	struct arena small;
	size_t used;

	for (size_t i = 0; i < 64; i++) {
		records[i] = STR_LIT("r");
	}
	arena_init(&small, 16);
	assert_int_equal(feed_encode(&(struct feed_frame){.type = FEED_BATCH,
							  .records = records,
							  .record_count = 64},
				     &f->out, &f->err),
			 0);
	assert_int_equal(feed_decode(buf_str(&f->out), &small, &f->frame, &used, &f->err),
			 -ERR_INPUT);
	arena_done(&small);
}

static void frames_cross_a_socket(void **state)
{
	/* frames sent one after the other are received one by one; a peer that ends is ERR_GONE, garbage ERR_INPUT */
	struct fixture *f = *state;
	struct buf buffer;
	int fds[2];

	buf_init(&buffer, FEED_FRAME_MAX + 16);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	for (int i = 1; i <= 2; i++) {
		struct feed_frame frame = {.type = FEED_COMMITTED, .sequence = (uint64_t)i};

		assert_int_equal(feed_send(fds[0], &frame, &f->out, &f->err), 0);
	}
	for (uint64_t i = 1; i <= 2; i++) {
		assert_int_equal(feed_receive(fds[1], &buffer, &f->arena, &f->frame, &f->err), 0);
		assert_int_equal(f->frame.sequence, i);
	}
	assert_int_equal(write(fds[0], "\x01\x00\x00\x00\x63", 5), 5);
	assert_int_equal(feed_receive(fds[1], &buffer, &f->arena, &f->frame, &f->err), -ERR_INPUT);
	assert_int_equal(write(fds[0], "\xff\xff\xff\x7f", 4), 4);
	assert_int_equal(feed_receive(fds[1], &buffer, &f->arena, &f->frame, &f->err), -ERR_INPUT);
	close(fds[0]);
	assert_int_equal(feed_receive(fds[1], &buffer, &f->arena, &f->frame, &f->err), -ERR_GONE);
	close(fds[1]);
	assert_int_equal(feed_receive(-1, &buffer, &f->arena, &f->frame, &f->err), -ERR_IO);
	buf_done(&buffer);
}

static void a_timeout_is_told_from_a_stall(void **state)
{
	/* nothing for the time of a receive timeout is ERR_AGAIN; half a frame and then nothing is ERR_IO */
	struct timeval patience = {.tv_usec = 20000};
	struct fixture *f = *state;
	struct buf buffer;
	int fds[2];

	buf_init(&buffer, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
			 0);
	assert_int_equal(feed_receive(fds[1], &buffer, &f->arena, &f->frame, &f->err), -ERR_AGAIN);
	assert_int_equal(write(fds[0], "\x05\x00\x00\x00", 4), 4);
	assert_int_equal(feed_receive(fds[1], &buffer, &f->arena, &f->frame, &f->err), -ERR_IO);
	close(fds[0]);
	close(fds[1]);
	buf_done(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_frame_passes, make, unmake),
		cmocka_unit_test_setup_teardown(anchor_frames_pass, make, unmake),
		cmocka_unit_test_setup_teardown(the_documented_bytes, make, unmake),
		cmocka_unit_test_setup_teardown(malformed_frames_are_refused, make, unmake),
		cmocka_unit_test_setup_teardown(limits_of_what_is_sent, make, unmake),
		cmocka_unit_test_setup_teardown(a_small_arena_is_refused, make, unmake),
		cmocka_unit_test_setup_teardown(frames_cross_a_socket, make, unmake),
		cmocka_unit_test_setup_teardown(a_timeout_is_told_from_a_stall, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
