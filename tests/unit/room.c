#include "correlator/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static void room_there(void **state)
{
	/* where there is room it is found, and nothing is left behind */
	(void)state;
	struct error err;
	assert_int_equal(room_look("/tmp", 0, &err), 0);
	assert_int_equal(room_look("/tmp", 1 << 20, &err), 0);
}

static void more_than_any(void **state)
{
	/* more than a disk holds is a full disk, told with the folder and the bytes */
	(void)state;
	struct error err;
	assert_int_equal(room_look("/tmp", UINT64_C(1) << 60, &err), -ERR_AGAIN);
	assert_non_null(strstr(err.text, "disk full: /tmp has room for "));
}

static void limited_files(void **state)
{
	/* a limit of the size of files is met although the file system has room */
	(void)state;
	struct error err;
	struct rlimit before, limit;
	struct sigaction ignore = {.sa_handler = SIG_IGN}, kept;
	assert_int_equal(sigaction(SIGXFSZ, &ignore, &kept), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){.rlim_cur = ROOM_RESERVE / 2, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int rc = room_look("/tmp", 0, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(sigaction(SIGXFSZ, &kept, NULL), 0);
	assert_int_equal(rc, -ERR_AGAIN);
	assert_non_null(strstr(err.text, "the limit of a file's size"));
}

static void no_folder(void **state)
{
	/* a folder that is not there is no full disk */
	(void)state;
	struct error err;
	assert_int_equal(room_look("/tmp/no-such-folder-of-room", 0, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "can't be asked for its room"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_there),
		cmocka_unit_test(more_than_any),
		cmocka_unit_test(limited_files),
		cmocka_unit_test(no_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
