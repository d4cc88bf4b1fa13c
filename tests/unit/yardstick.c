#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/yardstick.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/yardstick-XXXXXX";

static int open_folder(void **state)
{
	struct store *store = NULL;
	struct error err;
	(void)snprintf(folder, sizeof(folder), "/tmp/yardstick-XXXXXX"); /* as long as it was */
	if (mkdtemp(folder) == NULL || store_open(folder, STORE_CREATE, &store, &err) != 0) {
		return -1;
	}
	*state = store;
	return 0;
}

static int close_folder(void **state)
{
	char command[64];
	store_close(*state);
	(void)snprintf(command, sizeof(command), "%s", folder); /* fits */
	const char *const argv[] = {"rm", "-rf", command, NULL};
	pid_t child = fork();
	if (child == 0) {
		(void)execv("/bin/rm", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return child > 0 ? 0 : -1;
}

static struct yardstick take(struct store *store, const struct join_options *options)
{
	struct yardstick yardstick = {0};
	struct error err;
	assert_int_equal(yardstick_take(&yardstick, store, options, &err), 0);
	return yardstick;
}

/* A new store was judged by nothing; once put, the same options are the same, and each other option is another. */
static void test_differs(void **state)
{
	struct store *store = *state;
	struct error err;
	const struct str logins[] = {STR_LIT("svc_crm")};
	const struct join_route_rule routes[] = {{STR_LIT("GET /x"), logins, 1}};
	const struct join_server_clock clocks[] = {{STR_LIT("db"), 5}};
	const struct join_server_clock more[] = {{STR_LIT("db"), 5}, {STR_LIT("other"), 0}};
	const struct join_options first = {.tolerance_ns = 1,
					   .slack_ns = 2,
					   .signing_key = STR_LIT("k"),
					   .routes = routes,
					   .route_count = 1,
					   .clocks = clocks,
					   .clock_count = 1,
					   .max_records = 100};
	struct yardstick yardstick = take(store, &first);
	assert_false(yardstick.differs || yardstick.stored);
	assert_int_equal(store_begin(store, 1, &err), 0);
	assert_int_equal(yardstick_put(&yardstick, store, &err), 0);
	assert_int_equal(store_commit(store, &err), 0);
	assert_true(yardstick.stored);
	struct join_options other = first;
	other.max_records = 7; /* decides nothing, nor does a clock that is right */
	other.clocks = more;
	other.clock_count = 2;
	yardstick = take(store, &other);
	assert_true(yardstick.stored && !yardstick.differs);
	other.tolerance_ns = 3;
	assert_true(take(store, &other).differs);
	other = first;
	other.signing_key = STR_LIT("l");
	assert_true(take(store, &other).differs);
	other = first;
	other.require_signature = true;
	assert_true(take(store, &other).differs);
	other = first;
	other.route_count = 0;
	assert_true(take(store, &other).differs);
	other = first;
	other.clock_count = 0;
	assert_true(take(store, &other).differs);
}

/* What is stored once is not written again, outside of a transaction neither. */
static void test_put_once(void **state)
{
	struct store *store = *state;
	struct error err;
	const struct join_options options = {.slack_ns = 9};
	struct yardstick yardstick = take(store, &options);
	assert_int_equal(store_begin(store, 1, &err), 0);
	assert_int_equal(yardstick_put(&yardstick, store, &err), 0);
	store_rollback(store);
	assert_false(take(store, &options).stored);
	assert_int_equal(yardstick_put(&yardstick, store, &err), 0);
	assert_false(take(store, &options).stored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_differs, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_put_once, open_folder, close_folder)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
