/* query/session.c; tests/unit/session.c is that of the join. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/session.h"
#include "tests/golden/story-store.h"

static struct surroundings pipe_of_a_script(void)
{
	return (struct surroundings){.out_fd = -1, .err_fd = -1, .now_ns = STORY_NOW_NS, .tz = ""};
}

static void test_look(void **state)
{
	/* Proves: colours need a terminal and no --no-color; --width wins over the terminal's, 40 is the least, 0 stays none; a bad
	 * width or zone is ERR_USAGE. */
	(void)state;
	static const struct {
		bool terminal;
		const char *no_color, *width, *tz;
		int result;
		bool color;
		size_t columns;
	} cases[] = {
		{true, NULL, NULL, NULL, 0, true, 90},   {true, "", NULL, NULL, 0, false, 90},
		{false, NULL, NULL, NULL, 0, false, 90}, {true, NULL, "120", NULL, 0, true, 120},
		{true, NULL, "7", NULL, 0, true, 40},    {true, NULL, "0", NULL, 0, true, 0},
		{true, NULL, "x", NULL, -ERR_USAGE},     {true, NULL, NULL, "No/Where", -ERR_USAGE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct surroundings surroundings = pipe_of_a_script();
		struct session session = {0};
		struct error err;
		surroundings.out_is_terminal = cases[i].terminal;
		surroundings.color = true;
		surroundings.width = 90;
		session.line.value[OPTION_NO_COLOR] = cases[i].no_color;
		session.line.value[OPTION_WIDTH] = cases[i].width;
		session.line.value[OPTION_TZ] = cases[i].tz;
		assert_int_equal(session_init(&session, &surroundings, &err), cases[i].result);
		if (cases[i].result == 0) {
			assert_int_equal(session.out.color, cases[i].color);
			assert_int_equal(session.out.width, cases[i].columns);
		}
		session_done(&session);
	}
}

static void test_range(void **state)
{
	/* Proves: without bounds everything is asked for; --since must lie before --until; a bad time is told by its option. */
	(void)state;
	struct surroundings surroundings = pipe_of_a_script();
	struct session session = {0};
	struct error err;
	int64_t from_ns, to_ns;
	assert_int_equal(session_init(&session, &surroundings, &err), 0);
	assert_int_equal(session_range(&session, &from_ns, &to_ns, &err), 0);
	assert_true(from_ns == INT64_MIN && to_ns == INT64_MAX);
	session.line.value[OPTION_SINCE] = "2h";
	session.line.value[OPTION_UNTIL] = "now";
	assert_int_equal(session_range(&session, &from_ns, &to_ns, &err), 0);
	assert_int_equal(from_ns, STORY_NOW_NS - 2 * NS_PER_HOUR);
	assert_int_equal(to_ns, STORY_NOW_NS);
	session.line.value[OPTION_UNTIL] = "3h";
	assert_int_equal(session_range(&session, &from_ns, &to_ns, &err), -ERR_USAGE);
	session.line.value[OPTION_UNTIL] = "soon";
	assert_int_equal(session_range(&session, &from_ns, &to_ns, &err), -ERR_USAGE);
	assert_non_null(strstr(err.text, "--until"));
	session_done(&session);
}

static void test_store(void **state)
{
	/* Proves: serve's store wins over --store, that over QUERYTRAIL_STORE; a store that is not there is an error; a daemon runs
	 * behind serve, and where a process holds the store for writing. */
	(void)state;
	struct story_store world;
	struct surroundings surroundings = pipe_of_a_script();
	struct session session = {0};
	struct error err;
	story_store_init(&world, true, false);
	assert_int_equal(setenv("QUERYTRAIL_STORE", "/nonexistent/a", 1), 0);
	assert_int_equal(session_init(&session, &surroundings, &err), 0);
	assert_string_equal(session_store_dir(&session), "/nonexistent/a");
	assert_true(session_open_store(&session, &err) < 0);
	session.line.value[OPTION_STORE] = world.dir;
	assert_string_equal(session_store_dir(&session), world.dir);
	assert_int_equal(session_open_store(&session, &err), 0);
	assert_false(session_daemon_runs(&session));
	assert_int_equal(store_open(world.dir, STORE_CREATE, &world.store, &err), 0);
	assert_true(session_daemon_runs(&session));
	store_close(world.store);
	world.store = NULL;
	assert_false(session_daemon_runs(&session));
	surroundings.served = "/served";
	assert_string_equal(session_store_dir(&session), "/served");
	assert_true(session_daemon_runs(&session));
	session_done(&session);
	assert_int_equal(unsetenv("QUERYTRAIL_STORE"), 0);
	story_store_done(&world);
}

static void test_config(void **state)
{
	/* Proves: --config wins over QUERYTRAIL_CONFIG, that over the usual file; one that is not there is ERR_CONFIG. */
	(void)state;
	struct surroundings surroundings = pipe_of_a_script();
	struct session session = {0};
	struct error err;
	uint64_t number;
	assert_int_equal(session_init(&session, &surroundings, &err), 0);
	assert_int_equal(unsetenv("QUERYTRAIL_CONFIG"), 0);
	assert_string_equal(session_config_path(&session), SESSION_CONFIG_PATH);
	assert_int_equal(setenv("QUERYTRAIL_CONFIG", "/nonexistent/b", 1), 0);
	assert_string_equal(session_config_path(&session), "/nonexistent/b");
	session.line.value[OPTION_CONFIG] = "/nonexistent/c";
	assert_string_equal(session_config_path(&session), "/nonexistent/c");
	assert_int_equal(session_load_config(&session, NULL, &err), -ERR_CONFIG);
	assert_int_equal(session_number(&session, OPTION_LIMIT, 7, &number, &err), 0);
	assert_int_equal(number, 7);
	session.line.value[OPTION_LIMIT] = "-1";
	assert_int_equal(session_number(&session, OPTION_LIMIT, 7, &number, &err), -ERR_USAGE);
	session_done(&session);
	assert_int_equal(unsetenv("QUERYTRAIL_CONFIG"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look), cmocka_unit_test(test_range),
		cmocka_unit_test(test_store), cmocka_unit_test(test_config)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
