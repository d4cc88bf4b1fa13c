/* Children are found, started without a shell, waited for and stopped. */
#include "base/process.h"

#include "base/io.h"

#include <signal.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct process start(const char *script, bool pipe_in, bool pipe_out)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct process_start how = {.path = "/bin/sh",
				    .argv = argv,
				    .pipe_in = pipe_in,
				    .pipe_out = pipe_out,
				    .out_fd = -1,
				    .err_fd = -1};
	struct process process;
	struct error err = {0};
	assert_int_equal(process_start(&how, &process, &err), 0);
	return process;
}

/* What goes in comes out, and the exit status is told. */
static void test_pipes(void **state)
{
	(void)state;
	struct process process = start("read line; echo \"got $line\"; exit 7", true, true);
	char bytes[8];
	int status = 0;
	assert_int_equal(io_write_all(process.in_fd, STR_LIT("abc\n"), NULL), 0);
	assert_int_equal(io_read_exact(process.out_fd, bytes, 8, NULL), 0);
	assert_memory_equal(bytes, "got abc\n", 8);
	assert_true(process_wait(&process, -1, &status));
	assert_int_equal(status, 7);
	assert_int_equal(process_stop(&process, 0), 0);
}

/* Waiting has its limit; a child that ignores SIGTERM is killed. */
static void test_stop(void **state)
{
	(void)state;
	struct process process =
		start("trap '' TERM; echo up; while :; do sleep 0.05; done", false, true);
	char bytes[3];
	assert_int_equal(io_read_exact(process.out_fd, bytes, 3, NULL), 0);
	assert_false(process_wait(&process, 10, NULL));
	assert_int_equal(process_stop(&process, 50), 128 + SIGKILL);
	process = start("exec sleep 60", false, false);
	assert_int_equal(process_stop(&process, 2000), 128 + SIGTERM);
	assert_int_equal(process.pid, -1);
}

/* The child has only its three descriptors. */
static void test_descriptors(void **state)
{
	(void)state;
	struct process process = start("ls /proc/self/fd | wc -l", false, true);
	char bytes[2];
	assert_int_equal(io_read_exact(process.out_fd, bytes, 2, NULL), 0);
	assert_memory_equal(bytes, "4\n", 2); /* 0, 1, 2 and the folder that ls reads */
	assert_true(process_wait(&process, -1, NULL));
	assert_int_equal(process_stop(&process, 0), 0);
}

/* A program is found by the environment's folders first; an unknown one is GONE by name; one that can't run ends with 127. */
static void test_find(void **state)
{
	(void)state;
	struct buf path;
	struct error err = {0};
	buf_init(&path, 0);
	assert_int_equal(setenv("QUERYTRAIL_LIBEXEC", "/nonexistent:/bin", 1), 0);
	assert_int_equal(process_find("sh", &path, &err), 0);
	assert_string_equal(path.ptr, "/bin/sh");
	assert_int_equal(process_find("querytrail-nothing", &path, &err), -ERR_GONE);
	assert_non_null(strstr(err.text, "querytrail-nothing"));
	assert_int_equal(unsetenv("QUERYTRAIL_LIBEXEC"), 0);
	const char *argv[] = {"x", NULL};
	struct process_start how = {
		.path = "/nonexistent/x", .argv = argv, .out_fd = -1, .err_fd = -1};
	struct process process;
	int status = 0;
	assert_int_equal(process_start(&how, &process, &err), 0);
	assert_true(process_wait(&process, -1, &status));
	assert_int_equal(status, 127);
	buf_done(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipes),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_find),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
