/* bits - numbers of a few bits each, one behind the other, low bits first.
 *
 * Threads: a value. Blocking: never. Tests: tests/unit/entropy.c, tests/unit/ints.c
 */
#ifndef STORE_BLOCK_BITS_H
#define STORE_BLOCK_BITS_H

#include "base/buf.h"

/* Words are copied as they stand in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blocks are little-endian");

/* Writer: bits_put as often as needed, then bits_end once. */
struct bits_writer {
	struct buf *out;
	uint64_t pending;
	unsigned count; /* < 32 between calls */
};

static inline void bits_flush(struct bits_writer *bits, unsigned bytes)
{
	uint8_t out[4];
	for (unsigned i = 0; i < bytes; i++) {
		out[i] = (uint8_t)(bits->pending >> 8 * i);
	}
	buf_put(bits->out, out, bytes);
	bits->pending >>= 8 * bytes;
	bits->count = bits->count > 8 * bytes ? bits->count - 8 * bytes : 0;
}

/* The low `count` bits of value; count <= 63. */
static inline void bits_put(struct bits_writer *bits, uint64_t value, unsigned count)
{
	if (count > 32) {
		bits_put(bits, value & UINT32_MAX, 32);
		value >>= 32;
		count -= 32;
	}
	bits->pending |= (value & ((1ull << count) - 1)) << bits->count;
	bits->count += count;
	if (bits->count >= 32) {
		bits_flush(bits, 4);
	}
}

/* Fills the last byte with zeros. */
static inline void bits_end(struct bits_writer *bits)
{
	bits_flush(bits, (bits->count + 7) / 8);
}

/* The `count` <= 63 bits at place `at` of bytes; zeros behind the end. */
static inline uint64_t bits_at(struct str bytes, uint64_t at, unsigned count)
{
	size_t byte = (size_t)(at >> 3);
	unsigned shift = at & 7;
	uint64_t low = 0, high = 0;
	if (byte + 9 <= bytes.len) {
		memcpy(&low, bytes.ptr + byte, sizeof(low));
		high = (uint8_t)bytes.ptr[byte + 8];
	} else {
		for (size_t k = 0; k < 9 && byte + k < bytes.len; k++) {
			uint64_t here = (uint8_t)bytes.ptr[byte + k];
			low |= k < 8 ? here << 8 * k : 0;
			high = k < 8 ? 0 : here;
		}
	}
	low >>= shift;
	if (shift != 0) {
		low |= high << (64 - shift);
	}
	return low & ((1ull << count) - 1);
}

#endif
