/* dice - random draws of the bench's data set, each with its information content.
 *
 * Shape:   every draw that reaches the output adds -log2 of its probability, at the resolution that the output keeps, to the counter
 *          of its field; so the sum is what no coder can go below on average (the entropy floor). Draws by dice_unit count nothing.
 * Order:   the same seed gives the same draws on the same machine; exp and log of another C library may differ in the last digit.
 * Threads: one struct dice per thread. Blocking: never.
 * Tests:   tests/unit/dice.c
 */
#ifndef TESTS_BENCH_DICE_H
#define TESTS_BENCH_DICE_H

#include <stddef.h>
#include <stdint.h>

enum world_field {
#define WORLD_FIELD(name, text) WORLD_##name,
#include "tests/bench/world-field.def"
#undef WORLD_FIELD
	WORLD_FIELD_COUNT
};

/* The name of a field in floor.json. */
const char *world_field_name(enum world_field field);

struct dice {
	uint64_t state[4]; /* xoshiro256++ (Blackman, Vigna 2018) */
	double spare;      /* the second of a pair of normal values */
	int has_spare;
	double bits[WORLD_FIELD_COUNT];
};

/* Numbers 0 .. count - 1 with probability proportional to (i + 1)^-exponent. */
#define ZIPF_MAX 5000
struct zipf {
	size_t count;
	double up_to[ZIPF_MAX]; /* probability of 0 .. i */
	double bits[ZIPF_MAX];
};

/* The floor or round of a lognormal value: its parameters and, filled as they come, the bits of its small values. */
#define LOGNORMAL_CACHE 512
struct lognormal {
	double mu, sigma;
	float bits[LOGNORMAL_CACHE]; /* 0: not yet computed */
};

/* Starts a sequence; all counters 0. */
void dice_init(struct dice *dice, uint64_t seed);

/* 64 random bits; counts nothing. */
uint64_t dice_u64(struct dice *dice);

/* Uniform in [0, 1); counts nothing. */
double dice_unit(struct dice *dice);

/* Standard normal; counts nothing. */
double dice_normal(struct dice *dice);

/* Uniform in 0 .. count - 1, count >= 1: log2(count) bits. */
uint32_t dice_below(struct dice *dice, enum world_field field, uint32_t count);

/* True with this probability (between 0 and 1, both excluded). */
int dice_chance(struct dice *dice, enum world_field field, double probability);

/* 16 bytes of a UUID version 4: 122 bits. */
void dice_uuid(struct dice *dice, enum world_field field, uint8_t out[16]);

/* A gap of a Poisson process with this mean, counted at a resolution of step (same unit). */
double dice_gap(struct dice *dice, enum world_field field, double mean, double step);

/* Prepares a table; count <= ZIPF_MAX. */
void zipf_init(struct zipf *zipf, size_t count, double exponent);

/* A number of the table. */
uint32_t dice_zipf(struct dice *dice, enum world_field field, const struct zipf *zipf);

/* Prepares a form; both above 0. */
void lognormal_init(struct lognormal *form, double median, double sigma);

/* A value of the form; counts the bits of its integer part. */
double dice_lognormal(struct dice *dice, enum world_field field, struct lognormal *form);

/* base + scale * u^power, as an integer: the ids of customers. */
uint32_t dice_power(struct dice *dice, enum world_field field, const double form[3]);

#endif
