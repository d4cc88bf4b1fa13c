#include "base/hash.h"

#include <assert.h>
#include <sys/random.h>

struct hash_key hash_key_random(void)
{
	struct hash_key key;
	ssize_t got = getrandom(&key, sizeof(key), 0);
	assert(got ==
	       (ssize_t)sizeof(key)); /* up to 256 bytes always come whole once the pool is ready */
	(void)got;
	return key;
}

static uint64_t rotate(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t hash_bytes(const struct hash_key *key, struct str bytes)
{
	uint64_t v[4] = {
		key->k0 ^ UINT64_C(0x736f6d6570736575), key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261), key->k1 ^ UINT64_C(0x7465646279746573)};
	size_t whole = bytes.len & ~(size_t)7;
	for (size_t i = 0; i < whole; i += 8) {
		uint64_t word;
		memcpy(&word, bytes.ptr + i, 8);
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	uint64_t last = (uint64_t)bytes.len << 56;
	for (size_t i = whole; i < bytes.len; i++) {
		last |= (uint64_t)(uint8_t)bytes.ptr[i] << (8 * (i - whole));
	}
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++) {
		sip_round(v);
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *at, size_t len)
{
	uint64_t word = 0;
	memcpy(&word, at, len);
	return word;
}

uint64_t hash_fast(const struct hash_key *key, struct str bytes)
{
	uint64_t k0 = key->k0 ^ UINT64_C(0xa0761d6478bd642f);
	uint64_t k1 = key->k1 ^ UINT64_C(0xe7037ed1a0b428db);
	uint64_t a = k1 ^ UINT64_C(0x589965cc75374cc3), b = k0 ^ bytes.len;
	const char *at = bytes.ptr;
	size_t left = bytes.len;
	for (; left > 32; left -= 32, at += 32) {
		a = fold(load(at, 8) ^ k0, load(at + 8, 8) ^ a);
		b = fold(load(at + 16, 8) ^ k1, load(at + 24, 8) ^ b);
	}
	for (; left > 0;) {
		size_t here = left < 8 ? left : 8;
		a = fold(load(at, here) ^ k1, a ^ left);
		at += here;
		left -= here;
	}
	return fold(a ^ UINT64_C(0x8ebc6af09c88c6e3), b ^ k0);
}

uint64_t hash_u64(uint64_t value)
{
	value ^= value >> 30;
	value *= UINT64_C(0xbf58476d1ce4e5b9);
	value ^= value >> 27;
	value *= UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}
