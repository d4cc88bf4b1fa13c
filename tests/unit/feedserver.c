#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "correlator/feedserver.h"
#include "tests/unit/store-fixture.h"

#include <sys/socket.h>

/* A server whose handlers note what they are told, and a client that speaks to it. */
struct talk {
	struct fixture fixture;
	struct loop *loop;
	struct feedserver *server;
	struct error err;
	int fd; /* the client */
	struct buf in, out;
	struct arena arena;
	struct feed_frame frame; /* last received */
	int hellos, batches, statuses, receipts, anchored, drained, gones, broken;
	struct feedpeer *peer; /* of the last HELLO */
	size_t records;
	int answer; /* what the batch handler returns */
};

static int on_hello(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		    struct str *out_cursor, struct error *err)
{
	struct talk *talk = owner;
	talk->hellos++;
	talk->peer = peer;
	feedpeer_set_data(peer, talk);
	*out_cursor = STR_LIT("here");
	return str_is(frame->source, "refused") ? error_set(err, ERR_CONFIG, "not you") : 0;
}

static int on_batch(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		    struct error *err)
{
	struct talk *talk = owner;
	assert_ptr_equal(feedpeer_data(peer), talk);
	talk->batches++;
	talk->records += frame->record_count;
	feedpeer_set_counts(peer, &(struct feedpeer_counts){.stored = frame->record_count});
	return talk->answer < 0 ? error_set(err, (enum error_code) - talk->answer, "as asked") : 0;
}

static int on_status(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		     struct error *err)
{
	struct talk *talk = owner;
	(void)peer;
	(void)frame;
	(void)err;
	talk->statuses++;
	return 0;
}

static int on_receipt(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		      struct error *err)
{
	struct talk *talk = owner;
	assert_ptr_equal(peer, talk->peer);
	assert_int_equal(frame->delivery_count, 1);
	talk->receipts++;
	return talk->answer < 0 ? error_set(err, (enum error_code) - talk->answer, "as asked") : 0;
}

static int on_anchored(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		       struct error *err)
{
	struct talk *talk = owner;
	(void)err;
	assert_ptr_equal(peer, talk->peer);
	assert_true(str_is(frame->anchor, "w1"));
	talk->anchored++;
	return 0;
}

static int on_drained(void *owner, struct feedpeer *peer, struct error *err)
{
	struct talk *talk = owner;
	(void)err;
	assert_int_equal(feedpeer_queued(peer), 0);
	talk->drained++;
	return 0;
}

static void on_gone(void *owner, struct feedpeer *peer, const struct error *why)
{
	struct talk *talk = owner;
	(void)peer;
	talk->gones++;
	talk->broken += why != NULL ? 1 : 0;
}

static const struct feedserver_handlers handlers = {.hello = on_hello,
						    .batch = on_batch,
						    .status = on_status,
						    .receipt = on_receipt,
						    .anchored = on_anchored,
						    .drained = on_drained,
						    .gone = on_gone};

