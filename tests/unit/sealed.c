#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/sealed.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static const uint8_t key[SEALED_KEY_BYTES] = {1, 2, 3};
static const uint8_t salt[SEALED_SALT_BYTES] = {9, 8, 7};

static void test_round_trip(void **state)
{
	/* Proves: what is locked opens again with the same piece, and with nothing else changed: ordinal, bound bytes, tag, bytes, number. */
	(void)state;
	uint8_t bytes[100], tag[SEALED_TAG_BYTES];
	struct sealed *sealed = sealed_new(key, salt, 5);
	struct sealed *later = sealed_new(key, salt, 6);
	assert_non_null(sealed);
	assert_non_null(later);
	struct sealed_piece piece = {3, STR_LIT("column")};
	struct sealed_piece wrong[] = {
		{4, STR_LIT("column")}, {3, STR_LIT("columm")}, {3, STR_LIT("")}};
	memset(bytes, 'a', sizeof(bytes));
	assert_true(sealed_lock(sealed, &piece, bytes, sizeof(bytes), tag));
	uint8_t kept[100];
	memcpy(kept, bytes, sizeof(kept));
	for (size_t i = 0; i < 3; i++) {
		assert_false(sealed_open(sealed, &wrong[i], bytes, sizeof(bytes), tag));
		memcpy(bytes, kept, sizeof(bytes));
	}
	assert_false(sealed_open(later, &piece, bytes, sizeof(bytes), tag));
	memcpy(bytes, kept, sizeof(bytes));
	tag[15] ^= 1;
	assert_false(sealed_open(sealed, &piece, bytes, sizeof(bytes), tag));
	memcpy(bytes, kept, sizeof(bytes));
	tag[15] ^= 1;
	bytes[50] ^= 1;
	assert_false(sealed_open(sealed, &piece, bytes, sizeof(bytes), tag));
	memcpy(bytes, kept, sizeof(bytes));
	assert_true(sealed_open(sealed, &piece, bytes, sizeof(bytes), tag));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(bytes[i], 'a');
	}
	sealed_free(sealed);
	sealed_free(later);
	sealed_free(NULL);
}

static void test_derivation(void **state)
{
	/* Proves: the key is HKDF-SHA256 as OpenSSL computes it, and the cipher AES-256-GCM with the documented nonce. */
	(void)state;
	uint8_t own[32], info[] = "querytrail block\5\0\0\0\0\0\0";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	char hash[] = "SHA256";
	uint8_t key_copy[SEALED_KEY_BYTES], salt_copy[SEALED_SALT_BYTES];
	memcpy(key_copy, key, sizeof(key_copy));
	memcpy(salt_copy, salt, sizeof(salt_copy));
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_copy, sizeof(key_copy)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_copy,
						  sizeof(salt_copy)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info)),
		OSSL_PARAM_construct_end(),
	};
	assert_int_equal(EVP_KDF_derive(ctx, own, sizeof(own), params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	uint8_t expected[20], nonce[12] = {0x04, 0x03, 0x02, 0x01}, bytes[20], tag[16];
	int done = 0;
	memset(bytes, 'b', sizeof(bytes));
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, own, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(cipher, expected, &done, bytes, 20), 1);
	EVP_CIPHER_CTX_free(cipher);
	struct sealed *sealed = sealed_new(key, salt, 5);
	struct sealed_piece piece = {0x01020304, STR_LIT("bound")};
	assert_true(sealed_lock(sealed, &piece, bytes, sizeof(bytes), tag));
	assert_memory_equal(bytes, expected, sizeof(bytes));
	sealed_free(sealed);
}

static void test_names(void **state)
{
	/* Proves: key ids differ with the key and are the same each time; salts differ each time. */
	(void)state;
	uint8_t a[SEALED_KEY_ID_BYTES], b[SEALED_KEY_ID_BYTES];
	uint8_t first[SEALED_SALT_BYTES], second[SEALED_SALT_BYTES];
	static const uint8_t other[SEALED_KEY_BYTES] = {1, 2, 4};
	sealed_key_id(key, a);
	sealed_key_id(key, b);
	assert_memory_equal(a, b, sizeof(a));
	sealed_key_id(other, b);
	assert_memory_not_equal(a, b, sizeof(a));
	sealed_salt(first);
	sealed_salt(second);
	assert_memory_not_equal(first, second, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_derivation),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
