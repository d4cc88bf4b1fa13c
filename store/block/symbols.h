/* symbols - a stream of bytes that are no text: codes, ranks, planes of numbers.
 *
 * Shape:   the first byte tells the form: 1, 2, 4 or 8 bits a symbol from the low bits up, perhaps packed by zstd; or entropy-coded, with one table or
 *          with one for each class of groups (store/block/entropy.h). The smallest is taken. A stream of zeros is not written.
 *          docs/format.md section 9.2.
 * Groups:  symbols of one nature may stand together (store/block/groups.h); the reader must give the same ends.
 * Threads: pure. Blocking: never. Tests: tests/unit/symbols.c
 */
#ifndef STORE_BLOCK_SYMBOLS_H
#define STORE_BLOCK_SYMBOLS_H

#include "store/block/streams.h"

struct classes;

/* Where a stream of symbols stands. */
struct symbols_place {
	uint16_t column;
	uint8_t part;
	size_t count;
	const uint32_t *ends; /* of the groups, the last one is count; NULL: no groups */
	size_t group_count;
	const struct classes *classes; /* as symbols_classes gave them; NULL: to be made */
};

/* Writes place->count symbols. Returns 0 or -ERR_NOMEM. */
int symbols_put(struct streams_writer *writer, const struct symbols_place *place,
		const uint8_t *symbols);

/* About the bits that symbols_put would write. Column and part do not matter. */
uint64_t symbols_cost(const struct symbols_place *place, const uint8_t *symbols);

/* The same, and the classes of the groups that it found, to be given to symbols_put and then to classes_done. */
uint64_t symbols_classes(const struct symbols_place *place, const uint8_t *symbols,
			 struct classes *out_classes);

/* Reads them into out_symbols, which has room for place->count. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int symbols_get(struct streams *streams, const struct symbols_place *place, uint8_t *out_symbols,
		struct error *err);

#endif
