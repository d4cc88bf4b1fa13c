/* id-filter - whether a block may hold an id: a binary fuse filter with fingerprints of 8 bits (9 to 10 bits a key, 0.4 % false hits) or 12 (14 bits, 0.02 %).
 *
 * Shape:   docs/format.md section 9.8. Keys are 64-bit SipHash values of texts (id_filter_key). Building is deterministic: the same keys give
 *          the same bytes.
 * Two per block: ids and records (stable ids of all records but verdicts). ids holds, with model/carried.h,
 *          - carried_key of the id fields of all records (request ids, trace ids, connection ids, alert ids);
 *          - carried_key_borne of each id that carried_ids says of a statement, but those which its request, in the same block, has itself
 *            in a field: the join finds by it the statements that a late request claims;
 *          - carried_key_marks of a statement's session for each bit of carried_marks: the join finds by it what governs a session;
 *          - carried_key_borne of carried_key of the stable id of a verdict's subject that is not in the block itself.
 * Threads: pure. Blocking: never. Source: Graf and Lemire, "Binary Fuse Filters" (2022). Tests: tests/unit/id-filter.c, tests/fuzz/id-filter.c
 */
#ifndef STORE_ID_FILTER_H
#define STORE_ID_FILTER_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

/* The key of an id's text: carried_key. */
uint64_t id_filter_key(struct str id);

/* The bits of a fingerprint. Ids are looked for in all blocks for each record that comes in. */
enum id_filter_bits { ID_FILTER_SMALL = 8, ID_FILTER_LARGE = 12 };

/* Appends a filter over keys, in which doubles may be; they are sorted in place. Returns 0 or -ERR_NOMEM. */
int id_filter_build(uint64_t *keys, size_t count, enum id_filter_bits bits, struct buf *out);

/* A filter over borrowed bytes. */
struct id_filter {
	uint64_t seed;
	uint32_t segment_length, segment_count_length;
	enum id_filter_bits bits;
	const uint8_t *fingerprints;
};

/* Checks bytes. Returns 0 or ERR_CORRUPT. */
int id_filter_open(struct str bytes, struct id_filter *out_filter, struct error *err);

/* False: the key is not in it. */
bool id_filter_may_hold(const struct id_filter *filter, uint64_t key);

#endif
