/* ranks - a column of codes, each written as its rank among the codes that its context used last.
 *
 * Shape:   each context keeps a list of at most RANKS_KEPT codes, the last used first. A code in it is written as its rank (0..13) and
 *          moves to the front; another one is written as 15, its value goes to the escapes, and it comes to the front. Codes that follow from
 *          their context become zeros. Ranks are nibbles (two to a byte) or bytes, then zstd; escapes are an ints column. docs/format.md section 9.3.
 * Parts:   RANKS_PARTS parts of the column from `part` on.
 * Limits:  contexts and codes are any 32-bit numbers; the reader's memory is bounded by the count of values.
 * Threads: pure. Blocking: never. Tests: tests/unit/ranks.c
 */
#ifndef STORE_BLOCK_RANKS_H
#define STORE_BLOCK_RANKS_H

#include "store/block/ints.h"

#define RANKS_KEPT  14
#define RANKS_PARTS (1 + INTS_PARTS)

struct ranks_column {
	uint16_t column;
	uint8_t part;
	size_t count;
	const uint32_t *context; /* per value; NULL: one context for all */
};

int ranks_put(struct streams_writer *writer, const struct ranks_column *about,
	      const uint32_t *codes);

/* out_codes has room for about->count. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int ranks_get(struct streams *streams, const struct ranks_column *about, uint32_t *out_codes,
	      struct error *err);

/* What ranks_put would write, in bits, estimated; to choose among contexts. */
uint64_t ranks_cost(const uint32_t *codes, const uint32_t *context, size_t count);

#endif
