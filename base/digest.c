/* The plain SHA-256 calls are deprecated in favour of EVP, which looks its algorithm up under a lock each time: that costs more than
 * the hashing of a short key, several times an event. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

void digest_sha256(struct str bytes, uint8_t out[DIGEST_BYTES])
{
	digest_sha256_parts(&bytes, 1, out);
}

void digest_sha256_parts(const struct str *parts, size_t count, uint8_t out[DIGEST_BYTES])
{
	SHA256_CTX ctx;
	int ok = SHA256_Init(&ctx);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len != 0) {
			ok &= SHA256_Update(&ctx, parts[i].ptr, parts[i].len);
		}
	}
	ok &= SHA256_Final(out, &ctx);
	assert(ok == 1); /* without engines none of these can fail */
	(void)ok;        /* asserted */
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
