/* The shared AWS files are read as AWS's own tools read them. */
#include "collector/sources/cloudwatch/awsfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char text[] = "; comment\n"
			   "stray = 1\n"
			   "[default]\n"
			   "aws_access_key_id = AKID1   \r\n"
			   "aws_secret_access_key=abc/def+ghi=\n"
			   "\n"
			   "# another comment = 1\n"
			   "[ work ]\n"
			   "Region = eu-north-1 # here\n"
			   "s3 =\n"
			   "  region = nested\n"
			   "password = a#b;c\n"
			   "region2 = one\n"
			   "region2 = two\n"
			   "[profile work]\n"
			   "region = prefixed\n"
			   "[profilework]\n"
			   "region = wrong\n"
			   "[work";

static void expect(const char *profile, bool prefixed, const char *key, const char *expected)
{
	struct str value = STR_LIT("untouched");
	bool found = awsfile_get(str_of(text), profile, prefixed, key, &value);

	if (found != (expected != NULL) ||
	    !str_is(value, expected != NULL ? expected : "untouched")) {
		fail_msg("%s.%s: %.*s", profile, key, STR_ARG(value));
	}
}

/* Values by section and key, with comments, line ends, nested lines, repeats and both styles of section names. */
static void test_values(void **state)
{
	(void)state;
	expect("default", false, "aws_access_key_id", "AKID1");
	expect("default", true, "aws_access_key_id", "AKID1");
	expect("default", false, "aws_secret_access_key", "abc/def+ghi=");
	expect("default", false, "stray", NULL);
	expect("work", false, "region", "eu-north-1");
	expect("work", false, "s3", "");
	expect("work", false, "password", "a#b;c");
	expect("work", false, "region2", "two");
	expect("work", true, "region", "prefixed");
	expect("other", false, "region", NULL);
	expect("work", false, "aws_access_key_id", NULL);
}

/* Whether a profile exists at all. */
static void test_has(void **state)
{
	(void)state;
	assert_true(awsfile_has(str_of(text), "default", false));
	assert_true(awsfile_has(str_of(text), "work", true));
	assert_false(awsfile_has(str_of(text), "wor", false));
	assert_false(awsfile_has((struct str){0}, "default", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),
					   cmocka_unit_test(test_has)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
