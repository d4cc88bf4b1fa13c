/* gauge - how few bits the values of a column could take: their empirical entropy, given what the layout codes them given.
 *
 * Codes:    of the codes of one context, n of them, K distinct: n H bits, H being their order-0 entropy, and (K - 1) / (2 ln 2) more: what
 *           counting the same sample that is judged hides (Miller and Madow, 1955).
 * Numbers:  the same for the numbers of one bucket, when at most a tenth of them stands there once only (the coverage of Good and Turing); else
 *           the sample is too small to tell how often each number comes, and the number is cut as 9.2 of docs/format.md cuts
 *           magnitudes: the entropy of the magnitudes, and the bits below as they are. Buckets of fewer than GAUGE_FEW numbers are taken together.
 * Words:    a text of a list costs what it takes there when no list of the same name had it before, else nothing.
 * Never:    more than what is stored: a coder may know more than a table of frequencies (what came just before), and then it is the floor.
 * Threads:  one per thread. Blocking: never. Source: docs/format.md section 9.11. Tests: tests/unit/gauge.c
 */
#ifndef STORE_BLOCK_GAUGE_H
#define STORE_BLOCK_GAUGE_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

#define GAUGE_FEW 16 /* numbers of a bucket that are too few to be judged alone */

struct gauge;

/* Returns NULL without memory. */
struct gauge *gauge_new(void);
void gauge_free(struct gauge *gauge);

/* The bits of codes, each given its context (NULL: one for all). A failure for lack of memory is kept: see gauge_failed. */
double gauge_codes(struct gauge *gauge, const uint32_t *codes, const uint32_t *context,
		   size_t count);

/* The bits of numbers, a bucket after the other; gauge_rest ends with those of small buckets. */
double gauge_bucket(struct gauge *gauge, const uint64_t *numbers, size_t count);
double gauge_rest(struct gauge *gauge);

/* How many of the texts no list of this name had before; they are remembered. */
size_t gauge_words(struct gauge *gauge, struct str name, const struct str *texts, size_t count);

/* Whether memory was lacking; what was told since is too little. */
bool gauge_failed(const struct gauge *gauge);

/* What a column was found to need: kept for the caller, by the number of its streams; out of stored bytes, of which it takes no more. */
void gauge_add(struct gauge *gauge, uint16_t column, double bits, uint64_t stored_bytes);

/* What was added for a column since the last time it was taken, in bits. */
double gauge_take(struct gauge *gauge, uint16_t column);

#endif
