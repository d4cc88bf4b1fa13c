/* entropy - bytes in about as many bits as their frequencies ask for: rANS with one or several tables.
 *
 * Shape:   the bytes stand in runs; each run is coded with one of at most ENTROPY_TABLES_MAX tables of frequencies. docs/format.md section 9.2.
 *          Four coders take turns (one, when there are few bytes), so that reading is not one chain of dependent steps.
 * Threads: pure. Blocking: never.
 * Source:  Duda, "Asymmetric numeral systems" (2013); Giesen, "Interleaved entropy coders" (2014). Tests: tests/unit/entropy.c
 */
#ifndef STORE_BLOCK_ENTROPY_H
#define STORE_BLOCK_ENTROPY_H

#include "base/buf.h"

#include <stdint.h>

#define ENTROPY_TABLES_MAX 16

/* How bytes stand in runs: run r ends at ends[r] and has table of[r]. */
struct entropy_runs {
	const uint32_t *ends;
	const uint8_t *of; /* NULL: all have table 0 */
	size_t count;
	unsigned tables;
};

/* Appends count bytes coded. Returns 0 or -ERR_NOMEM. */
int entropy_put(const uint8_t *bytes, size_t count, const struct entropy_runs *runs,
		struct buf *out);

/* Reads coded, all of it, into out_bytes, which has room for count. Returns 0, -ERR_CORRUPT or -ERR_NOMEM. */
int entropy_get(struct str coded, size_t count, const struct entropy_runs *runs,
		uint8_t *out_bytes);

/* log2 of a positive number, as a fraction of 65,536; off by less than a hundredth. */
uint64_t entropy_log2(uint64_t value);

/* The bits that bytes of these frequencies need; and with their table, about. */
uint64_t entropy_bits(const uint32_t *frequency, size_t symbols, uint64_t count);
uint64_t entropy_bits_with_table(const uint32_t frequency[256], uint64_t count);

#endif
