/* ints - a column of 64-bit integers as streams: chosen per column among constant, rising, delta, scaled; then byte planes.
 *
 * Shape:   the values may be regrouped by bucket first (stable: all of bucket 0, then 1, ..), so that values of one nature stand together.
 *          Then: subtract the base, divide by the common scale, perhaps take differences, and write what is left as byte planes (plane b = byte b
 *          of all values, each a part of its own), as magnitudes (a symbol of few bits and the bits below it, for what spreads over
 *          orders of magnitude) or as places in a list of the distinct values. A column of zeros has no stream; a constant one
 *          few bytes. docs/format.md section 9.2.
 * Parts:   INTS_PARTS parts of the column from `part` on.
 * Choice:  the form is chosen by estimated size (entropy of the planes), so it never matters for the result, only for the size.
 * Limits:  at most UINT32_MAX values.
 * Threads: pure. Blocking: never. Tests: tests/unit/ints.c
 */
#ifndef STORE_BLOCK_INTS_H
#define STORE_BLOCK_INTS_H

#include "store/block/streams.h"

#define INTS_PARTS 9 /* description, then up to eight planes */

struct ints_column {
	uint16_t column;
	uint8_t part;
	size_t count;
	const uint32_t *bucket; /* per value, or NULL; the reader must give the same */
	bool is_part;           /* of something whose values a gauge is told by others */
};

/* Writes values. Returns 0 or -ERR_NOMEM. */
int ints_put(struct streams_writer *writer, const struct ints_column *about, const int64_t *values);

/* Reads them into out_values, which has room for about->count. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int ints_get(struct streams *streams, const struct ints_column *about, int64_t *out_values,
	     struct error *err);

/* What ints_put would write, in bits, estimated over a sample. 0 also without memory. */
uint64_t ints_cost(const int64_t *values, const uint32_t *bucket, size_t count);

#endif
