/* Files appear whole or not at all; sockets say what is wrong. */
#include "base/io.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	memcpy(folder, "/tmp/unit-io-XXXXXX", 20);
	return mkdtemp(folder) == NULL;
}

static const char *in_folder(struct buf *path, const char *name)
{
	buf_clear(path);
	buf_putf(path, "%s/%s", folder, name);
	return path->ptr;
}

/* A file is replaced whole, read back, and nothing is left beside it; a missing folder leaves nothing. */
static void test_replace(void **state)
{
	(void)state;
	struct buf path, text;
	struct error err = {0};
	buf_init(&path, 0);
	buf_init(&text, 0);
	assert_int_equal(io_replace_file(in_folder(&path, "a"), STR_LIT("one"), 0600, &err), 0);
	assert_int_equal(io_replace_file(path.ptr, STR_LIT("two"), 0600, &err), 0);
	assert_int_equal(io_read_file(path.ptr, 3, &text, &err), 0);
	assert_string_equal(text.ptr, "two");
	assert_int_equal(io_read_file(path.ptr, 2, &text, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.text, "more than 2 bytes"));
	assert_int_equal(io_replace_file(in_folder(&path, "no/a"), STR_LIT("x"), 0600, &err),
			 -ERR_IO);
	assert_int_equal(io_read_file(path.ptr, 2, &text, &err), -ERR_IO);
	(void)unlink(in_folder(&path, "a")); /* gone with the folder otherwise */
	assert_int_equal(rmdir(folder), 0);  /* nothing else was left */
	assert_int_equal(mkdir(folder, 0700), 0);
	buf_done(&path);
	buf_done(&text);
}

/* Folders are made with their parents; a file in the way is told. */
static void test_make_dir(void **state)
{
	(void)state;
	struct buf path;
	struct error err = {0};
	buf_init(&path, 0);
	assert_int_equal(io_make_dir(in_folder(&path, "x/y/z"), 0700, &err), 0);
	assert_int_equal(io_make_dir(path.ptr, 0700, &err), 0);
	assert_int_equal(io_replace_file(in_folder(&path, "x/f"), STR_LIT(""), 0600, &err), 0);
	assert_int_equal(io_make_dir(path.ptr, 0700, &err), -ERR_IO);
	assert_int_equal(io_make_dir(in_folder(&path, "x/f/g"), 0700, &err), -ERR_IO);
	buf_done(&path);
}

/* Exact reads say how much came before the end; writes to a closed peer are GONE. */
static void test_exact(void **state)
{
	(void)state;
	int pair[2];
	char bytes[8];
	struct error err = {0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(io_write_all(pair[0], STR_LIT("12345"), &err), 0);
	assert_int_equal(io_read_exact(pair[1], bytes, 3, &err), 0);
	struct timeval short_time = {.tv_usec = 1000};
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(io_read_exact(pair[1], bytes, 8, &err), -ERR_GONE);
	assert_non_null(strstr(err.text, "2 of 8"));
	(void)close(pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(
		setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time)), 0);
	assert_int_equal(io_read_exact(pair[1], bytes, 1, &err), -ERR_AGAIN);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* A live socket is not taken over, a stale one is; a path that is too long is a configuration error. */
static void test_unix(void **state)
{
	(void)state;
	struct buf path;
	struct error err = {0};
	int server = -1, client = -1, second = -1;
	buf_init(&path, 0);
	assert_int_equal(io_unix_connect(in_folder(&path, "s"), &client, &err), -ERR_IO);
	assert_int_equal(io_unix_listen(path.ptr, 0600, &server, &err), 0);
	assert_int_equal(io_unix_connect(path.ptr, &client, &err), 0);
	assert_int_equal(io_unix_listen(path.ptr, 0600, &second, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "another process listens"));
	(void)close(server);
	(void)close(client);
	assert_int_equal(io_unix_listen(path.ptr, 0600, &second, &err), 0);
	(void)close(second);
	buf_clear(&path);
	buf_put_fill(&path, 'x', 200);
	assert_int_equal(io_unix_connect(path.ptr, &client, &err), -ERR_CONFIG);
	buf_done(&path);
}

static int remove_folder(void **state)
{
	(void)state;
	static const char *const names[] = {"s", "x/f", "x/y/z", "x/y", "x", ""};
	struct buf path;
	buf_init(&path, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)remove(in_folder(
			&path, names[i])); /* what a failed test did not make is not there */
	}
	buf_done(&path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_make_dir),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_unix),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
