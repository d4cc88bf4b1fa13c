#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "correlator/held.h"
#include "tests/unit/store-folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void what_it_prints_is_read(void **state)
{
	/* the leaves of each hold and of all together; a hold may cover nothing, and two may cover the same */
	struct held held;
	struct leafset leaves;
	struct buf names;
	struct error err;
	(void)state;
	held_init(&held);
	leafset_init(&leaves);
	buf_init(&names, 100);
	assert_int_equal(held_read(&held,
				   STR_LIT("querytrail leaves 1\nhold a\n1 3\n7 7\nhold b\nhold "
					   "c\n3 4\nend 3\n"),
				   &err),
			 0);
	assert_int_equal(held.count, 3);
	assert_int_equal(leafset_count(&held.all), 5);
	assert_true(leafset_has(&held.all, 4) && !leafset_has(&held.all, 5));
	assert_int_equal(leafset_add(&leaves, 3, 3, &err), 0);
	held_put_names(&held, &leaves, &names);
	assert_string_equal(names.ptr, "a, c");
	buf_done(&names);
	leafset_done(&leaves);
	held_done(&held);
}

static void all_else_is_refused(void **state)
{
	/* an output that is cut anywhere, or has anything else in it, is ERR_CORRUPT */
	static const char whole[] = "querytrail leaves 1\nhold a\n1 3\n7 7\nend 1\n";
	static const char *const bad[] = {"",
					  "querytrail leaves 2\nend 0\n",
					  "querytrail leaves 1\n1 3\nend 0\n",
					  "querytrail leaves 1\nhold a\n3 1\nend 1\n",
					  "querytrail leaves 1\nhold a\n1 x\nend 1\n",
					  "querytrail leaves 1\nhold a b\nend 1\n",
					  "querytrail leaves 1\nhold a\nend 2\n",
					  "querytrail leaves 1\nend 0\nend 0\n"};
	struct held held;
	struct error err;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		held_init(&held);
		assert_int_equal(held_read(&held, str_of(bad[i]), &err), -ERR_CORRUPT);
		held_done(&held);
	}
	for (size_t len = 0; len < sizeof whole - 2; len++) {
		held_init(&held);
		assert_int_equal(held_read(&held, str_make(whole, len), &err), -ERR_CORRUPT);
		held_done(&held);
	}
}

/* A program of that name which does what the script says. */
static void put_program(const char *folder, const char *script)
{
	char path[128];
	struct error err;
	(void)snprintf(path, sizeof path, "%s/querytrail", folder);
	assert_int_equal(io_replace_file(path, str_of(script), 0700, &err), 0);
}

static int ask(struct held *held, const char *config, struct error *err)
{
	const struct timespec pause = {0, 5 * NS_PER_MS};
	bool known = false;
	int rc = held_begin(held, "/store", config, err);
	while (rc == 0 && !known) {
		rc = held_look(held, &known, err);
		(void)nanosleep(&pause, NULL);
	}
	return rc;
}

static void a_child_is_asked(void **state)
{
	/* what the program prints is known when it ends; when it fails, says nothing or is missing, nothing is known */
	char folder[] = "/tmp/qt-test-XXXXXX";
	struct held held;
	struct error err;
	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(setenv("QUERYTRAIL_LIBEXEC", folder, 1), 0);
	held_init(&held);
	put_program(folder, "#!/bin/sh\n[ \"$*\" = 'hold leaves --store /store --config /c' ] || "
			    "exit 9\nprintf 'querytrail leaves 1\\nhold a\\n5 6\\nend 1\\n'\n");
	assert_int_equal(ask(&held, "/c", &err), 0);
	assert_int_equal(leafset_count(&held.all), 2);
	assert_int_equal(ask(&held, NULL, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "status 9"));
	assert_int_equal(held.count, 0);
	put_program(folder, "#!/bin/sh\necho 'blocks/1.qtb is damaged'\nexit 2\n");
	assert_int_equal(ask(&held, NULL, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "blocks/1.qtb is damaged"));
	put_program(folder, "#!/bin/sh\nexit 0\n");
	assert_int_equal(ask(&held, NULL, &err), -ERR_CORRUPT);
	put_program(folder, "#!/bin/sh\nsleep 30\n");
	assert_int_equal(held_begin(&held, "/store", NULL, &err), 0);
	held_clear(&held);
	assert_false(held.runs);
	held_done(&held);
	store_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_prints_is_read),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(a_child_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
