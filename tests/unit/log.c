/* A log line has its time, program, subject and level, and nothing hostile in it. */
#include "base/log.h"

#include "base/buf.h"

#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Runs the writer with stderr going into a pipe and gives what was written. */
static void capture(void (*write_lines)(void), struct buf *out)
{
	int pipes[2];
	char bytes[4096];
	assert_int_equal(pipe(pipes), 0);
	int kept = dup(STDERR_FILENO);
	assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
	write_lines();
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	(void)close(pipes[1]);
	ssize_t got;
	while ((got = read(pipes[0], bytes, sizeof(bytes))) > 0) {
		buf_put(out, bytes, (size_t)got);
	}
	(void)close(pipes[0]);
	(void)close(kept);
}

static void write_two(void)
{
	(void)unsetenv("JOURNAL_STREAM");
	log_open("prog", "api");
	log_set_level(LOG_LEVEL_INFO);
	log_write(LOG_LEVEL_WARNING, "x", "a\x1b[31m\nb %d", 5);
	log_write(LOG_LEVEL_DEBUG, "x", "not shown");
	struct error err = {0};
	(void)error_set(&err, ERR_IO, "disk full");
	log_error(LOG_LEVEL_ERROR, "x", &err);
}

/* Lines above the level are dropped; escapes and newlines are written out. */
static void test_lines(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	capture(write_two, &out);
	struct str rest = buf_str(&out);
	struct str first = str_split(&rest, '\n');
	struct str second = str_split(&rest, '\n');
	assert_true(str_has_suffix(first, STR_LIT("Z prog[api] warning: a\\u{1b}[31m\\nb 5")));
	assert_true(str_has_suffix(second, STR_LIT("Z prog[api] error: disk full")));
	assert_int_equal(rest.len, 0);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
