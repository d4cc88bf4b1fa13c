#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "correlator/spawn.h"
#include "tests/unit/store-fixture.h"

#include <sys/stat.h>

struct house {
	struct fixture fixture;
	struct loop *loop;
	struct spawn *spawn;
	struct error err;
	int ended, last_status;
	bool again;
};

static bool on_ended(void *owner, const char *name, int status)
{
	struct house *house = owner;
	assert_string_equal(name, "child");
	house->ended++;
	house->last_status = status;
	return house->again;
}

static void house_init(struct house *house, const char *script)
{
	memset(house, 0, sizeof *house);
	fixture_init(&house->fixture);
	const char *path = fixture_path(&house->fixture, "test-program");
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "#!/bin/sh\n%s\n", script) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(setenv("QUERYTRAIL_LIBEXEC", house->fixture.dir, 1), 0);
	assert_int_equal(loop_new(&house->loop, &house->err), 0);
	house->spawn = spawn_new(house->loop, on_ended, house);
	assert_non_null(house->spawn);
}

static void house_done(struct house *house)
{
	spawn_close(house->spawn, 3000);
	loop_free(house->loop);
	fixture_done(&house->fixture);
}

static void run_for(struct house *house, int64_t time_ns)
{
	int64_t end_ns = clock_monotonic_ns() + time_ns;
	for (int64_t left = time_ns; left > 0; left = end_ns - clock_monotonic_ns()) {
		assert_int_equal(loop_step(house->loop, left, &house->err), 0);
	}
}

static void add(struct house *house, const char *program)
{
	const char *const arguments[] = {program, "one", NULL};
	assert_int_equal(spawn_add(house->spawn, "child", arguments, &house->err), 0);
}

static void ends_and_is_started_again(void **state)
{
	/* its status is told; it is started again after a second, not at once */
	struct house house;
	(void)state;
	house_init(&house, "exit 7");
	house.again = true;
	add(&house, "test-program");
	run_for(&house, 500 * NS_PER_MS);
	assert_int_equal(house.ended, 1);
	assert_int_equal(house.last_status, 7);
	run_for(&house, 1000 * NS_PER_MS);
	assert_int_equal(house.ended, 2);
	house_done(&house);
}

static void finished_stays_finished(void **state)
{
	/* a child that its owner calls finished is not started again; arguments arrive */
	struct house house;
	(void)state;
	house_init(&house, "test \"$1\" = one");
	add(&house, "test-program");
	run_for(&house, 1300 * NS_PER_MS);
	assert_int_equal(house.ended, 1);
	assert_int_equal(house.last_status, 0);
	assert_int_equal(spawn_running(house.spawn), 0);
	house_done(&house);
}

static void terminate_and_close(void **state)
{
	/* SIGTERM reaches a running child; one that ignores it is killed after the grace */
	struct house house;
	(void)state;
	house_init(&house, "exec sleep 60");
	house.again = true;
	add(&house, "test-program");
	assert_int_equal(spawn_running(house.spawn), 1);
	run_for(&house, 100 * NS_PER_MS);
	spawn_terminate(house.spawn);
	run_for(&house, 300 * NS_PER_MS);
	assert_int_equal(house.ended, 1);
	assert_int_equal(house.last_status, 128 + 15);
	assert_int_equal(spawn_running(house.spawn), 0);
	house_done(&house);
	house_init(&house, "trap '' TERM; while :; do sleep 0.05; done");
	add(&house, "test-program");
	run_for(&house, 200 * NS_PER_MS);
	int64_t start_ns = clock_monotonic_ns();
	spawn_close(house.spawn, 200);
	house.spawn = NULL;
	assert_true(clock_monotonic_ns() - start_ns < 3 * NS_PER_SEC);
	house_done(&house);
}

static void missing_program_is_no_failure(void **state)
{
	/* a program that is not installed is tried again later, the others run */
	struct house house;
	(void)state;
	house_init(&house, "exec sleep 60");
	add(&house, "test-no-such-program");
	add(&house, "test-program");
	assert_int_equal(spawn_running(house.spawn), 1);
	house_done(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_and_is_started_again),
		cmocka_unit_test(finished_stays_finished),
		cmocka_unit_test(terminate_and_close),
		cmocka_unit_test(missing_program_is_no_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
