#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/version.h"
#include "tests/unit/ask.h"

static void version_is_one_line(void **state)
{
	/* the command and the option say the same, in the form that scripts read, and need no store */
	static const char *const word[] = {"version", NULL};
	static const char *const option[] = {"--version", NULL};
	const char *const *const asks[] = {word, option};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct asked asked;
		ask(&asked, NULL, asks[i], 0);
		assert_int_equal(asked.status, EXIT_FOUND);
		assert_true(str_is(buf_str(&asked.out), "querytrail " QUERYTRAIL_VERSION "\n"));
		assert_int_equal(asked.err.len, 0);
		asked_done(&asked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(version_is_one_line)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
