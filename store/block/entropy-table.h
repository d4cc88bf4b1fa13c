/* entropy-table - the frequencies of a coder: made, written, read.
 *
 * Shape:   whole frequencies of 1 << bits in all; a byte that does not occur has none. Written with four significant bits each and made to
 *          sum up by the same rule on both sides. docs/format.md section 9.2.
 * Threads: pure. Blocking: never. Tests: tests/unit/entropy.c
 */
#ifndef STORE_BLOCK_ENTROPY_TABLE_H
#define STORE_BLOCK_ENTROPY_TABLE_H

#include "store/block/bits.h"

#define ENTROPY_BITS_MAX 12

struct entropy_table {
	uint16_t frequency[256]; /* at most 1 << bits */
	uint16_t start[256];     /* the sum of those before */
};

/* Makes a table for bytes of which counts[b] are b, at least one in all, and appends it. */
void entropy_table_make(const uint32_t counts[256], unsigned bits, struct entropy_table *out,
			struct bits_writer *writer);

/* Reads one at *at, which moves behind it. False: it is none. */
bool entropy_table_read(struct str bytes, uint64_t *at, unsigned bits, struct entropy_table *out);

#endif
