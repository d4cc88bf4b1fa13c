#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/output.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static void test_writes(void **state)
{
	/* Proves: text arrives whole, colours only where they are shown, and a reader that left is ERR_GONE, kept. */
	(void)state;
	int ends[2];
	char got[64];
	struct output output;
	struct error err;
	assert_int_equal(pipe(ends), 0);
	output_init(&output, ends[1], NULL);
	output_style(&output, STYLE_BAD);
	output_safe(&output, STR_LIT("a\033b"));
	output.color = true;
	output_style(&output, STYLE_NONE);
	output_row_done(&output); /* too little to be written */
	assert_int_equal(output.text.len, 12);
	assert_int_equal(output_flush(&output, &err), 0);
	assert_int_equal(read(ends[0], got, sizeof(got)), 12);
	assert_memory_equal(got, "a\\u{1b}b\033[0m", 12);
	assert_int_equal(close(ends[0]), 0);
	buf_put_text(&output.text, "x");
	assert_int_equal(output_flush(&output, &err), -ERR_GONE);
	assert_int_equal(err.code, ERR_GONE);
	buf_put_text(&output.text, "y");
	assert_int_equal(output_flush(&output, NULL), -ERR_GONE);
	output_done(&output);
	assert_int_equal(close(ends[1]), 0);
}

static void test_large(void **state)
{
	/* Proves: much text is written before the end. */
	(void)state;
	struct output output;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	output_init(&output, fd, NULL);
	buf_put_fill(&output.text, 'x', 1u << 20);
	output_row_done(&output);
	assert_int_equal(output.text.len, 0);
	assert_int_equal(output.failure.code, 0);
	output_done(&output);
	assert_int_equal(close(fd), 0);
	output_init(&output, fd, NULL);
	buf_put_text(&output.text, "x");
	assert_int_equal(output_flush(&output, NULL), -ERR_IO);
	output_done(&output);
}

int main(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGPIPE, &ignore, NULL);
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_writes),
					   cmocka_unit_test(test_large)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