static void connect_client(struct talk *talk)
{
	assert_int_equal(
		io_unix_connect(fixture_path(&talk->fixture, "feed.sock"), &talk->fd, &talk->err),
		0);
	struct timeval patience = {.tv_sec = 5};
	assert_int_equal(setsockopt(talk->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
			 0);
}

static void talk_init(struct talk *talk)
{
	memset(talk, 0, sizeof *talk);
	fixture_init(&talk->fixture);
	buf_init(&talk->in, FEED_FRAME_MAX + 64);
	buf_init(&talk->out, FEED_FRAME_MAX + 64);
	arena_init(&talk->arena, FEED_FRAME_MAX);
	assert_int_equal(loop_new(&talk->loop, &talk->err), 0);
	struct feedserver_options options = {.loop = talk->loop,
					     .path = fixture_path(&talk->fixture, "feed.sock"),
					     .handlers = &handlers,
					     .owner = talk};
	assert_int_equal(feedserver_open(&options, &talk->server, &talk->err), 0);
	connect_client(talk);
}

static void talk_done(struct talk *talk)
{
	feedserver_close(talk->server, "the test ends");
	loop_free(talk->loop);
	if (talk->fd >= 0) {
		assert_int_equal(close(talk->fd), 0);
	}
	buf_done(&talk->in);
	buf_done(&talk->out);
	arena_done(&talk->arena);
	assert_int_not_equal(access(fixture_path(&talk->fixture, "feed.sock"), F_OK), 0);
	fixture_done(&talk->fixture);
}

/* Lets the server work until nothing happens any more. */
static int serve(struct talk *talk)
{
	int rc = 0;
	for (int i = 0; i < 40 && rc == 0; i++) {
		rc = loop_step(talk->loop, 0, &talk->err);
	}
	return rc;
}

static void send_frame(struct talk *talk, const struct feed_frame *frame)
{
	assert_int_equal(feed_send(talk->fd, frame, &talk->out, &talk->err), 0);
	assert_int_equal(serve(talk), 0);
}

static void send_hello(struct talk *talk, const char *name)
{
	struct feed_frame frame = {.type = FEED_HELLO,
				   .program = STR_LIT("test"),
				   .source = str_of(name),
				   .source_type = STR_LIT("file"),
				   .kinds = 2};
	send_frame(talk, &frame);
}

static void send_batch(struct talk *talk, uint64_t sequence)
{
	struct str records[] = {STR_LIT("one"), STR_LIT("two")};
	struct feed_frame frame = {
		.type = FEED_BATCH, .sequence = sequence, .records = records, .record_count = 2};
	send_frame(talk, &frame);
}

static enum feed_type receive(struct talk *talk)
{
	arena_clear(&talk->arena);
	assert_int_equal(feed_receive(talk->fd, &talk->in, &talk->arena, &talk->frame, &talk->err),
			 0);
	return talk->frame.type;
}

static void expect_error(struct talk *talk, int code)
{
	assert_int_equal(receive(talk), FEED_ERROR);
	assert_int_equal(talk->frame.code, code);
	assert_int_equal(feed_receive(talk->fd, &talk->in, &talk->arena, &talk->frame, &talk->err),
			 -ERR_GONE);
	assert_int_equal(talk->gones, 1);
	assert_int_equal(talk->broken, 1);
}

static void batch_waits_for_confirm(void **state)
{
	/* WELCOME brings the cursor; COMMITTED comes only after feedserver_confirm, with sequence and counts */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	send_hello(&talk, "a");
	assert_int_equal(receive(&talk), FEED_WELCOME);
	assert_true(str_is(talk.frame.cursor, "here"));
	send_batch(&talk, 1);
	assert_int_equal(talk.records, 2);
	assert_int_equal(feedserver_waiting(talk.server), 1);
	char byte;
	assert_int_equal(recv(talk.fd, &byte, 1, MSG_DONTWAIT), -1);
	feedserver_confirm(talk.server);
	assert_int_equal(feedserver_waiting(talk.server), 0);
	assert_int_equal(receive(&talk), FEED_COMMITTED);
	assert_int_equal(talk.frame.sequence, 1);
	assert_int_equal(talk.frame.stored, 2);
	send_batch(&talk, 2);
	feedserver_confirm(talk.server);
	assert_int_equal(receive(&talk), FEED_COMMITTED);
	assert_int_equal(talk.frame.sequence, 2);
	struct feed_frame status = {.type = FEED_STATUS, .state = FEED_STATE_OK};
	send_frame(&talk, &status);
	assert_int_equal(talk.statuses, 1);
	talk_done(&talk);
	assert_int_equal(talk.gones, 1);
}

static void torn_frames_are_put_together(void **state)
{
	/* a conversation byte by byte is the same conversation */
	struct talk talk;
	struct buf all;
	(void)state;
	talk_init(&talk);
	buf_init(&all, 0);
	struct str records[] = {STR_LIT("one")};
	struct feed_frame hello = {.type = FEED_HELLO,
				   .program = STR_LIT("test"),
				   .source = STR_LIT("a"),
				   .source_type = STR_LIT("file")};
	struct feed_frame batch = {
		.type = FEED_BATCH, .sequence = 1, .records = records, .record_count = 1};
	assert_int_equal(feed_encode(&hello, &all, &talk.err), 0);
	assert_int_equal(feed_encode(&batch, &all, &talk.err), 0);
	for (size_t i = 0; i < all.len; i++) {
		assert_int_equal(talk.batches, 0);
		assert_int_equal(send(talk.fd, all.ptr + i, 1, 0), 1);
		assert_int_equal(serve(&talk), 0);
	}
	assert_int_equal(talk.batches, 1);
	assert_int_equal(receive(&talk), FEED_WELCOME);
	buf_done(&all);
	talk_done(&talk);
}

static void send_receipt(struct talk *talk)
{
	const struct feed_delivery delivery = {.channel = STR_LIT("mail")};
	const struct feed_frame frame = {.type = FEED_RECEIPT,
					 .sequence = 1,
					 .alert = STR_LIT("00000000000000aa"),
					 .deliveries = &delivery,
					 .delivery_count = 1,
					 .outcome = FEED_DELIVERED};
	send_frame(talk, &frame);
}

static void alerts_go_out_as_far_as_they_are_taken(void **state)
{
	/* what a slow peer does not take waits in its queue, is told when all is out, and nothing of it is lost or mixed */
	struct talk talk;
	struct buf large;
	(void)state;
	talk_init(&talk);
	send_hello(&talk, "a");
	assert_int_equal(receive(&talk), FEED_WELCOME);
	buf_init(&large, 0);
	buf_put_fill(&large, 'x', 1 << 20);
	struct feed_frame frame = {.type = FEED_ALERT, .alert = buf_str(&large)};
	for (int i = 0; i < 6; i++) {
		frame.sequence = (uint64_t)i + 1;
		assert_int_equal(feedpeer_send(talk.peer, &frame, &talk.err), 0);
	}
	assert_true(feedpeer_queued(talk.peer) > 1 << 20);
	buf_clear(&talk.in); /* WELCOME */
	for (uint64_t i = 1; i <= 6; i++) {
		while (feed_decode(buf_str(&talk.in), &talk.arena, &talk.frame, &(size_t){0},
				   &talk.err) != 0) {
			char bytes[65536];
			assert_int_equal(serve(&talk), 0);
			ssize_t got = recv(talk.fd, bytes, sizeof bytes, MSG_DONTWAIT);
			if (got > 0) {
				buf_put(&talk.in, bytes, (size_t)got);
			}
		}
		size_t used = 0;
		assert_int_equal(
			feed_decode(buf_str(&talk.in), &talk.arena, &talk.frame, &used, &talk.err),
			0);
		assert_int_equal(talk.frame.sequence, i);
		assert_int_equal(talk.frame.alert.len, 1 << 20);
		buf_consume(&talk.in, used);
		arena_clear(&talk.arena);
	}
	assert_int_equal(serve(&talk), 0);
	assert_int_equal(talk.drained, 1);
	send_receipt(&talk);
	assert_int_equal(talk.receipts, 1);
	talk.answer = -ERR_INPUT;
	send_receipt(&talk);
	expect_error(&talk, ERR_INPUT);
	buf_done(&large);
	talk_done(&talk);
}

static void anchored_comes_behind_hello(void **state)
{
	/* ANCHORED goes to its handler; of one who has not said who he is it ends the connection */
	const struct feed_frame frame = {
		.type = FEED_ANCHORED, .anchor = STR_LIT("w1"), .anchored = FEED_TAKEN};
	struct talk talk;
	(void)state;
	talk_init(&talk);
	send_hello(&talk, "a");
	assert_int_equal(receive(&talk), FEED_WELCOME);
	send_frame(&talk, &frame);
	assert_int_equal(talk.anchored, 1);
	talk_done(&talk);
	talk_init(&talk);
	send_frame(&talk, &frame);
	expect_error(&talk, ERR_INPUT);
	assert_int_equal(talk.anchored, 0);
	talk_done(&talk);
}

static void receipts_come_behind_hello(void **state)
{
	/* a RECEIPT of one who has not said who he is ends the connection */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	send_receipt(&talk);
	expect_error(&talk, ERR_INPUT);
	assert_int_equal(talk.receipts, 0);
	talk_done(&talk);
}

static void rules_are_kept(void **state)
{
	/* out of order, twice, unknown, malformed, oversized: ERROR with INPUT, closed, and the handlers are not asked */
	(void)state;
	for (int what = 0; what < 9; what++) {
		struct talk talk;
		talk_init(&talk);
		if (what >= 2) {
			send_hello(&talk, "a");
			assert_int_equal(receive(&talk), FEED_WELCOME);
		}
		struct feed_frame frame = {.type = FEED_STATUS, .state = FEED_STATE_OK};
		if (what == 0) {
			send_batch(&talk, 1);
		} else if (what == 1) {
			send_frame(&talk, &frame);
		} else if (what == 2) {
			send_hello(&talk, "a");
		} else if (what == 3) {
			send_batch(&talk, 2);
		} else if (what == 4) {
			send_batch(&talk, 1);
			send_batch(&talk, 2);
		} else if (what == 5) {
			frame.type = FEED_COMMITTED;
			send_frame(&talk, &frame);
		} else if (what == 6) {
			assert_int_equal(send(talk.fd, "\x05\0\0\0\x63wxyz", 9, 0), 9);
		} else if (what == 7) {
			assert_int_equal(send(talk.fd, "\xff\xff\xff\x7f\x03", 5, 0), 5);
		} else {
			assert_int_equal(send(talk.fd, "\x02\0\0\0\x03\x01", 6, 0), 6);
		}
		assert_int_equal(serve(&talk), 0);
		expect_error(&talk, ERR_INPUT);
		assert_int_equal(talk.batches, what == 4 ? 1 : 0);
		assert_int_equal(feedserver_waiting(talk.server), 0);
		talk_done(&talk);
	}
}

static void wrong_version_is_told(void **state)
{
	/* a HELLO of another version is answered with ERROR, not with silence */
	struct talk talk;
	struct buf hello;
	(void)state;
	talk_init(&talk);
	buf_init(&hello, 0);
	struct feed_frame frame = {.type = FEED_HELLO,
				   .program = STR_LIT("test"),
				   .source = STR_LIT("a"),
				   .source_type = STR_LIT("file")};
	assert_int_equal(feed_encode(&frame, &hello, &talk.err), 0);
	hello.ptr[5] = (char)(FEED_VERSION + 1);
	assert_int_equal(send(talk.fd, hello.ptr, hello.len, 0), (ssize_t)hello.len);
	assert_int_equal(serve(&talk), 0);
	expect_error(&talk, ERR_INPUT);
	assert_int_equal(talk.hellos, 0);
	buf_done(&hello);
	talk_done(&talk);
}

static void handler_decides(void **state)
{
	/* a refused HELLO or batch is told with its code; another error ends the loop */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	send_hello(&talk, "refused");
	expect_error(&talk, ERR_CONFIG);
	talk_done(&talk);
	talk_init(&talk);
	send_hello(&talk, "a");
	assert_int_equal(receive(&talk), FEED_WELCOME);
	talk.answer = -ERR_INPUT;
	send_batch(&talk, 1);
	expect_error(&talk, ERR_INPUT);
	talk_done(&talk);
	talk_init(&talk);
	send_hello(&talk, "a");
	talk.answer = -ERR_IO;
	struct feed_frame batch = {.type = FEED_BATCH, .sequence = 1};
	assert_int_equal(feed_send(talk.fd, &batch, &talk.out, &talk.err), 0);
	assert_int_equal(serve(&talk), -ERR_IO);
	assert_string_equal(talk.err.text, "as asked");
	talk_done(&talk);
}

static void peer_that_leaves(void **state)
{
	/* in order: no reason is told; in the middle of a frame: there is one; its batch waits no longer */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	send_hello(&talk, "a");
	send_batch(&talk, 1);
	assert_int_equal(shutdown(talk.fd, SHUT_RDWR), 0);
	assert_int_equal(serve(&talk), 0);
	assert_int_equal(talk.gones, 1);
	assert_int_equal(talk.broken, 0);
	assert_int_equal(feedserver_waiting(talk.server), 0);
	feedserver_confirm(talk.server);
	assert_int_equal(close(talk.fd), 0);
	connect_client(&talk);
	assert_int_equal(send(talk.fd, "\x05\0", 2, 0), 2);
	assert_int_equal(shutdown(talk.fd, SHUT_RDWR), 0);
	assert_int_equal(serve(&talk), 0);
	assert_int_equal(talk.gones, 2);
	assert_int_equal(talk.broken, 1);
	talk_done(&talk);
}

static void drain_takes_what_lies_there(void **state)
{
	/* a batch that was sent before the end is taken and confirmed, then the peer is told that we stop */
	struct talk talk;
	struct str records[] = {STR_LIT("one")};
	(void)state;
	talk_init(&talk);
	send_hello(&talk, "a");
	assert_int_equal(receive(&talk), FEED_WELCOME);
	struct feed_frame batch = {
		.type = FEED_BATCH, .sequence = 1, .records = records, .record_count = 1};
	assert_int_equal(feed_send(talk.fd, &batch, &talk.out, &talk.err), 0);
	assert_int_equal(feedserver_drain(talk.server, &talk.err), 0);
	assert_int_equal(talk.batches, 1);
	feedserver_confirm(talk.server);
	feedserver_close(talk.server, "stopping");
	talk.server = NULL;
	assert_int_equal(receive(&talk), FEED_COMMITTED);
	assert_int_equal(receive(&talk), FEED_ERROR);
	assert_int_equal(talk.frame.code, ERR_AGAIN);
	talk_done(&talk);
}

static void live_socket_is_not_taken(void **state)
{
	/* a second server on the same path is ERR_IO, and the first goes on */
	struct talk talk;
	struct feedserver *other = NULL;
	(void)state;
	talk_init(&talk);
	struct feedserver_options options = {.loop = talk.loop,
					     .path = fixture_path(&talk.fixture, "feed.sock"),
					     .handlers = &handlers,
					     .owner = &talk};
	assert_int_equal(feedserver_open(&options, &other, &talk.err), -ERR_IO);
	send_hello(&talk, "a");
	assert_int_equal(receive(&talk), FEED_WELCOME);
	talk_done(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_waits_for_confirm),
		cmocka_unit_test(torn_frames_are_put_together),
		cmocka_unit_test(alerts_go_out_as_far_as_they_are_taken),
		cmocka_unit_test(receipts_come_behind_hello),
		cmocka_unit_test(anchored_comes_behind_hello),
		cmocka_unit_test(rules_are_kept),
		cmocka_unit_test(wrong_version_is_told),
		cmocka_unit_test(handler_decides),
		cmocka_unit_test(peer_that_leaves),
		cmocka_unit_test(drain_takes_what_lies_there),
		cmocka_unit_test(live_socket_is_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
