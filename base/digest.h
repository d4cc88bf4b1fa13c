/* digest - SHA-256 and HMAC-SHA256 by OpenSSL.
 *
 * Errors:  none: OpenSSL's one-shot calls can only fail without memory, which is asserted.
 * Threads: pure. Blocking: never. Source: FIPS 180-4, RFC 2104. Tests: tests/unit/digest.c
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/str.h"

#include <stdint.h>

#define DIGEST_BYTES 32

/* SHA-256 of bytes. */
void digest_sha256(struct str bytes, uint8_t out[DIGEST_BYTES]);

/* SHA-256 of count parts, one after the other without separators. */
void digest_sha256_parts(const struct str *parts, size_t count, uint8_t out[DIGEST_BYTES]);

/* HMAC-SHA256 of bytes under key. */
void digest_hmac_sha256(struct str key, struct str bytes, uint8_t out[DIGEST_BYTES]);

/* Whether two byte strings are equal, in time that depends only on the length. */
bool digest_equal(struct str a, struct str b);

#endif
