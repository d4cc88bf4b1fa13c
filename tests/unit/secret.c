/* Secrets come from safe files only, and leave nothing behind in messages. */
#include "base/secret.h"

#include "base/io.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
	char folder[32];
	struct buf path;
};

static int begin(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	memcpy(fixture->folder, "/tmp/unit-secret-XXXXXX", 24);
	buf_init(&fixture->path, 0);
	*state = fixture;
	return mkdtemp(fixture->folder) == NULL;
}

static int finish(void **state)
{
	struct fixture *fixture = *state;
	(void)unlink(fixture->path.ptr); /* may be gone */
	(void)rmdir(fixture->folder);    /* in /tmp: nothing depends on it */
	buf_done(&fixture->path);
	free(fixture);
	return 0;
}

static void write_file(struct fixture *fixture, struct str text, unsigned mode)
{
	buf_clear(&fixture->path);
	buf_putf(&fixture->path, "%s/secret", fixture->folder);
	assert_int_equal(io_replace_file(fixture->path.ptr, text, 0600, NULL), 0);
	assert_int_equal(chmod(fixture->path.ptr, mode), 0);
}

/* A file is read without its last newline; a bare name is a systemd credential. */
static void test_read(void **state)
{
	struct fixture *fixture = *state;
	struct secret secret;
	struct error err = {0};
	secret_init(&secret);
	write_file(fixture, STR_LIT("pass word\r\n"), 0600);
	assert_int_equal(secret_read(&secret, fixture->path.ptr, &err), 0);
	assert_true(str_is(secret_peek(&secret), "pass word"));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", fixture->folder, 1), 0);
	assert_int_equal(secret_read(&secret, "secret", &err), 0);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(secret_read(&secret, "secret", &err), -ERR_CONFIG);
	assert_int_equal(secret.len, 0);
	secret_done(&secret);
}

/* Files that are open to all, empty, too large, missing or no files are refused with the path, never with their content. */
static void test_refused(void **state)
{
	struct fixture *fixture = *state;
	struct secret secret;
	struct error err = {0};
	secret_init(&secret);
	write_file(fixture, STR_LIT("canary"), 0604);
	assert_int_equal(secret_read(&secret, fixture->path.ptr, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "everybody"));
	assert_null(strstr(err.text, "canary"));
	write_file(fixture, STR_LIT("\n"), 0600);
	assert_int_equal(secret_read(&secret, fixture->path.ptr, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "empty"));
	char *large = calloc(1, SECRET_MAX_BYTES + 2);
	memset(large, 'x', SECRET_MAX_BYTES + 1);
	write_file(fixture, str_make(large, SECRET_MAX_BYTES + 1), 0600);
	free(large);
	assert_int_equal(secret_read(&secret, fixture->path.ptr, &err), -ERR_CONFIG);
	assert_int_equal(secret_read(&secret, fixture->folder, &err), -ERR_CONFIG);
	assert_int_equal(secret_read(&secret, "/nonexistent/file", &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent/file"));
	secret_done(&secret);
}

/* Setting copies, replaces and limits. */
static void test_set(void **state)
{
	(void)state;
	struct secret secret;
	secret_init(&secret);
	secret_harden_process();
	assert_int_equal(secret_set(&secret, STR_LIT("one"), NULL), 0);
	assert_int_equal(secret_set(&secret, STR_LIT("three"), NULL), 0);
	assert_string_equal(secret.ptr, "three");
	assert_int_equal(secret_set(&secret, str_make("", SECRET_MAX_BYTES + 1), NULL), -ERR_LIMIT);
	assert_null(secret.ptr);
	secret_done(&secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_set),
	};
	return cmocka_run_group_tests(tests, begin, finish);
}
