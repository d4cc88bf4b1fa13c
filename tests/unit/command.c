#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/command.h"

#include <string.h>

static int check(const char *const *words, struct error *err)
{
	const char *argv[8] = {"querytrail"};
	const struct command *command;
	int argc = 1;
	while (words[argc - 1] != NULL) {
		argv[argc] = words[argc - 1];
		argc++;
	}
	return command_check_served(argc, (char *const *)argv, &command, err);
}

static void test_served(void **state)
{
	/* Proves: serve runs what reads the store and nothing that could name another path, write, or start programs. */
	(void)state;
	static const char *const good[][3] = {{"who", "user:x"},   {"show", "x"},
					      {"status"},          {"coverage"},
					      {"export", "--raw"}, {"report", "pci"}};
	static const char *const denied[][5] = {{"import", "x"},
						{"config", "show"},
						{"demo"},
						{"who", "--store", "/x"},
						{"who", "--store=/x"},
						{"who", "--config", "/x"},
						{NULL},
						{"help"},
						{"report", "pci", "--output=/x"},
						{"report", "pci", "-o", "/x"},
						{"report", "pci", "--reports=/x"},
						{"who", "--help"}};
	struct error err;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(check(good[i], &err), 0);
	}
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		assert_int_equal(check(denied[i], &err), -ERR_AUTH);
	}
	static const char *const wrong[] = {"whoo", NULL};
	assert_int_equal(check(wrong, &err), -ERR_USAGE);
	assert_string_equal(err.text, "unknown command \"whoo\"; did you mean \"who\"?");
}

static void test_table(void **state)
{
	/* Proves: each command is found by its name, and has help, a function and no option of its own twice. */
	(void)state;
	size_t count;
	const struct command *commands = command_table(&count);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(command_find(commands[i].name), &commands[i]);
		assert_non_null(commands[i].run);
		assert_true(strlen(commands[i].summary) > 10 && strlen(commands[i].summary) < 80);
		assert_true((commands[i].options & OPTIONS_ALWAYS) == OPTIONS_ALWAYS);
		assert_true((commands[i].flags & COMMAND_SERVED) == 0 ||
			    (commands[i].flags & COMMAND_STORE) != 0 ||
			    commands[i].run == cmd_report); /* it opens the store itself */
	}
	assert_null(command_find("nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_served),
					   cmocka_unit_test(test_table)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
