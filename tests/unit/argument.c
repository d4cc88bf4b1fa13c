#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/argument.h"

static void test_join(void **state)
{
	/* Proves: what the shell unquoted is quoted again, and what is a filter already stays as it is. */
	(void)state;
	static const struct {
		const char *arguments[4];
		const char *want;
	} cases[] = {
		{{"user:alice", "rows>3"}, "user:alice rows>3"},
		{{"route:GET /orders/*"}, "route:\"GET /orders/*\""},
		{{"-route:GET /orders/*"}, "-route:\"GET /orders/*\""},
		{{"free text"}, "\"free text\""},
		{{"user:alice rows>3"}, "user:alice rows>3"},
		{{"a OR b"}, "a OR b"},
		{{"rows > 3"}, "rows > 3"},
		{{"route:\"GET /x\""}, "route:\"GET /x\""},
		{{"(user:a b)"}, "(user:a b)"},
		{{"host:D:\\a b"}, "host:\"D:\\\\a b\""},
		{{""}, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf buf;
		buf_init(&buf, 0);
		size_t count = 0;
		while (cases[i].arguments[count] != NULL) {
			count++;
		}
		argument_join((char *const *)cases[i].arguments, count, &buf);
		assert_true(str_is(buf_str(&buf), cases[i].want));
		buf_done(&buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_join)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
