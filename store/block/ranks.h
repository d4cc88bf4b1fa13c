/* ranks - a column of codes, each written as its rank among the codes that its context used last.
 *
 * Shape:   the values of a context stand together. Each context keeps a list of at most RANKS_KEPT codes: the last used first, or the most
 *          used first, as is smaller. A code in it is written as its rank (0..13); another one is written as one more than the highest rank that
 *          occurs, its value goes to the escapes, and it enters the list. The first value of a context is an escape without a rank.
 *          So codes that follow from their context are zeros, and a stream of zeros is not written. Where ranks gain nothing the codes are
 *          an ints column. docs/format.md section 9.3.
 * Parts:   RANKS_PARTS parts of the column from `part` on.
 * Best:    codes numbered in the order of their first use, when several columns depend on one another: then escapes cost nothing.
 * Limits:  contexts and codes are any 32-bit numbers; the reader's memory is bounded by the count of values.
 * Threads: pure. Blocking: never. Tests: tests/unit/ranks.c
 */
#ifndef STORE_BLOCK_RANKS_H
#define STORE_BLOCK_RANKS_H

#include "store/block/ints.h"

#define RANKS_KEPT  14
#define RANKS_PARTS (2 + INTS_PARTS) /* description, ranks, escapes */

struct ranks_column {
	uint16_t column;
	uint8_t part;
	size_t count;
	const uint32_t *context; /* per value; NULL: one context for all */
};

/* Writes codes. Returns 0 or -ERR_NOMEM. */
int ranks_put(struct streams_writer *writer, const struct ranks_column *about,
	      const uint32_t *codes);

/* out_codes has room for about->count. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int ranks_get(struct streams *streams, const struct ranks_column *about, uint32_t *out_codes,
	      struct error *err);

/* What ranks_put would write, in bits, estimated; to choose among contexts. UINT64_MAX without memory. */
uint64_t ranks_cost(const uint32_t *codes, const uint32_t *context, size_t count);

#endif
