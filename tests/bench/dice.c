#include "tests/bench/dice.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define LOG2_E 1.4426950408889634

static const char *const names[WORLD_FIELD_COUNT] = {
#define WORLD_FIELD(name, text) text,
#include "tests/bench/world-field.def"
#undef WORLD_FIELD
};

const char *world_field_name(enum world_field field)
{
	assert(field < WORLD_FIELD_COUNT);
	return names[field];
}

static uint64_t rotate(uint64_t value, int by)
{
	return value << by | value >> (64 - by);
}

void dice_init(struct dice *dice, uint64_t seed)
{
	*dice = (struct dice){0};
	for (int i = 0; i < 4; i++) { /* splitmix64, as the authors advise */
		seed += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t z = seed;
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		dice->state[i] = z ^ z >> 31;
	}
}

uint64_t dice_u64(struct dice *dice)
{
	uint64_t *s = dice->state;
	uint64_t result = rotate(s[0] + s[3], 23) + s[0];
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

double dice_unit(struct dice *dice)
{
	return (double)(dice_u64(dice) >> 11) * 0x1p-53;
}

double dice_normal(struct dice *dice)
{
	if (dice->has_spare) {
		dice->has_spare = 0;
		return dice->spare;
	}
	double x, y, s;
	do { /* Marsaglia's polar method: ends with probability 0.785 a round */
		x = 2 * dice_unit(dice) - 1;
		y = 2 * dice_unit(dice) - 1;
		s = x * x + y * y;
	} while (s >= 1 || s <= 0);
	double factor = sqrt(-2 * log(s) / s);
	dice->spare = y * factor;
	dice->has_spare = 1;
	return x * factor;
}

uint32_t dice_below(struct dice *dice, enum world_field field, uint32_t count)
{
	assert(count >= 1);
	dice->bits[field] += log2((double)count);
	return (uint32_t)((dice_u64(dice) >> 32) * count >> 32);
}

int dice_chance(struct dice *dice, enum world_field field, double probability)
{
	int yes = dice_unit(dice) < probability;
	dice->bits[field] -= log2(yes ? probability : 1 - probability);
	return yes;
}

void dice_uuid(struct dice *dice, enum world_field field, uint8_t out[16])
{
	uint64_t a = dice_u64(dice), b = dice_u64(dice);
	memcpy(out, &a, 8);
	memcpy(out + 8, &b, 8);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
	dice->bits[field] += 122;
}

double dice_gap(struct dice *dice, enum world_field field, double mean, double step)
{
	double in_means = -log(1 - dice_unit(dice));
	dice->bits[field] += log2(mean / step) + in_means * LOG2_E;
	return in_means * mean;
}

void zipf_init(struct zipf *zipf, size_t count, double exponent)
{
	assert(count >= 1 && count <= ZIPF_MAX);
	double sum = 0;
	zipf->count = count;
	for (size_t i = 0; i < count; i++) {
		sum += pow((double)(i + 1), -exponent);
		zipf->up_to[i] = sum;
	}
	for (size_t i = 0; i < count; i++) {
		zipf->up_to[i] /= sum;
		zipf->bits[i] = log2(sum) + exponent * log2((double)(i + 1));
	}
	zipf->up_to[count - 1] = 1;
}

uint32_t dice_zipf(struct dice *dice, enum world_field field, const struct zipf *zipf)
{
	double x = dice_unit(dice);
	size_t low = 0, high = zipf->count - 1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (zipf->up_to[middle] > x) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	dice->bits[field] += zipf->bits[low];
	return (uint32_t)low;
}

void lognormal_init(struct lognormal *form, double median, double sigma)
{
	assert(median > 0 && sigma > 0);
	*form = (struct lognormal){.mu = log(median), .sigma = sigma};
}

/* The probability that a value is below x. */
static double below(const struct lognormal *form, double x)
{
	return x <= 0 ? 0 : 0.5 * erfc((form->mu - log(x)) / (form->sigma * M_SQRT2));
}

static double bits_of(struct lognormal *form, double value, double normal)
{
	if (value >= LOGNORMAL_CACHE) { /* a step of 1 is small beside the value: density */
		return log2(value * form->sigma * sqrt(2 * M_PI)) + normal * normal / 2 * LOG2_E;
	}
	size_t at = (size_t)value;
	if (form->bits[at] == 0) {
		double p = below(form, (double)at + 1) - below(form, (double)at);
		form->bits[at] = (float)-log2(p > 1e-15 ? p : 1e-15);
	}
	return (double)form->bits[at];
}

double dice_lognormal(struct dice *dice, enum world_field field, struct lognormal *form)
{
	double normal = dice_normal(dice);
	double value = exp(form->mu + form->sigma * normal);
	dice->bits[field] += bits_of(form, value, normal);
	return value;
}

uint32_t dice_power(struct dice *dice, enum world_field field, const double form[3])
{
	double u = 1 - dice_unit(dice); /* not 0 */
	/* density of scale * u^power at u: 1 / (scale * power * u^(power - 1)) */
	dice->bits[field] += log2(form[1] * form[2]) + (form[2] - 1) * log2(u);
	return (uint32_t)(form[0] + form[1] * pow(u, form[2]));
}
