/* chance - the world's own random numbers: the same seed gives the same sequence everywhere.
 *
 * Shape:   xoshiro256** seeded by splitmix64. Never for secrets.
 * Threads: one struct chance per thread. Blocking: never. Errors: none.
 * Source:  Blackman, Vigna: "Scrambled Linear Pseudorandom Number Generators" (2018). Tests: tests/unit/world.c
 */
#ifndef TESTS_SIM_CHANCE_H
#define TESTS_SIM_CHANCE_H

#include "base/buf.h"

#include <stdint.h>

struct chance {
	uint64_t state[4];
};

/* Starts the sequence of a seed. */
void chance_init(struct chance *chance, uint64_t seed);

/* 64 random bits. */
uint64_t chance_u64(struct chance *chance);

/* A number in [0, bound); bound >= 1. */
uint64_t chance_below(struct chance *chance, uint64_t bound);

/* A number in [low, high); low < high. */
int64_t chance_between(struct chance *chance, int64_t low, int64_t high);

/* True in permille of 1000 cases. */
bool chance_permille(struct chance *chance, uint32_t permille);

/* A number in [0, 1). */
double chance_unit(struct chance *chance);

/* A log-normal number with this median and sigma (the normal is a sum of twelve uniforms, so at most 6 sigma). */
double chance_lognormal(struct chance *chance, double median, double sigma);

/* A rank in [0, count) by Zipf's law with exponent 0.9, by rejection-free inversion of the continuous law; count >= 1. */
uint32_t chance_zipf(struct chance *chance, uint32_t count);

/* Fills out with random bytes. */
void chance_bytes(struct chance *chance, uint8_t *out, size_t size);

/* Appends a random UUID (version 4) in lower case; count lower-case hexadecimal digits. */
void chance_put_uuid(struct chance *chance, struct buf *buf);
void chance_put_hex(struct chance *chance, size_t count, struct buf *buf);

#endif
