#include "store/log/locator.h"

#include <string.h>

#define FIELD_BITS 16
#define FIELD_POLY 0x1100bu
#define SUMS       4

static uint16_t times_x(uint16_t value)
{
	uint32_t shifted = (uint32_t)value << 1;
	return (uint16_t)((shifted >> FIELD_BITS) != 0 ? shifted ^ FIELD_POLY : shifted);
}

static uint16_t times(uint16_t a, uint16_t b)
{
	uint16_t product = 0;
	for (; b != 0; b = (uint16_t)(b >> 1)) {
		product = (uint16_t)((b & 1) != 0 ? product ^ a : product);
		a = times_x(a);
	}
	return product;
}

/* a to the power of 2^16 - 2. */
static uint16_t inverse(uint16_t a)
{
	uint16_t result = 1;
	for (unsigned i = 1; i < FIELD_BITS; i++) {
		a = times(a, a);
		result = times(result, a);
	}
	return result;
}

void locator_add(struct locator *locator, const struct merkle_hash *leaf)
{
	uint16_t value = (uint16_t)(leaf->bytes[0] | leaf->bytes[1] << 8);
	for (unsigned k = 0; k < SUMS; k++) {
		for (unsigned i = 0; i < k; i++) {
			locator->sum[k] = times_x(locator->sum[k]);
		}
		locator->sum[k] ^= value;
	}
}

void locator_put(const struct locator *locator, uint8_t out[LOCATOR_BYTES])
{
	for (size_t k = 0; k < SUMS; k++) {
		out[2 * k] = (uint8_t)(locator->sum[k] & 0xff);
		out[2 * k + 1] = (uint8_t)(locator->sum[k] >> 8);
	}
}

struct locator locator_get(const uint8_t bytes[LOCATOR_BYTES])
{
	struct locator locator;
	for (size_t k = 0; k < SUMS; k++) {
		locator.sum[k] = (uint16_t)(bytes[2 * k] | bytes[2 * k + 1] << 8);
	}
	return locator;
}

/* Whether an error of this size stands at a^power. */
static bool fits_one(const uint16_t sum[SUMS], uint16_t at)
{
	uint16_t expected = sum[0];
	for (size_t k = 1; k < SUMS; k++) {
		expected = times(expected, at);
		if (expected != sum[k]) {
			return false;
		}
	}
	return sum[0] != 0;
}

/* The two places whose powers are the roots of x^2 + sigma[0] x + sigma[1]. */
static bool roots(const uint16_t power[LOCATOR_GROUP], const uint16_t sigma[2],
		  unsigned out_places[LOCATOR_MAX])
{
	size_t found = 0;
	for (unsigned i = 0; i < LOCATOR_GROUP && found < LOCATOR_MAX; i++) {
		if (times(power[i], power[i] ^ sigma[0]) == sigma[1]) {
			out_places[found++] = i;
		}
	}
	return found == LOCATOR_MAX;
}

/* Two errors, at x and y: each sum is then that before it, times x + y, plus the one before that, times x y. Not 0: the sums of one error or none. */
static bool fits_two(const uint16_t sum[SUMS], const uint16_t power[LOCATOR_GROUP],
		     unsigned out_places[LOCATOR_MAX])
{
	uint16_t divisor = times(sum[1], sum[1]) ^ times(sum[0], sum[2]);
	if (divisor == 0) {
		return false;
	}
	uint16_t by = inverse(divisor);
	const uint16_t sigma[2] = {
		times(times(sum[0], sum[3]) ^ times(sum[1], sum[2]), by),
		times(times(sum[1], sum[3]) ^ times(sum[2], sum[2]), by),
	};
	return roots(power, sigma, out_places);
}

size_t locator_find(const struct locator *was, const struct locator *is,
		    unsigned out_places[LOCATOR_MAX])
{
	uint16_t sum[SUMS];
	uint16_t power[LOCATOR_GROUP]; /* of a, for each place */
	uint16_t next = 1;
	for (size_t k = 0; k < SUMS; k++) {
		sum[k] = was->sum[k] ^ is->sum[k];
	}
	for (size_t i = LOCATOR_GROUP; i-- > 0; next = times_x(next)) {
		power[i] = next;
	}
	for (unsigned i = 0; i < LOCATOR_GROUP; i++) {
		if (fits_one(sum, power[i])) {
			out_places[0] = i;
			return 1;
		}
	}
	return fits_two(sum, power, out_places) ? 2 : 0;
}
