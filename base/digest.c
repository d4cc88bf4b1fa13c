#include "base/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

void digest_sha256(struct str bytes, uint8_t out[DIGEST_BYTES])
{
	(void)SHA256((const unsigned char *)(bytes.len != 0 ? bytes.ptr : ""), bytes.len,
		     out); /* it returns out */
}

void digest_sha256_parts(const struct str *parts, size_t count, uint8_t out[DIGEST_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert(ctx != NULL);
	int ok = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	for (size_t i = 0; i < count; i++) {
		ok &= EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len);
	}
	ok &= EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	assert(ok == 1);
}

void digest_hmac_sha256(struct str key, struct str bytes, uint8_t out[DIGEST_BYTES])
{
	assert(key.len <= 0x7fffffff);
	const unsigned char *done = HMAC(EVP_sha256(), key.len != 0 ? key.ptr : "", (int)key.len,
					 (const unsigned char *)(bytes.len != 0 ? bytes.ptr : ""),
					 bytes.len, out, NULL);
	assert(done != NULL);
	(void)done; /* asserted */
}

bool digest_equal(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}
