/* locator - eight bytes over the 256 leaves of a group, from which up to two that are not what they were can be told.
 *
 * Shape:   v(i) is the number of the first two bytes of leaf i's hash, little-endian, as an element of GF(2^16) with x^16 + x^12 + x^3 + x + 1; a is the element x. The
 *          locator is four numbers, s(k) = sum over i of v(i) * a^(k * (255 - i)) for k = 0 to 3.
 * Use:     the root tells that a group is wrong, the locator which leaf: it is a help for the reader of a report, no proof, and is not under the root.
 * Threads: pure. Blocking: never. Source: Reed and Solomon, Polynomial Codes over Certain Finite Fields, 1960; docs/format.md section 11.3. Tests: tests/unit/locator.c
 */
#ifndef STORE_LOG_LOCATOR_H
#define STORE_LOG_LOCATOR_H

#include "base/merkle.h"

#define LOCATOR_GROUP 256 /* leaves */
#define LOCATOR_BYTES 8
#define LOCATOR_MAX   2 /* leaves that it can tell */

struct locator {
	uint16_t sum[4];
};

/* Takes the next leaf of the group in. An empty locator is all zero. */
void locator_add(struct locator *locator, const struct merkle_hash *leaf);

/* Its bytes, each number little-endian; and back. */
void locator_put(const struct locator *locator, uint8_t out[LOCATOR_BYTES]);
struct locator locator_get(const uint8_t bytes[LOCATOR_BYTES]);

/* The places (0 to 255, rising) of the leaves in which two groups differ. Returns how many, or 0 when it can't tell. */
size_t locator_find(const struct locator *was, const struct locator *is,
		    unsigned out_places[LOCATOR_MAX]);

#endif
