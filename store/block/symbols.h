/* symbols - a stream of bytes of which few values occur: several to a byte when that packs smaller.
 *
 * Shape:   symbols of 1, 2 or 4 bits stand from the low bits up; the length of the stream tells the width. A stream of zeros is not written; fewer
 *          than SYMBOLS_PACKED_MIN are always bytes. docs/format.md section 9.2.
 * Threads: pure. Blocking: never. Tests: tests/unit/symbols.c
 */
#ifndef STORE_BLOCK_SYMBOLS_H
#define STORE_BLOCK_SYMBOLS_H

#include "store/block/streams.h"

#define SYMBOLS_PACKED_MIN 16

/* Where a stream of symbols stands. */
struct symbols_place {
	uint16_t column;
	uint8_t part;
	size_t count;
};

/* Writes place->count symbols. Returns 0 or -ERR_NOMEM. */
int symbols_put(struct streams_writer *writer, const struct symbols_place *place,
		const uint8_t *symbols);

/* Bytes that symbols_put would add to the block; SIZE_MAX without memory. */
size_t symbols_cost(struct streams_writer *writer, const uint8_t *symbols, size_t count);

/* Reads them into out_symbols, which has room for place->count. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int symbols_get(struct streams *streams, const struct symbols_place *place, uint8_t *out_symbols,
		struct error *err);

#endif
