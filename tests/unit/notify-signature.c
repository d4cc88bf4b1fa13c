#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/parse.h"
#include "correlator/notify/signature.h"

#include <openssl/evp.h>

#define CONTENT STR_LIT("msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}")

static void test_known_answer(void **state)
{
	/* proves: the signature of the specification's own example */
	struct buf out;
	struct error err;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(signature_put(STR_LIT("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), CONTENT,
				       &out, &err),
			 0);
	assert_string_equal(out.ptr, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_done(&out);
}

static void test_ed25519(void **state)
{
	/* proves: an Ed25519 signature is verified by the key of the seed, in both forms of the secret */
	const char *const forms[] = {
		"whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884QvhwBu87WEwz0qxnssHiXGBFm/"
		"TZTR6tN0A==",
	};
	uint8_t seed[32];
	struct buf out;
	struct buf raw;
	struct error err;

	(void)state;
	buf_init(&out, 0);
	buf_init(&raw, 0);
	for (uint8_t i = 0; i < 32; i++) {
		seed[i] = i;
	}
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	for (size_t i = 0; i < 2; i++) {
		buf_clear(&out);
		buf_clear(&raw);
		assert_int_equal(signature_put(str_of(forms[i]), CONTENT, &out, &err), 0);
		assert_memory_equal(out.ptr, "v1a,", 4);
		assert_true(parse_base64(str_slice(buf_str(&out), 4, out.len), &raw));
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		assert_int_equal(EVP_DigestVerifyInit(context, NULL, NULL, NULL, key), 1);
		assert_int_equal(EVP_DigestVerify(context, (uint8_t *)raw.ptr, raw.len,
						  (const uint8_t *)CONTENT.ptr, CONTENT.len),
				 1);
		EVP_MD_CTX_free(context);
	}
	EVP_PKEY_free(key);
	buf_done(&out);
	buf_done(&raw);
}

static void test_several(void **state)
{
	/* proves: each secret of the file signs, in order; empty lines, comments and Windows line ends are passed over */
	struct buf out;
	struct error err;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(
		signature_put(STR_LIT("# new\r\n\r\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\r\n"
				      "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
				      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"),
			      CONTENT, &out, &err),
		0);
	struct str rest = buf_str(&out);
	assert_true(str_has_prefix(str_split(&rest, ' '), STR_LIT("v1,g0hM9SsE")));
	assert_true(str_has_prefix(str_split(&rest, ' '), STR_LIT("v1a,")));
	assert_true(str_has_prefix(str_split(&rest, ' '), STR_LIT("v1,")));
	assert_null(rest.ptr);
	buf_done(&out);
}

static void test_bad_keys(void **state)
{
	/* proves: what is no secret is refused with its line, never shown, and nothing is signed */
	const char *const bad[] = {
		"nonsense",
		"whsec_",
		"whsec_c2hvcnQ=",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
		"whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
		"WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	};
	struct buf out;
	struct buf text;
	struct error err;

	(void)state;
	buf_init(&out, 0);
	buf_init(&text, 0);
	buf_put_text(&out, "before");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&text);
		buf_putf(&text, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n%s\n", bad[i]);
		assert_int_equal(signature_put(buf_str(&text), CONTENT, &out, &err), -ERR_CONFIG);
		assert_string_equal(out.ptr, "before");
		assert_non_null(strstr(err.text, "line 2 "));
		assert_null(strstr(err.text, "MfKQ"));
		assert_null(strstr(err.text, "nonsense"));
	}
	assert_int_equal(signature_put(STR_LIT("\n# none\n"), CONTENT, &out, &err), -ERR_CONFIG);
	assert_int_equal(signature_put((struct str){0}, CONTENT, &out, &err), -ERR_CONFIG);
	buf_clear(&text);
	for (int i = 0; i <= SIGNATURE_KEYS_MAX; i++) {
		buf_put_text(&text, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
	}
	assert_int_equal(signature_put(buf_str(&text), CONTENT, &out, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "line 9 "));
	buf_done(&out);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_bad_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
