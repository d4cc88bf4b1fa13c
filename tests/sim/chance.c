#include "tests/sim/chance.h"

#include <assert.h>
#include <math.h>

void chance_init(struct chance *chance, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++) {
		seed += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t z = seed;
		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		chance->state[i] = z ^ (z >> 31);
	}
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return (value << bits) | (value >> (64 - bits));
}

uint64_t chance_u64(struct chance *chance)
{
	uint64_t *s = chance->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t chance_below(struct chance *chance, uint64_t bound)
{
	assert(bound >= 1);
	return (uint64_t)(((unsigned __int128)chance_u64(chance) * bound) >> 64);
}

int64_t chance_between(struct chance *chance, int64_t low, int64_t high)
{
	assert(low < high);
	return low + (int64_t)chance_below(chance, (uint64_t)(high - low));
}

bool chance_permille(struct chance *chance, uint32_t permille)
{
	return chance_below(chance, 1000) < permille;
}

double chance_unit(struct chance *chance)
{
	return (double)(chance_u64(chance) >> 11) * 0x1p-53;
}

double chance_lognormal(struct chance *chance, double median, double sigma)
{
	double sum = -6.0;
	for (int i = 0; i < 12; i++) {
		sum += chance_unit(chance);
	}
	return median * exp(sum * sigma);
}

uint32_t chance_zipf(struct chance *chance, uint32_t count)
{
	assert(count >= 1);
	/* the integral of x^-0.9 from 1 to x is 10 (x^0.1 - 1) */
	double top = pow((double)count + 1.0, 0.1) - 1.0;
	double x = pow(1.0 + chance_unit(chance) * top, 10.0) - 1.0;
	uint32_t rank = x > 0 ? (uint32_t)x : 0;
	return rank < count ? rank : count - 1;
}

void chance_bytes(struct chance *chance, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		out[i] = (uint8_t)(chance_u64(chance) >> 56);
	}
}

void chance_put_hex(struct chance *chance, size_t count, struct buf *buf)
{
	for (size_t i = 0; i < count; i++) {
		buf_put_byte(buf, (uint8_t) "0123456789abcdef"[chance_below(chance, 16)]);
	}
}

void chance_put_uuid(struct chance *chance, struct buf *buf)
{
	chance_put_hex(chance, 8, buf);
	buf_put_byte(buf, '-');
	chance_put_hex(chance, 4, buf);
	buf_put_text(buf, "-4");
	chance_put_hex(chance, 3, buf);
	buf_put_byte(buf, '-');
	buf_put_byte(buf, (uint8_t) "89ab"[chance_below(chance, 4)]);
	chance_put_hex(chance, 3, buf);
	buf_put_byte(buf, '-');
	chance_put_hex(chance, 12, buf);
}
