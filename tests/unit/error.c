/* Errors keep their code, their sentence, and nothing that acts on a terminal. */
#include "base/error.h"

#include <errno.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A set error returns the negative code and holds the sentence. */
static void test_set(void **state)
{
	(void)state;
	struct error err = {0};
	assert_int_equal(error_set(&err, ERR_INPUT, "line %d", 7), -ERR_INPUT);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.text, "line 7");
	assert_int_equal(error_set(NULL, ERR_GONE, "x"), -ERR_GONE);
	error_clear(&err);
	assert_int_equal(err.code, 0);
	assert_string_equal(err.text, "");
}

/* A prefix keeps the code and stands in front. */
static void test_prefix(void **state)
{
	(void)state;
	struct error err = {0};
	error_prefix(&err, "nothing");
	assert_int_equal(err.code, 0);
	error_prefix(NULL, "nothing");
	(void)error_set(&err, ERR_IO, "disk full");
	error_prefix(&err, "source %s", "api");
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.text, "source api: disk full");
}

/* errno chooses the code and adds the system's words. */
static void test_errno(void **state)
{
	(void)state;
	struct error err = {0};
	errno = ENOENT;
	assert_int_equal(error_errno(&err, "open %s", "/x"), -ERR_IO);
	assert_string_equal(err.text, "open /x: No such file or directory");
	errno = ENOMEM;
	assert_int_equal(error_errno(&err, "x"), -ERR_NOMEM);
	errno = EAGAIN;
	assert_int_equal(error_errno(&err, "x"), -ERR_AGAIN);
}

/* Escapes, invalid UTF-8, C1 and bidi controls of a text from outside are written out; good text stays. */
static void test_hostile(void **state)
{
	(void)state;
	struct error err = {0};
	(void)error_set(&err, ERR_INPUT, "%s",
			"a\x1b[31m\nb\x7f\xff\xc2\x9b\xe2\x80\xae\xed\xa0\x80z");
	assert_string_equal(err.text,
			    "a\\x1b[31m\\x0ab\\x7f\\xff\\xc2\\x9b\\xe2\\x80\\xae\\xed\\xa0\\x80z");
	(void)error_set(&err, ERR_INPUT, "%s", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
	assert_string_equal(err.text, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
}

/* A long sentence is cut at a character, not inside one. */
static void test_long(void **state)
{
	(void)state;
	char text[3 * ERROR_TEXT_MAX];
	for (size_t i = 0; i + 2 < sizeof(text); i += 2) {
		memcpy(text + i, "\xc3\xbc", 2);
	}
	text[sizeof(text) - 2] = '\0';
	struct error err = {0};
	(void)error_set(&err, ERR_INPUT, "%s", text);
	size_t len = strlen(err.text);
	assert_true(len < ERROR_TEXT_MAX && len > ERROR_TEXT_MAX - 8);
	assert_memory_equal(err.text + len - 2, "\xc3\xbc", 2);
}

/* Names and exit statuses come from the table. */
static void test_table(void **state)
{
	(void)state;
	assert_string_equal(error_name(ERR_CONFIG), "CONFIG");
	assert_string_equal(error_name(-ERR_CONFIG), "CONFIG");
	assert_string_equal(error_name(999), "UNKNOWN");
	assert_int_equal(error_exit_status(ERR_CONFIG), 78);
	assert_int_equal(error_exit_status(-ERR_AUTH), 4);
	assert_int_equal(error_exit_status(ERR_IO), 2);
	assert_int_equal(error_exit_status(999), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),   cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_errno), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long),  cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
