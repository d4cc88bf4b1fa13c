/* fingerprint - 128 bits that stand for a text, so that ids need not be kept as text.
 *
 * Shape:   SipHash-2-4 with 128-bit output. With a random key nobody outside can make two texts share a fingerprint, and by
 *          chance it happens once in 2^64 pairs; so equal fingerprints are taken as equal texts.
 * Rules:   never stored or shown; only orders and checksums that must be the same in each run use fingerprint_fixed.
 * Threads: pure, but fingerprint_key_random, which reads getrandom(2) once.
 * Source:  Aumasson, Bernstein: "SipHash: a fast short-input PRF" (2012). Tests: tests/unit/fingerprint.c
 */
#ifndef CORRELATOR_JOIN_FINGERPRINT_H
#define CORRELATOR_JOIN_FINGERPRINT_H

#include "base/hash.h"
#include "base/str.h"

#include <stdint.h>

struct fingerprint {
	uint64_t lo, hi;
};

/* The fingerprint of text under a key. */
struct fingerprint fingerprint_of(const struct hash_key *key, struct str text);

/* The same under a key that is known to all: for tie-breaks and change checks. */
struct fingerprint fingerprint_fixed(struct str text);

/* A fingerprint that also stands for a number: one more part of a key. */
struct fingerprint fingerprint_with(struct fingerprint print, uint64_t number);

/* Whether both stand for the same text. */
static inline bool fingerprint_equal(struct fingerprint a, struct fingerprint b)
{
	return a.lo == b.lo && a.hi == b.hi;
}

#endif
