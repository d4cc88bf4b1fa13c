#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "model/options.h"
#include "tests/unit/ask.h"

#include <stdio.h>
#include <stdlib.h>

/* Asks with a configuration file of this text, as the last word ("" for the place of its name); asked must be done. */
static void ask_of(struct asked *asked, const char *text, const char *action, const char *option)
{
	char path[] = "/tmp/querytrail-config-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd); /* written anew */
	assert_int_equal(io_replace_file(path, str_of(text), 0600, NULL), 0);
	const char *words[] = {"config", action, path, option, NULL};
	ask(asked, NULL, words, 0);
	assert_int_equal(unlink(path), 0);
}

static void good_one_is_told(void **state)
{
	/* check of a file named as a word: how many sources, status 0, nothing on the messages */
	struct asked asked;
	(void)state;
	ask_of(&asked,
	       "sources:\n  a:\n    type: file\n    content: access-log\n    files: [/dev/null]\n",
	       "check", NULL);
	assert_int_equal(asked.status, EXIT_FOUND);
	assert_true(asked_said(&asked, ": good, 1 sources\n"));
	assert_int_equal(asked.err.len, 0);
	asked_done(&asked);
}

static void every_problem_is_told(void **state)
{
	/* each with its place, in order, then the summary; status 78, from show too */
	static const char *const actions[] = {"check", "show"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct asked asked;
		ask_of(&asked, "log_level: loud\nnosuch: 1\ndaemon:\n  silence_limit: nine\n",
		       actions[i], NULL);
		assert_int_equal(asked.status, 78);
		assert_true(asked_said(&asked, ":1:12: "));
		assert_true(asked_said(&asked, ":2:1: "));
		assert_true(asked_said(&asked, ":4:18: "));
		assert_true(asked_said(&asked, " is not valid\n"));
		assert_int_equal(asked.out.len, 0);
		asked_done(&asked);
	}
}

static void problems_are_safe_to_show(void **state)
{
	/* what stands in the file moves no cursor */
	struct asked asked;
	(void)state;
	ask_of(&asked, "log_level: \"\\e[31mloud\"\n", "check", NULL);
	assert_int_equal(asked.status, 78);
	assert_true(str_find_byte(buf_str(&asked.err), '\x1b', 0) < 0);
	assert_true(asked_said(&asked, "[31mloud"));
	asked_done(&asked);
}

static void shown_one_can_be_read_again(void **state)
{
	/* show gives a configuration that holds what was set and the defaults; --origin says where each stands */
	struct asked asked;
	struct config *config = NULL;
	(void)state;
	ask_of(&asked, "log_level: error\n", "show", NULL);
	assert_int_equal(asked.status, EXIT_FOUND);
	const struct config_input input = {"shown", buf_str(&asked.out)};
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, NULL), 0);
	assert_string_equal(config_text(config, "", "log_level"), "error");
	assert_false(asked_said(&asked, ":1:12"));
	config_free(config);
	asked_done(&asked);
	ask_of(&asked, "log_level: error\n", "show", "--origin");
	assert_true(asked_said(&asked, ":1:12"));
	asked_done(&asked);
}

static void sample_is_a_configuration(void **state)
{
	/* sample needs no file; all that it lacks to be a configuration are the values that only its owner knows */
	static const char *const words[] = {"config", "sample", NULL};
	static const char *const wrong[] = {"config", "chek", NULL};
	struct asked asked;
	struct config *config = NULL;
	struct buf report;
	struct error err;
	(void)state;
	ask(&asked, NULL, words, 0);
	assert_int_equal(asked.status, EXIT_FOUND);
	const struct config_input input = {"sample", buf_str(&asked.out)};
	buf_init(&report, 1 << 20);
	assert_int_equal(config_parse(options_schema(), &input, &config, &report, &err),
			 -ERR_CONFIG);
	for (struct str rest = buf_str(&report); rest.len > 0;) {
		struct str line = str_split(&rest, '\n');
		if (!str_has_suffix(line, STR_LIT(" should be a text")) &&
		    !str_has_suffix(line, STR_LIT(" should hold texts"))) {
			fail_msg("%.*s", STR_ARG(line));
		}
	}
	buf_done(&report);
	asked_done(&asked);
	ask(&asked, NULL, wrong, 0);
	assert_int_equal(asked.status, EXIT_ERROR);
	assert_true(asked_said(&asked, "there are check, show and sample"));
	asked_done(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_one_is_told),
		cmocka_unit_test(every_problem_is_told),
		cmocka_unit_test(problems_are_safe_to_show),
		cmocka_unit_test(shown_one_can_be_read_again),
		cmocka_unit_test(sample_is_a_configuration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
