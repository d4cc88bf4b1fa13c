#include "correlator/join/fingerprint.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static uint64_t sip_finish(struct sip *s)
{
	for (int round = 0; round < 4; round++) {
		sip_round(s);
	}
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct fingerprint fingerprint_of(const struct hash_key *key, struct str text)
{
	struct sip s = {
		.v0 = 0x736f6d6570736575ULL ^ key->k0,
		.v1 = 0x646f72616e646f6dULL ^ key->k1 ^ 0xee,
		.v2 = 0x6c7967656e657261ULL ^ key->k0,
		.v3 = 0x7465646279746573ULL ^ key->k1,
	};
	size_t at = 0;
	for (; text.len - at >= 8; at += 8) {
		uint64_t word;
		memcpy(&word, text.ptr + at, 8);
		sip_word(&s, word);
	}
	uint64_t last = (uint64_t)text.len << 56;
	for (size_t i = 0; at + i < text.len; i++) {
		last |= (uint64_t)(uint8_t)text.ptr[at + i] << (8 * i);
	}
	sip_word(&s, last);
	struct fingerprint print;
	s.v2 ^= 0xee;
	print.lo = sip_finish(&s);
	s.v1 ^= 0xdd;
	print.hi = sip_finish(&s);
	return print;
}

struct fingerprint fingerprint_fixed(struct str text)
{
	static const struct hash_key key = {.k0 = 0x7175657279747261ULL,
					    .k1 = 0x696c206a6f696e21ULL};
	return fingerprint_of(&key, text);
}

struct fingerprint fingerprint_with(struct fingerprint print, uint64_t number)
{
	uint64_t mixed = hash_u64(number + 0x9e3779b97f4a7c15ULL);
	return (struct fingerprint){.lo = hash_u64(print.lo ^ mixed),
				    .hi = hash_u64(print.hi + rotate(mixed, 29))};
}
