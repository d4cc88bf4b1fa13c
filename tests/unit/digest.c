/* SHA-256 and HMAC give the published values. */
#include "base/digest.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_hex(const uint8_t *digest, const char *want)
{
	struct buf hex;
	buf_init(&hex, 0);
	buf_put_hex(&hex, str_make(digest, DIGEST_BYTES));
	assert_string_equal(hex.ptr, want);
	buf_done(&hex);
}

/* FIPS 180-4's "abc", the empty text, and the same in parts. */
static void test_sha256(void **state)
{
	(void)state;
	uint8_t out[DIGEST_BYTES];
	static const char abc[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	digest_sha256(STR_LIT("abc"), out);
	assert_hex(out, abc);
	digest_sha256(str_of(NULL), out);
	assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	struct str parts[] = {STR_LIT("a"), STR_LIT(""), STR_LIT("bc")};
	digest_sha256_parts(parts, 3, out);
	assert_hex(out, abc);
}

/* RFC 4231 test cases 1 and 2. */
static void test_hmac(void **state)
{
	(void)state;
	uint8_t out[DIGEST_BYTES];
	char key[20];
	memset(key, 0x0b, sizeof(key));
	digest_hmac_sha256(str_make(key, 20), STR_LIT("Hi There"), out);
	assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_hmac_sha256(STR_LIT("Jefe"), STR_LIT("what do ya want for nothing?"), out);
	assert_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* Comparison looks at every byte and at the length. */
static void test_equal(void **state)
{
	(void)state;
	assert_true(digest_equal(STR_LIT("ab"), STR_LIT("ab")));
	assert_false(digest_equal(STR_LIT("ab"), STR_LIT("ac")));
	assert_false(digest_equal(STR_LIT("ab"), STR_LIT("abc")));
	assert_true(digest_equal(STR_LIT(""), STR_LIT("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
