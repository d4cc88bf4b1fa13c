#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/protocol.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_ask(void **state)
{
	/* Proves: a question comes back as it was; every cut of it, a NUL, a newer version and bytes behind it are ERR_INPUT. */
	(void)state;
	const char *const argv[] = {"querytrail", "who", "user:x y", "", NULL};
	struct ask ask = {.argv = (char *const *)argv,
			  .argc = 4,
			  .surroundings = {.width = 80,
					   .color = true,
					   .err_is_terminal = true,
					   .now_ns = -5,
					   .tz = "UTC"}};
	struct ask got;
	struct arena arena;
	struct buf payload;
	struct error err;
	arena_init(&arena, 1 << 20);
	buf_init(&payload, 0);
	ask_encode(&ask, &payload);
	assert_int_equal(ask_decode(buf_str(&payload), &arena, &got, &err), 0);
	assert_int_equal(got.argc, 4);
	assert_string_equal(got.argv[2], "user:x y");
	assert_string_equal(got.argv[3], "");
	assert_null(got.argv[4]);
	assert_int_equal(got.surroundings.width, 80);
	assert_true(got.surroundings.now_ns == -5);
	assert_true(got.surroundings.color && got.surroundings.err_is_terminal &&
		    !got.surroundings.out_is_terminal);
	for (size_t len = 0; len < payload.len; len++) {
		assert_int_equal(ask_decode(str_make(payload.ptr, len), &arena, &got, &err),
				 -ERR_INPUT);
	}
	buf_put_byte(&payload, 0);
	assert_int_equal(ask_decode(buf_str(&payload), &arena, &got, &err), -ERR_INPUT);
	buf_truncate(&payload, payload.len - 1);
	payload.ptr[payload.len - 3] = '\0';
	assert_int_equal(ask_decode(buf_str(&payload), &arena, &got, &err), -ERR_INPUT);
	payload.ptr[0] = 9;
	assert_int_equal(ask_decode(buf_str(&payload), &arena, &got, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "version"));
	arena_done(&arena);
	arena_init(&arena, 64);
	payload.ptr[0] = PROTOCOL_VERSION;
	payload.ptr[payload.len - 3] = 'x';
	assert_int_equal(ask_decode(buf_str(&payload), &arena, &got, &err), -ERR_LIMIT);
	arena_done(&arena);
	buf_done(&payload);
}

static void test_frames(void **state)
{
	/* Proves: frames cross a socket; a broken one, too large a one, the peer's end and its silence each have their error. */
	(void)state;
	int ends[2];
	struct buf buffer;
	enum protocol_type type;
	struct str payload;
	struct error err;
	buf_init(&buffer, PROTOCOL_FRAME_MAX + 16);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(protocol_send(ends[0], PROTOCOL_OUT, STR_LIT("rows"), &err), 0);
	assert_int_equal(protocol_send(ends[0], PROTOCOL_END, STR_LIT(""), &err), 0);
	assert_int_equal(protocol_receive(ends[1], &buffer, &type, &payload, &err), 0);
	assert_int_equal(type, PROTOCOL_OUT);
	assert_true(str_is(payload, "rows"));
	assert_int_equal(protocol_receive(ends[1], &buffer, &type, &payload, &err), 0);
	assert_int_equal(payload.len, 0);
	struct timeval soon = {0, 1000};
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	assert_int_equal(protocol_receive(ends[1], &buffer, &type, &payload, &err), -ERR_AGAIN);
	char *large = calloc(1, PROTOCOL_FRAME_MAX);
	assert_int_equal(
		protocol_send(ends[0], PROTOCOL_OUT, str_make(large, PROTOCOL_FRAME_MAX), &err),
		-ERR_LIMIT);
	free(large);
	static const char *const broken[] = {"\0\0\0\0\2", "\377\377\377\377\2", "\2\0\0\0\11",
					     "\2\0\0\0\0"};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(write(ends[0], broken[i], 5), 5);
		assert_int_equal(protocol_receive(ends[1], &buffer, &type, &payload, &err),
				 -ERR_INPUT);
	}
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(protocol_receive(ends[1], &buffer, &type, &payload, &err), -ERR_GONE);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(protocol_send(ends[1], PROTOCOL_OUT, STR_LIT("x"), &err), -ERR_IO);
	buf_done(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ask),
					   cmocka_unit_test(test_frames)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
