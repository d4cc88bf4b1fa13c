#include "store/block/sealed.h"

#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/random.h>

#define NONCE_BYTES 12
#define INFO        "querytrail block"
#define INFO_KEY_ID "querytrail key id"

struct sealed {
	EVP_CIPHER_CTX *lock, *open;
};

void sealed_salt(uint8_t out[SEALED_SALT_BYTES])
{
	ssize_t got = 0;
	do {
		got = getrandom(out, SEALED_SALT_BYTES, 0);
	} while (got < 0 && errno == EINTR);
	assert(got == SEALED_SALT_BYTES); /* so few bytes come whole or not at all */
}

void sealed_key_id(const uint8_t key[SEALED_KEY_BYTES], uint8_t out[SEALED_KEY_ID_BYTES])
{
	uint8_t mac[DIGEST_BYTES];
	digest_hmac_sha256(str_make(key, SEALED_KEY_BYTES), STR_LIT(INFO_KEY_ID), mac);
	memcpy(out, mac, SEALED_KEY_ID_BYTES);
}

/* HKDF-SHA256 for one output of 32 bytes. */
static void derive(const uint8_t *key, const uint8_t *salt, uint64_t number,
		   uint8_t out[SEALED_KEY_BYTES])
{
	uint8_t extracted[DIGEST_BYTES];
	uint8_t info[sizeof(INFO) - 1 + 8 + 1] = INFO;
	for (size_t i = 0; i < 8; i++) {
		info[sizeof(INFO) - 1 + i] = (uint8_t)(number >> 8 * i);
	}
	info[sizeof(info) - 1] = 1; /* the first block of the expansion */
	digest_hmac_sha256(str_make(salt, SEALED_SALT_BYTES), str_make(key, SEALED_KEY_BYTES),
			   extracted);
	digest_hmac_sha256(str_make(extracted, sizeof(extracted)), str_make(info, sizeof(info)),
			   out);
	OPENSSL_cleanse(extracted, sizeof(extracted));
}

struct sealed *sealed_new(const uint8_t key[SEALED_KEY_BYTES],
			  const uint8_t salt[SEALED_SALT_BYTES], uint64_t number)
{
	uint8_t own[SEALED_KEY_BYTES];
	struct sealed *sealed = calloc(1, sizeof(*sealed));
	if (sealed == NULL) {
		return NULL;
	}
	sealed->lock = EVP_CIPHER_CTX_new();
	sealed->open = EVP_CIPHER_CTX_new();
	derive(key, salt, number, own);
	bool is_ready = sealed->lock != NULL && sealed->open != NULL &&
			EVP_EncryptInit_ex(sealed->lock, EVP_aes_256_gcm(), NULL, own, NULL) == 1 &&
			EVP_DecryptInit_ex(sealed->open, EVP_aes_256_gcm(), NULL, own, NULL) == 1;
	OPENSSL_cleanse(own, sizeof(own));
	if (!is_ready) {
		sealed_free(sealed);
		return NULL;
	}
	return sealed;
}

void sealed_free(struct sealed *sealed)
{
	if (sealed != NULL) {
		EVP_CIPHER_CTX_free(sealed->lock); /* wipes the key */
		EVP_CIPHER_CTX_free(sealed->open);
		free(sealed);
	}
}

static void make_nonce(uint32_t ordinal, uint8_t out[NONCE_BYTES])
{
	memset(out, 0, NONCE_BYTES);
	for (size_t i = 0; i < 4; i++) {
		out[i] = (uint8_t)(ordinal >> 8 * i);
	}
}

bool sealed_lock(struct sealed *sealed, const struct sealed_piece *piece, uint8_t *bytes,
		 size_t len, uint8_t out_tag[SEALED_TAG_BYTES])
{
	uint8_t nonce[NONCE_BYTES];
	int done = 0;
	assert(len <= INT32_MAX && piece->bound.len <= INT32_MAX);
	make_nonce(piece->ordinal, nonce);
	return EVP_EncryptInit_ex(sealed->lock, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_EncryptUpdate(sealed->lock, NULL, &done, (const unsigned char *)piece->bound.ptr,
				 (int)piece->bound.len) == 1 &&
	       EVP_EncryptUpdate(sealed->lock, bytes, &done, bytes, (int)len) == 1 &&
	       EVP_EncryptFinal_ex(sealed->lock, bytes + done, &done) == 1 &&
	       EVP_CIPHER_CTX_ctrl(sealed->lock, EVP_CTRL_GCM_GET_TAG, SEALED_TAG_BYTES, out_tag) ==
		       1;
}

bool sealed_open(struct sealed *sealed, const struct sealed_piece *piece, uint8_t *bytes,
		 size_t len, const uint8_t tag[SEALED_TAG_BYTES])
{
	uint8_t nonce[NONCE_BYTES], expected[SEALED_TAG_BYTES];
	int done = 0;
	assert(len <= INT32_MAX && piece->bound.len <= INT32_MAX);
	make_nonce(piece->ordinal, nonce);
	memcpy(expected, tag, sizeof(expected));
	return EVP_DecryptInit_ex(sealed->open, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_DecryptUpdate(sealed->open, NULL, &done, (const unsigned char *)piece->bound.ptr,
				 (int)piece->bound.len) == 1 &&
	       EVP_DecryptUpdate(sealed->open, bytes, &done, bytes, (int)len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(sealed->open, EVP_CTRL_GCM_SET_TAG, SEALED_TAG_BYTES,
				   expected) == 1 &&
	       EVP_DecryptFinal_ex(sealed->open, bytes + done, &done) == 1;
}
