/* sealed - bytes of a block under AES-256-GCM, with a key of the block's own.
 *
 * Shape:   key of the block = HKDF-SHA256(store key, salt, "querytrail block" and the number); each piece has its own nonce by its ordinal.
 *          So no nonce is used twice: a block is written once, with a salt of its own.
 * Threads: one per thread. Blocking: sealed_salt reads getrandom(2).
 * Source:  NIST SP 800-38D, RFC 5869; docs/format.md section 9.1. Tests: tests/unit/sealed.c
 */
#ifndef STORE_BLOCK_SEALED_H
#define STORE_BLOCK_SEALED_H

#include "base/str.h"

#include <stdint.h>

#define SEALED_KEY_BYTES    32
#define SEALED_SALT_BYTES   16
#define SEALED_TAG_BYTES    16
#define SEALED_KEY_ID_BYTES 8

struct sealed;

/* Random bytes for a new block. */
void sealed_salt(uint8_t out[SEALED_SALT_BYTES]);

/* A name for a key that does not give it away: to tell another key from damage. */
void sealed_key_id(const uint8_t key[SEALED_KEY_BYTES], uint8_t out[SEALED_KEY_ID_BYTES]);

/* Makes the block's key; it is wiped by sealed_free. Returns NULL without memory. */
struct sealed *sealed_new(const uint8_t key[SEALED_KEY_BYTES],
			  const uint8_t salt[SEALED_SALT_BYTES], uint64_t number);
void sealed_free(struct sealed *sealed);

/* A piece: its ordinal in the block (each once), and what it is bound to besides. */
struct sealed_piece {
	uint32_t ordinal;
	struct str bound;
};

/* Encrypts bytes in place and gives the tag. False without memory. */
bool sealed_lock(struct sealed *sealed, const struct sealed_piece *piece, uint8_t *bytes,
		 size_t len, uint8_t out_tag[SEALED_TAG_BYTES]);

/* Decrypts bytes in place. False: they, the tag or what they are bound to are not as they were; bytes are then of no use. */
bool sealed_open(struct sealed *sealed, const struct sealed_piece *piece, uint8_t *bytes,
		 size_t len, const uint8_t tag[SEALED_TAG_BYTES]);

#endif
