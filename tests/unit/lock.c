#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/lock.h"
#include "tests/unit/store-fixture.h"

#include <sys/wait.h>

static void one_at_a_time(void **state)
{
	/* the second taker is told the first one's process id; closing gives the lock up */
	struct fixture fixture;
	struct error err;
	int fd = -1;
	int other = -1;
	char pid[32];
	(void)state;
	fixture_init(&fixture);
	assert_int_equal(lock_take(fixture.dir, false, &fd, &err), 0);
	assert_int_equal(lock_take(fixture.dir, false, &other, &err), -ERR_CONFIG);
	assert_int_equal(other, -1);
	assert_true(snprintf(pid, sizeof pid, "process %ld:", (long)getpid()) > 0);
	assert_non_null(strstr(err.text, pid));
	assert_int_equal(close(fd), 0);
	assert_int_equal(lock_take(fixture.dir, false, &other, &err), 0);
	assert_int_equal(close(other), 0);
	fixture_done(&fixture);
}

static void dies_with_its_holder(void **state)
{
	/* a process that is killed gives the lock up */
	struct fixture fixture;
	struct error err;
	int fd = -1;
	int status = 0;
	(void)state;
	fixture_init(&fixture);
	pid_t child = fork();
	if (child == 0) {
		_exit(lock_take(fixture.dir, false, &fd, &err) == 0 ? 7 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(lock_take(fixture.dir, false, &fd, &err), 0);
	assert_int_equal(close(fd), 0);
	fixture_done(&fixture);
}

static void needs_a_folder(void **state)
{
	/* a folder that is not there is ERR_IO; a path that is too long ERR_CONFIG */
	struct error err;
	int fd = -1;
	char path[5000];
	(void)state;
	assert_int_equal(lock_take("/nowhere/at/all", false, &fd, &err), -ERR_IO);
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = 0;
	assert_int_equal(lock_take(path, false, &fd, &err), -ERR_CONFIG);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(dies_with_its_holder),
		cmocka_unit_test(needs_a_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
