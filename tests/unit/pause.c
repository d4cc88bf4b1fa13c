#include "correlator/pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include <signal.h>
#include <string.h>

/* With room it is tried again at once, but for the moment that a broken disk would otherwise be asked without end. */
static void there_is_room(void **state)
{
	(void)state;
	struct error err;
	const struct pause pause = {"/", 0, NS_PER_MIN};
	int64_t start_ns = clock_monotonic_ns();
	assert_int_equal(pause_until_room(&pause, &err), 0);
	assert_true(clock_monotonic_ns() - start_ns >= PAUSE_LOOK_NS);
}

/* Without room it is tried again after the time for that: a quota does not show. */
static void there_is_none(void **state)
{
	(void)state;
	struct error err;
	const struct pause pause = {"/", INT64_MAX, 2 * PAUSE_LOOK_NS};
	int64_t start_ns = clock_monotonic_ns();
	assert_int_equal(pause_until_room(&pause, &err), 0);
	assert_true(clock_monotonic_ns() - start_ns >= 2 * PAUSE_LOOK_NS);
}

/* Whoever is asked to stop does not wait for room, and keeps the signals as they were. */
static void asked_to_stop(void **state)
{
	(void)state;
	static const int signals[] = {SIGTERM, SIGINT};
	sigset_t before, after, one;
	struct error err;
	const struct pause pause = {"/", INT64_MAX, 60 * NS_PER_MIN};
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sigemptyset(&one), 0);
		assert_int_equal(sigaddset(&one, signals[i]), 0);
		assert_int_equal(sigprocmask(SIG_BLOCK, &one, NULL), 0);
		assert_int_equal(raise(signals[i]), 0);
		assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &before), 0);
		assert_int_equal(pause_until_room(&pause, &err), -ERR_CANCELLED);
		assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &after), 0);
		assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
		assert_int_equal(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
	}
}

/* A folder that is gone is an error, not a wait. */
static void nowhere(void **state)
{
	(void)state;
	struct error err;
	const struct pause pause = {"/no/such/folder", 1, NS_PER_MIN};
	assert_int_equal(pause_until_room(&pause, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "/no/such/folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_room),
		cmocka_unit_test(there_is_none),
		cmocka_unit_test(asked_to_stop),
		cmocka_unit_test(nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
