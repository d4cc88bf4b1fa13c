#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "tests/unit/ask.h"
#include "tests/unit/store-folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define RULE(id, examples)                                                                  \
	"title: Title " id "\nid: " id "\nlogsource:\n  product: mssql\ndetection:\n  s:\n" \
	"    server: a\n  condition: s\n" examples
#define EXAMPLE(fires, event) "    - {fires: " fires ", event: {" event "}}\n"
#define EXAMPLES              "querytrail:\n  examples:\n"
#define GOOD                  RULE("good", EXAMPLES EXAMPLE("true", "server: a") EXAMPLE("false", "server: b"))
#define BAD                                                                             \
	RULE("bad", EXAMPLES EXAMPLE("true", "server: b") EXAMPLE("false", "server: a") \
			    EXAMPLE("true", "servr: a"))

struct desk {
	char dir[40];
	struct asked asked;
};

/* Asks `rules ACTION` about a folder with these two files (NULL: none). */
static void ask_rules(struct desk *desk, const char *action, const char *one, const char *other)
{
	char path[60];
	const char *const words[] = {"rules", action, desk->dir, NULL};
	(void)snprintf(desk->dir, sizeof(desk->dir), "/tmp/querytrail-rules-XXXXXX");
	assert_non_null(mkdtemp(desk->dir));
	(void)snprintf(path, sizeof(path), "%s/a.yml", desk->dir);
	assert_true(one == NULL || io_replace_file(path, str_of(one), 0600, NULL) == 0);
	(void)snprintf(path, sizeof(path), "%s/b.yml", desk->dir);
	assert_true(other == NULL || io_replace_file(path, str_of(other), 0600, NULL) == 0);
	ask(&desk->asked, NULL, words, 0);
}

static void desk_done(struct desk *desk)
{
	asked_done(&desk->asked);
	store_folder_remove(desk->dir);
}

static void check_tells_each_rule(void **state)
{
	/* good rules are ok and status 0; a bad one is an error with its place and status 78, and the others are still told */
	struct desk desk;
	(void)state;
	ask_rules(&desk, "check", RULE("good", ""), NULL);
	assert_int_equal(desk.asked.status, EXIT_FOUND);
	assert_true(asked_said(&desk.asked, "1 rule ok, 0 idle, 0 disabled, 0 errors\n"));
	desk_done(&desk);
	ask_rules(&desk, "check", RULE("good", ""),
		  "title: b\nid: b\nlogsource:\n  product: mssql\ndetection:\n  s:\n    servr: a\n"
		  "  condition: s\n");
	assert_int_equal(desk.asked.status, 78);
	assert_true(asked_said(&desk.asked, "Title good"));
	assert_true(asked_said(&desk.asked, "b.yml:7"));
	assert_true(asked_said(&desk.asked, "did you mean \"server\"?"));
	assert_true(asked_said(&desk.asked, "1 rule ok, 0 idle, 0 disabled, 1 error\n"));
	desk_done(&desk);
}

static void problems_stand_in_order(void **state)
{
	/* by file, then line, whichever part of the compiler found them */
	struct desk desk;
	(void)state;
	ask_rules(&desk, "check",
		  "title: a\nid: a\nlogsource:\n  product: mssql\ndetection:\n  s:\n    servr: a\n"
		  "  condition: s\n---\ntitle: c\nid: c\nlogsource: {product: mssql}\n",
		  "title: b\nid: b\ndetection: 7\n");
	struct str out = buf_str(&desk.asked.out);
	ptrdiff_t compiled = str_find(out, STR_LIT("a.yml:7"), 0);
	ptrdiff_t read = str_find(out, STR_LIT("a.yml:1"), 0);
	ptrdiff_t other = str_find(out, STR_LIT("b.yml:"), 0);
	assert_true(compiled >= 0 && read > compiled && other > read);
	desk_done(&desk);
}

static void examples_are_counted(void **state)
{
	/* as expected: status 0; one that should fire and does not, and one that should not and does: told, status 2 */
	struct desk desk;
	(void)state;
	ask_rules(&desk, "test", GOOD, RULE("none", ""));
	assert_int_equal(desk.asked.status, EXIT_FOUND);
	assert_true(asked_said(&desk.asked, "2 rules, 2 examples: 2 as expected, 0 not; 1 rule "
					    "without examples, 0 errors\n"));
	desk_done(&desk);
	ask_rules(&desk, "test", BAD, NULL);
	assert_int_equal(desk.asked.status, EXIT_ERROR);
	assert_true(asked_said(&desk.asked, "it should fire and does not"));
	assert_true(asked_said(&desk.asked, "it fires and should not"));
	assert_true(asked_said(&desk.asked, "no field \"servr\""));
	assert_true(asked_said(&desk.asked, "0 as expected, 3 not"));
	desk_done(&desk);
}

static void list_leaves_bad_ones_out(void **state)
{
	/* good rules are listed; that others were left out is told on the messages, with status 78 */
	struct desk desk;
	(void)state;
	ask_rules(&desk, "list", RULE("good", ""), NULL);
	assert_int_equal(desk.asked.status, EXIT_FOUND);
	assert_int_equal(desk.asked.err.len, 0);
	desk_done(&desk);
	ask_rules(&desk, "list", RULE("good", ""), "title: b\nid: b\ndetection: 7\n");
	assert_int_equal(desk.asked.status, 78);
	assert_true(asked_said(&desk.asked, "Title good"));
	assert_true(asked_said(&desk.asked, "1 rules are bad and not listed"));
	desk_done(&desk);
}

static void wrong_actions_and_folders(void **state)
{
	/* an unknown action names those there are; a folder that is not there is an error */
	static const char *const words[] = {"rules", "check", "/nonexistent/rules", NULL};
	struct desk desk;
	struct asked asked;
	(void)state;
	ask_rules(&desk, "chek", NULL, NULL);
	assert_int_equal(desk.asked.status, EXIT_ERROR);
	assert_true(asked_said(&desk.asked, "there are check, list and test"));
	desk_done(&desk);
	ask(&asked, NULL, words, 0);
	assert_true(asked.status == 78 || asked.status == EXIT_ERROR);
	assert_true(asked_said(&asked, "/nonexistent/rules"));
	asked_done(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_tells_each_rule),
		cmocka_unit_test(problems_stand_in_order),
		cmocka_unit_test(examples_are_counted),
		cmocka_unit_test(list_leaves_bad_ones_out),
		cmocka_unit_test(wrong_actions_and_folders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
