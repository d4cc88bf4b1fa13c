#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/option.h"

#include <stdio.h>

static struct option_line line;

static int parse(const char *command, uint64_t accepted, const char *const *words,
		 struct error *err)
{
	const char *argv[16] = {"querytrail"};
	int argc = 1;
	while (words[argc - 1] != NULL) {
		argv[argc] = words[argc - 1];
		argc++;
	}
	struct option_input input = {argc, (char *const *)argv, accepted, command};
	return option_parse(&input, &line, err);
}

static void test_order(void **state)
{
	/* Proves: options stand anywhere, with = or apart; one dash is a word of the filter; behind -- all are words. */
	(void)state;
	const char *const words[] = {"who", "--limit=3", "-app:etl", "--since", "2h", "user:x",
				     "-h",  "--",        "--limit",  "-h",      NULL};
	assert_int_equal(parse(NULL, 0, words, NULL), 0);
	assert_string_equal(line.value[OPTION_LIMIT], "3");
	assert_string_equal(line.value[OPTION_SINCE], "2h");
	assert_non_null(line.value[OPTION_HELP]);
	assert_null(line.value[OPTION_UNTIL]);
	assert_int_equal(line.word_count, 5);
	assert_string_equal(line.word[1], "-app:etl");
	assert_string_equal(line.word[3], "--limit");
}

static void test_errors(void **state)
{
	/* Proves: each mistake is ERR_USAGE with what was meant. */
	(void)state;
	static const struct {
		const char *words[4];
		const char *want;
	} cases[] = {
		{{"--sinse", "2h"}, "unknown option --sinse; did you mean --since?"},
		{{"--zzzzzzzzz"}, "unknown option --zzzzzzzzz; \"querytrail help who\" lists them"},
		{{"--origin"}, "--origin does not go with \"querytrail who\""},
		{{"--json=1"}, "--json takes no value"},
		{{"--limit"}, "--limit needs a value: --limit N"},
		{{"--limit", "1", "--limit=2"}, "--limit is given twice"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err;
		uint64_t accepted = OPTION_BIT(OPTION_LIMIT) | OPTION_BIT(OPTION_JSON) |
				    OPTION_BIT(OPTION_SINCE);
		assert_int_equal(parse("who", accepted, cases[i].words, &err), -ERR_USAGE);
		assert_string_equal(err.text, cases[i].want);
	}
}

static void test_help(void **state)
{
	/* Proves: every option has a line of help with its name, and only those asked for are shown. */
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	option_put_help(UINT64_MAX, &out);
	for (int id = 0; id < OPTION_COUNT; id++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "  --%s", option_name((enum option_id)id));
		assert_true(str_find(buf_str(&out), str_of(name), 0) >= 0);
	}
	buf_clear(&out);
	option_put_help(OPTION_BIT(OPTION_TZ), &out);
	assert_true(str_has_prefix(buf_str(&out), STR_LIT("  --tz ZONE ")));
	assert_int_equal(str_find(buf_str(&out), STR_LIT("--limit"), 0), -1);
	buf_done(&out);
}

static void test_too_many(void **state)
{
	/* Proves: more words than fit are refused. */
	(void)state;
	static const char *argv[OPTION_WORDS_MAX + 3];
	for (size_t i = 0; i < OPTION_WORDS_MAX + 2; i++) {
		argv[i] = "x";
	}
	struct option_input input = {OPTION_WORDS_MAX + 2, (char *const *)argv, 0, NULL};
	assert_int_equal(option_parse(&input, &line, NULL), -ERR_USAGE);
	input.argc--;
	assert_int_equal(option_parse(&input, &line, NULL), 0);
}

static void test_formats(void **state)
{
	/* Proves: a command that makes several files takes --format several times, others once; -o is --output where a command has it, else a
	 * word. */
	(void)state;
	const char *const argv[] = {"querytrail", "report", "--format",    "html",
				    "-o",         "x",      "--format=pdf"};
	struct option_input input = {.argc = 7,
				     .argv = (char *const *)argv,
				     .accepted =
					     OPTION_BIT(OPTION_FORMAT) | OPTION_BIT(OPTION_OUTPUT),
				     .command = "report",
				     .many_formats = true};
	struct error err;
	assert_int_equal(option_parse(&input, &line, &err), 0);
	assert_int_equal(line.format_count, 2);
	assert_string_equal(line.format[0], "html");
	assert_string_equal(line.format[1], "pdf");
	assert_string_equal(line.value[OPTION_OUTPUT], "x");
	input.many_formats = false;
	assert_int_equal(option_parse(&input, &line, &err), -ERR_USAGE);
	assert_string_equal(err.text, "--format is given twice");
	input.accepted = OPTION_BIT(OPTION_FORMAT);
	input.argc = 6;
	assert_int_equal(option_parse(&input, &line, &err), 0);
	assert_string_equal(line.word[1], "-o");
	const char *const cut[] = {"querytrail", "report", "-o"};
	input = (struct option_input){3, (char *const *)cut, OPTION_BIT(OPTION_OUTPUT), "report",
				      true};
	assert_int_equal(option_parse(&input, &line, &err), -ERR_USAGE);
	assert_string_equal(err.text, "-o needs a value: -o PATH");
	const char *const many[] = {"q",          "--format=a", "--format=a", "--format=a",
				    "--format=a", "--format=a", "--format=a", "--format=a",
				    "--format=a", "--format=a"};
	input = (struct option_input){10, (char *const *)many, OPTION_BIT(OPTION_FORMAT), "report",
				      true};
	assert_int_equal(option_parse(&input, &line, &err), -ERR_USAGE);
	assert_non_null(strstr(err.text, "more than 8 times"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),   cmocka_unit_test(test_errors),
		cmocka_unit_test(test_help),    cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
