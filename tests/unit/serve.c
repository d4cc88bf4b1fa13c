#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/options.h"
#include "query/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_allows(void **state)
{
	/* Proves: root, our own user and the group may ask, as their first or a further group; nobody else may. */
	(void)state;
	const gid_t none = (gid_t)-1;
	assert_true(serve_allows(0, 0, none));
	assert_true(serve_allows(getuid(), 12345, none));
	assert_false(serve_allows(65534, 65534, none));
	assert_true(serve_allows(65534, 4, 4));
	assert_true(serve_allows(65534, 12345, 65534)); /* nogroup by the password file */
	assert_false(serve_allows(65534, 12345, 4));
	assert_false(
		serve_allows(4000000000u, 12345, 4)); /* a user that the system does not know */
}

static int open_with(const char *folder, const char *readers, struct serve *serve,
		     struct error *err)
{
	char text[256];
	struct config *config;
	(void)snprintf(text, sizeof(text), "runtime: %s\ndaemon: {readers: \"%s\"}\n", folder,
		       readers);
	struct config_input input = {"test", str_of(text)};
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, err), 0);
	int result = serve_open(config, serve, err);
	if (result != 0) {
		config_free(config);
	}
	return result;
}

static void test_open(void **state)
{
	/* Proves: query.sock appears, is taken over from a serve that is gone, not from one that lives; an unknown group is ERR_CONFIG;
	 * SIGTERM ends the run. */
	(void)state;
	char folder[] = "/tmp/querytrail-serve-XXXXXX";
	char path[64];
	struct serve serve;
	struct serve second;
	struct error err;
	struct stat status;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/query.sock", folder);
	assert_int_equal(open_with(folder, "no-such-group", &serve, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "no-such-group"));
	assert_int_equal(open_with(folder, "adm", &serve, &err), 0);
	assert_true(serve.readers != (gid_t)-1);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0666);
	assert_int_equal(open_with(folder, "", &second, &err), -ERR_IO);
	assert_int_equal(raise(SIGTERM), 0); /* blocked, so it waits in the signal descriptor */
	assert_int_equal(serve_run(&serve, &err), 0);
	config_free((struct config *)(uintptr_t)serve.config);
	serve_close(&serve);
	assert_int_equal(open_with(folder, "", &serve, &err), 0);
	config_free((struct config *)(uintptr_t)serve.config);
	serve_close(&serve);
	(void)unlink(path);
	(void)rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_allows),
					   cmocka_unit_test(test_open)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
