#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/bundle-check.h"
#include "tests/unit/proved.h"

#define DIGITS 64

/* Makes the manifest fit the files, as who forges evidence would. */
static void mend(const struct proved *proved)
{
	struct buf old, bytes, out;
	char name[256];
	uint8_t digest[DIGEST_BYTES];
	buf_init(&old, 0);
	buf_init(&bytes, 0);
	buf_init(&out, 0);
	proved_read(proved, "manifest-sha256.txt", &old);
	struct str rest = buf_str(&old);
	while (rest.len > 0) {
		struct str line = str_split(&rest, '\n');
		(void)snprintf(name, sizeof name, "%.*s",
			       STR_ARG(str_slice(line, DIGITS + 2, SIZE_MAX)));
		proved_read(proved, name, &bytes);
		digest_sha256(buf_str(&bytes), digest);
		buf_put_hex(&out, str_make(digest, sizeof digest));
		buf_putf(&out, "  %s\n", name);
	}
	proved_write(proved, "manifest-sha256.txt", buf_str(&out));
	buf_done(&old);
	buf_done(&bytes);
	buf_done(&out);
}

static int check(const struct proved *proved, struct error *err)
{
	struct bundle_checked checked;
	error_clear(err);
	int rc = bundle_check(proved->bundle, NULL, &checked, err);
	bundle_checked_done(&checked);
	return rc;
}

static void test_flips(void **state)
{
	/* Proves: whichever byte of whichever file is another one, the folder is refused, and the error names a file; with a manifest that was made to fit, too, for all files that
	 * the proof is made of. */
	(void)state;
	static const char *const ids[] = {"leaf:3", "leaf:7", NULL};
	static const struct {
		const char *name, *names;
		bool proves;
	} files[] = {{"7.record", "7.", true},          {"7.salt", "7.salt", true},
		     {"7.entry", "7.entry", true},      {"7.tlog-proof", "7.tlog-proof", true},
		     {"7.json", "7.json", true},        {"checkpoint", "checkpoint", true},
		     {"policy", "policy", false},       {"README.txt", "README.txt", false},
		     {"manifest-sha256.txt", "", false}};
	struct proved proved;
	struct asked asked;
	struct error err;
	struct buf good, manifest;
	buf_init(&good, 0);
	buf_init(&manifest, 0);
	proved_init(&proved, 20);
	proved_ask(&proved, ids, &asked);
	asked_done(&asked);
	assert_int_equal(check(&proved, &err), 0);
	proved_read(&proved, "manifest-sha256.txt", &manifest);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		proved_read(&proved, files[i].name, &good);
		size_t step = good.len > 24 ? good.len / 24 : 1;
		for (size_t at = 0; at < good.len; at += step) {
			good.ptr[at] ^= 1;
			proved_write(&proved, files[i].name, buf_str(&good));
			assert_true(check(&proved, &err) < 0);
			assert_non_null(strstr(err.text, files[i].names));
			if (files[i].proves) {
				mend(&proved);
				assert_int_equal(check(&proved, &err), -ERR_INPUT);
				proved_write(&proved, "manifest-sha256.txt", buf_str(&manifest));
			}
			good.ptr[at] ^= 1;
		}
		proved_write(&proved, files[i].name, buf_str(&good));
	}
	assert_int_equal(check(&proved, &err), 0);
	buf_done(&good);
	buf_done(&manifest);
	proved_done(&proved);
}

static void test_swapped(void **state)
{
	/* Proves: evidence of one leaf doesn't pass for that of another, and a record without its salt is refused unless it was redacted. */
	(void)state;
	static const char *const ids[] = {"leaf:3", "leaf:7", NULL};
	static const char *const suffixes[] = {"record", "salt", "entry", "tlog-proof", "json"};
	struct proved proved;
	struct asked asked;
	struct error err;
	struct buf bytes, manifest;
	char name[64], path[512];
	buf_init(&bytes, 0);
	buf_init(&manifest, 0);
	proved_init(&proved, 20);
	proved_ask(&proved, ids, &asked);
	asked_done(&asked);
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		(void)snprintf(name, sizeof name, "3.%s", suffixes[i]);
		proved_read(&proved, name, &bytes);
		(void)snprintf(name, sizeof name, "7.%s", suffixes[i]);
		proved_write(&proved, name, buf_str(&bytes));
		mend(&proved);
		if (i + 1 < sizeof suffixes / sizeof suffixes[0]) {
			assert_int_equal(check(&proved, &err), -ERR_INPUT);
		}
	}
	store_folder_remove(proved.bundle);
	proved_ask(&proved, ids, &asked);
	asked_done(&asked);
	proved_read(&proved, "manifest-sha256.txt", &manifest);
	ptrdiff_t at = str_find(buf_str(&manifest), STR_LIT("  3.salt\n"), 0);
	assert_true(at >= DIGITS);
	buf_clear(&bytes);
	buf_put_str(&bytes, str_slice(buf_str(&manifest), 0, (size_t)at - DIGITS));
	buf_put_str(&bytes, str_slice(buf_str(&manifest), (size_t)at + 9, SIZE_MAX));
	proved_write(&proved, "manifest-sha256.txt", buf_str(&bytes));
	proved_path(&proved, "3.salt", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(check(&proved, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "3.record"));
	buf_done(&bytes);
	buf_done(&manifest);
	proved_done(&proved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_flips),
					   cmocka_unit_test(test_swapped)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
