/* ints-form - how a column of integers is written: its description, and the choice among forms by estimated size.
 *
 * Shape:   docs/format.md section 9.2. value = base + scale * y; y is what is left (steps none), or the sum of the steps so far, which
 *          are what is left plus least (rising) or its zigzag (either way).
 * Threads: pure. Blocking: never. Tests: tests/unit/ints.c
 */
#ifndef STORE_BLOCK_INTS_FORM_H
#define STORE_BLOCK_INTS_FORM_H

#include "base/wire.h"

#define INTS_LIST_MAX 256

enum ints_body { INTS_PLANES = 0, INTS_MAGNITUDES = 1, INTS_LIST = 2 };
enum ints_steps { INTS_NO_STEPS = 0, INTS_RISING = 1, INTS_EITHER_WAY = 2 };

struct ints_form {
	enum ints_body body;
	enum ints_steps steps;
	bool is_grouped;
	int64_t base;
	uint64_t scale; /* 0: all values are base, nothing follows */
	uint64_t start; /* the y before the first */
	int64_t least;  /* of rising steps */
	size_t list_count;
	uint64_t list[INTS_LIST_MAX]; /* distinct values of y in order */
};

/* Appends a description. */
void ints_form_write(const struct ints_form *form, struct buf *out);

/* Any bytes give a form or false. */
bool ints_form_read(struct str bytes, struct ints_form *out);

/* Magnitudes: 0..7 are themselves; above, four symbols for each power of two, and the bits below. */
#define INTS_SYMBOL_MAX 251

static inline unsigned ints_symbol_of(uint64_t y)
{
	if (y < 8) {
		return (unsigned)y;
	}
	unsigned top = 63u - (unsigned)__builtin_clzll(y);
	return 4 * top - 4 + ((unsigned)(y >> (top - 2)) & 3);
}

/* How many bits stand below a symbol, and what they are added to. */
static inline unsigned ints_symbol_bits(unsigned symbol)
{
	return symbol < 8 ? 0 : symbol / 4 - 1;
}

static inline uint64_t ints_symbol_base(unsigned symbol)
{
	return symbol < 8 ? symbol : (uint64_t)(4 | (symbol & 3)) << (symbol / 4 - 1);
}

/* One order of the y of a column, to be judged. */
struct ints_series {
	const uint64_t *y;
	size_t count;
};

/* Chooses steps and body for a series: sets both in form (start, least and list are left to the writer) and returns the bits estimated. */
uint64_t ints_form_choose(const struct ints_series *series, struct ints_form *form);

#endif
