#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "query/bundle.h"
#include "tests/unit/store-folder.h"

#include <stdio.h>
#include <stdlib.h>

static void test_manifest(void **state)
{
	/* Proves: the manifest has the lines that sha256sum would write, a name can't be taken twice, and a folder that is not empty is refused. */
	(void)state;
	char dir[] = "/tmp/querytrail-bundle-XXXXXX";
	char path[64];
	struct bundle bundle;
	struct error err;
	struct buf manifest;
	buf_init(&manifest, 0);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(bundle_begin(&bundle, dir, &err), 0);
	assert_int_equal(bundle_put(&bundle, "a", STR_LIT("abc"), &err), 0);
	assert_int_equal(bundle_put(&bundle, "b", (struct str){0}, &err), 0);
	assert_int_equal(bundle_end(&bundle, &err), 0);
	(void)snprintf(path, sizeof path, "%s/" BUNDLE_MANIFEST, dir);
	assert_int_equal(io_read_file(path, 4096, &manifest, &err), 0);
	assert_string_equal(
		manifest.ptr,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n"
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n");
	assert_int_equal(bundle_put(&bundle, "a", STR_LIT("x"), &err), -ERR_IO);
	bundle_done(&bundle);
	assert_int_equal(bundle_begin(&bundle, dir, &err), -ERR_CONFIG);
	bundle_done(&bundle);
	buf_done(&manifest);
	store_folder_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_manifest)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
