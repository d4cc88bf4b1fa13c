/* byteset - a set of bytes.
 *
 * Threads: pure. Tests: tests/unit/expression.c
 */
#ifndef BASE_BYTESET_H
#define BASE_BYTESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byteset {
	uint64_t bits[4];
};

static inline bool byteset_has(const struct byteset *set, uint8_t byte)
{
	return (set->bits[byte / 64] >> byte % 64 & 1) != 0;
}

static inline void byteset_add(struct byteset *set, uint8_t byte)
{
	set->bits[byte / 64] |= (uint64_t)1 << byte % 64;
}

static inline size_t byteset_count(const struct byteset *set)
{
	return (size_t)(__builtin_popcountll(set->bits[0]) + __builtin_popcountll(set->bits[1]) +
			__builtin_popcountll(set->bits[2]) + __builtin_popcountll(set->bits[3]));
}

#endif
