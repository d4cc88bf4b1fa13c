#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/fmt.h"
#include "tests/unit/ask.h"

static void every_command_is_helped(void **state)
{
	/* help lists each command with its summary, and `help COMMAND` and `COMMAND --help` say the same about each */
	static const char *const overview[] = {"help", NULL};
	struct asked all;
	size_t count;
	const struct command *commands = command_table(&count);
	(void)state;
	ask(&all, NULL, overview, 0);
	assert_int_equal(all.status, EXIT_FOUND);
	assert_int_equal(all.err.len, 0);
	assert_true(count > 10);
	for (size_t i = 0; i < count; i++) {
		const char *const by_help[] = {"help", commands[i].name, NULL};
		const char *const by_option[] = {commands[i].name, "--help", NULL};
		struct asked one, other;
		assert_true(asked_said(&all, commands[i].summary));
		if (strcmp(commands[i].name, "help") == 0) {
			continue;
		}
		ask(&one, NULL, by_help, 0);
		ask(&other, NULL, by_option, 0);
		assert_int_equal(one.status, EXIT_FOUND);
		assert_int_equal(other.status, EXIT_FOUND);
		assert_true(asked_said(&one, commands[i].summary));
		assert_true(asked_said(&one, "\nOptions\n"));
		assert_true(str_equal(buf_str(&one.out), buf_str(&other.out)));
		asked_done(&one);
		asked_done(&other);
	}
	asked_done(&all);
}

static void formats_are_of_who(void **state)
{
	/* the help of who names every format; that of show does not */
	static const char *const who[] = {"help", "who", NULL};
	static const char *const show[] = {"help", "show", NULL};
	struct asked asked;
	size_t count;
	const struct fmt_type *const *types = fmt_types(&count);
	(void)state;
	ask(&asked, NULL, who, 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(asked_said(&asked, types[i]->help));
	}
	asked_done(&asked);
	ask(&asked, NULL, show, 0);
	assert_false(asked_said(&asked, "\nFormats\n"));
	asked_done(&asked);
}

static void topics_have_two_names(void **state)
{
	/* filter, time and grade in singular and plural; an unknown one is an error that says where the list is */
	static const char *const pairs[][2] = {
		{"filter", "filters"}, {"time", "times"}, {"grade", "grades"}};
	static const char *const unknown[] = {"help", "nothing", NULL};
	struct asked asked;
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *const one[] = {"help", pairs[i][0], NULL};
		const char *const many[] = {"help", pairs[i][1], NULL};
		struct asked other;
		ask(&asked, NULL, one, 0);
		ask(&other, NULL, many, 0);
		assert_int_equal(asked.status, EXIT_FOUND);
		assert_true(asked.out.len > 300);
		assert_true(str_equal(buf_str(&asked.out), buf_str(&other.out)));
		asked_done(&asked);
		asked_done(&other);
	}
	ask(&asked, NULL, unknown, 0);
	assert_int_equal(asked.status, EXIT_ERROR);
	assert_int_equal(asked.out.len, 0);
	assert_true(asked_said(&asked, "there is no help for \"nothing\""));
	asked_done(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_command_is_helped),
					   cmocka_unit_test(formats_are_of_who),
					   cmocka_unit_test(topics_have_two_names)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
