/* naive-tree - the definition of RFC 6962 section 2.1, word by word, over hashes of leaves: what the log's tree is compared with.
 *
 * Threads: pure. */
#ifndef TESTS_UNIT_NAIVE_TREE_H
#define TESTS_UNIT_NAIVE_TREE_H

#include "base/merkle.h"

/* The leaf that stands for a number: SHA-256(0x00, u64 LE number). */
static inline struct merkle_hash naive_leaf(uint64_t number)
{
	struct merkle_hash hash;
	char bytes[8];
	for (size_t i = 0; i < sizeof bytes; i++) {
		bytes[i] = (char)(number >> 8 * i & 0xff);
	}
	merkle_leaf(str_make(bytes, sizeof bytes), &hash);
	return hash;
}

/* The root over count leaves, count >= 1. */
static inline struct merkle_hash naive_root(const struct merkle_hash *leaves, size_t count)
{
	char bytes[1 + 2 * DIGEST_BYTES] = {1};
	size_t left = 1;
	struct merkle_hash below[2];
	if (count == 1) {
		return leaves[0];
	}
	while (left * 2 < count) {
		left *= 2;
	}
	below[0] = naive_root(leaves, left);
	below[1] = naive_root(leaves + left, count - left); /* at most as deep as the tree */
	for (size_t i = 0; i < sizeof below; i++) {
		bytes[1 + i] = (char)below[i / DIGEST_BYTES].bytes[i % DIGEST_BYTES];
	}
	digest_sha256(str_make(bytes, sizeof bytes), below[0].bytes);
	return below[0];
}

/* Bytes out of their hexadecimal digits. */
static inline void naive_hex(const char *digits, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < 2 * len; i++) {
		char digit = digits[i];
		uint8_t half = (uint8_t)(digit >= 'a' ? digit - 'a' + 10 : digit - '0');
		out[i / 2] = (uint8_t)(i % 2 == 0 ? half << 4 : out[i / 2] | half);
	}
}

#endif
