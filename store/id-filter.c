#include "store/id-filter.h"

#include "base/hash.h"
#include "base/wire.h"
#include "model/carried.h"
#include "store/checksum.h"

#include <assert.h>
#include <stdlib.h>

#define MAGIC_SMALL  0x31465451u /* "QTF1" */
#define MAGIC_LARGE  0x32465451u /* "QTF2" */
#define HEADER_BYTES 28
#define CRC_BYTES    4
#define KEYS_MAX     (1u << 28)
#define SEGMENT_MAX  (1u << 18)
#define SEGMENT_MIN  4
#define SEEDS_MAX \
	256 /* that many failures in a row do not happen: one try fails in a few hundred */
#define POSITIONS       3
#define POSITION_1_BITS 18 /* the bits of a hash that move the second position begin here */

uint64_t id_filter_key(struct str id)
{
	return carried_key(id);
}

static uint64_t mix(uint64_t value)
{
	value ^= value >> 33;
	value *= UINT64_C(0xff51afd7ed558ccd);
	value ^= value >> 33;
	value *= UINT64_C(0xc4ceb9fe1a85ec53);
	return value ^ value >> 33;
}

struct positions {
	uint32_t at[POSITIONS];
};

static struct positions positions_of(const struct id_filter *filter, uint64_t hash)
{
	uint32_t mask = filter->segment_length - 1;
	struct positions positions;
	positions.at[0] = (uint32_t)((unsigned __int128)hash * filter->segment_count_length >> 64);
	positions.at[1] = positions.at[0] + filter->segment_length;
	positions.at[2] = positions.at[1] + filter->segment_length;
	positions.at[1] ^= (uint32_t)(hash >> POSITION_1_BITS) & mask;
	positions.at[2] ^= (uint32_t)hash & mask;
	return positions;
}

static uint32_t fingerprint_of(const struct id_filter *filter, uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32) & (filter->bits == ID_FILTER_SMALL ? 0xff : 0xfff);
}

static size_t fingerprint_bytes(unsigned bits, uint64_t count)
{
	return (size_t)((count * bits + 7) / 8);
}

/* Of 12 bits, two stand in three bytes, the first in the lower bits. */
static uint32_t fingerprint_at(const struct id_filter *filter, uint32_t at)
{
	if (filter->bits == ID_FILTER_SMALL) {
		return filter->fingerprints[at];
	}
	const uint8_t *bytes = filter->fingerprints + at + at / 2;
	uint32_t both = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
	return both >> at % 2 * 4 & 0xfff;
}

static void put_fingerprint(const struct id_filter *filter, uint8_t *fingerprints, uint32_t at,
			    uint32_t value)
{
	if (filter->bits == ID_FILTER_SMALL) {
		fingerprints[at] = (uint8_t)value;
		return;
	}
	uint8_t *bytes = fingerprints + at + at / 2;
	uint32_t keep = at % 2 == 0 ? 0xf000 : 0x000f;
	uint32_t both = ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8) & keep;
	both |= value << at % 2 * 4;
	bytes[0] = (uint8_t)both;
	bytes[1] = (uint8_t)(both >> 8);
}

static uint32_t fingerprint_count(const struct id_filter *filter)
{
	return filter->segment_count_length == 0
		       ? 0
		       : filter->segment_count_length + 2 * filter->segment_length;
}

bool id_filter_may_hold(const struct id_filter *filter, uint64_t key)
{
	if (filter->segment_count_length == 0) {
		return false;
	}
	uint64_t hash = mix(key + filter->seed);
	struct positions positions = positions_of(filter, hash);
	return (fingerprint_of(filter, hash) ^ fingerprint_at(filter, positions.at[0]) ^
		fingerprint_at(filter, positions.at[1]) ^
		fingerprint_at(filter, positions.at[2])) == 0;
}

/* 256 times the binary logarithm of value, rounded down; in integers, so that it is the same on every machine. */
static uint32_t log2_256(uint32_t value)
{
	uint32_t whole = 31u - (uint32_t)__builtin_clz(value);
	uint64_t rest = ((uint64_t)value << 31) >> whole; /* 1 to 2, times 2^31 */
	uint32_t log = whole;
	for (int i = 0; i < 8; i++) {
		rest = rest * rest >> 31;
		log = log << 1 | (rest >> 32 != 0 ? 1u : 0u);
		rest >>= rest >> 32 != 0 ? 1 : 0;
	}
	return log;
}

/* Sizes after the paper: segments of about 2^(log(n) / log(3.33) + 2.25), and room that falls from 1.125 * n upwards for small n. */
static void set_sizes(struct id_filter *filter, uint32_t count)
{
	uint32_t log = count > 1 ? log2_256(count) : 256;
	uint32_t exponent = (log * 1000 / 1735 + 576) / 256; /* log2(3.33) is 1.735 */
	uint32_t length = 1u << (exponent < 18 ? exponent : 18);
	/* 0.875 + 0.25 * log(1e6) / log(n), times 1000; log2(1e6) is 19.93 */
	uint64_t factor = 875 + 250u * 5102u / (log > 256 ? log : 256);
	uint64_t room = (uint64_t)count * (factor > 1125 ? factor : 1125) / 1000;
	uint64_t segments = (room + length - 1) / length;
	segments = segments > 2 ? segments - 2 : 1;
	filter->segment_length = length;
	filter->segment_count_length = (uint32_t)(segments * length);
}

/* What construction needs: per place how many keys are there and their hashes together; and the order of peeling. */
struct peeling {
	uint8_t *counts;
	uint64_t *hashes;
	uint32_t *alone; /* places that hold one key */
	uint64_t *order; /* hashes in the order in which they were taken off */
	uint32_t *place; /* where each was alone */
};

static void peeling_done(struct peeling *peeling)
{
	free(peeling->counts);
	free(peeling->hashes);
	free(peeling->alone);
	free(peeling->order);
	free(peeling->place);
}

static int peeling_init(struct peeling *peeling, uint32_t places, uint32_t keys)
{
	*peeling = (struct peeling){
		.counts = malloc(places),
		.hashes = malloc(places * sizeof(uint64_t)),
		.alone = malloc(places * sizeof(uint32_t)),
		.order = malloc(keys * sizeof(uint64_t)),
		.place = malloc(keys * sizeof(uint32_t)),
	};
	if (peeling->counts == NULL || peeling->hashes == NULL || peeling->alone == NULL ||
	    peeling->order == NULL || peeling->place == NULL) {
		peeling_done(peeling);
		return -ERR_NOMEM;
	}
	return 0;
}

/* Puts all keys in place; false when so many meet in one that it can't be counted. */
static bool add_keys(struct peeling *peeling, const struct id_filter *filter, const uint64_t *keys,
		     uint32_t count)
{
	uint32_t places = fingerprint_count(filter);
	memset(peeling->counts, 0, places);
	memset(peeling->hashes, 0, places * sizeof peeling->hashes[0]);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t hash = mix(keys[i] + filter->seed);
		struct positions positions = positions_of(filter, hash);
		for (int p = 0; p < POSITIONS; p++) {
			if (peeling->counts[positions.at[p]] == UINT8_MAX) {
				return false;
			}
			peeling->counts[positions.at[p]]++;
			peeling->hashes[positions.at[p]] ^= hash;
		}
	}
	return true;
}

/* Takes keys off that are alone in a place, one after another; returns how many could be. */
static uint32_t peel(struct peeling *peeling, const struct id_filter *filter)
{
	uint32_t waiting = 0;
	uint32_t taken = 0;
	for (uint32_t place = 0; place < fingerprint_count(filter); place++) {
		if (peeling->counts[place] == 1) {
			peeling->alone[waiting++] = place;
		}
	}
	while (waiting > 0) {
		uint32_t place = peeling->alone[--waiting];
		if (peeling->counts[place] != 1) {
			continue;
		}
		uint64_t hash = peeling->hashes[place];
		peeling->order[taken] = hash;
		peeling->place[taken++] = place;
		struct positions positions = positions_of(filter, hash);
		for (int p = 0; p < POSITIONS; p++) {
			uint32_t other = positions.at[p];
			peeling->hashes[other] ^= hash;
			if (--peeling->counts[other] == 1) {
				peeling->alone[waiting++] = other;
			}
		}
	}
	return taken;
}

/* Sets the fingerprints in reverse order: each key's own place makes its three places agree. They are zero before. */
static void assign(const struct peeling *peeling, struct id_filter *filter, uint32_t count,
		   uint8_t *fingerprints)
{
	filter->fingerprints = fingerprints;
	for (uint32_t i = count; i-- > 0;) {
		uint64_t hash = peeling->order[i];
		struct positions positions = positions_of(filter, hash);
		uint32_t value = fingerprint_of(filter, hash);
		for (int p = 0; p < POSITIONS; p++) {
			value ^= positions.at[p] != peeling->place[i]
					 ? fingerprint_at(filter, positions.at[p])
					 : 0;
		}
		put_fingerprint(filter, fingerprints, peeling->place[i], value);
	}
}

static int compare_keys(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

static uint32_t sort_keys(uint64_t *keys, size_t count)
{
	size_t kept = 0;
	if (count > 0) {
		qsort(keys, count, sizeof keys[0], compare_keys);
	}
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || keys[i] != keys[i - 1]) {
			keys[kept++] = keys[i];
		}
	}
	return (uint32_t)kept;
}

static void put_filter(const struct id_filter *filter, uint32_t count, struct buf *out)
{
	size_t start = out->len;
	wire_put_u32(out, filter->bits == ID_FILTER_SMALL ? MAGIC_SMALL : MAGIC_LARGE);
	wire_put_u32(out, count);
	wire_put_u64(out, filter->seed);
	wire_put_u32(out, filter->segment_length);
	wire_put_u32(out, filter->segment_count_length);
	wire_put_u32(out, fingerprint_count(filter));
	if (filter->fingerprints != NULL) {
		buf_put(out, filter->fingerprints,
			fingerprint_bytes(filter->bits, fingerprint_count(filter)));
	}
	if (!out->failed) {
		wire_put_u32(out, checksum_crc32c(str_make(out->ptr + start, out->len - start)));
	}
}

static int construct(struct id_filter *filter, const uint64_t *keys, uint32_t count,
		     uint8_t *fingerprints)
{
	struct peeling peeling;
	if (peeling_init(&peeling, fingerprint_count(filter), count) < 0) {
		return -ERR_NOMEM;
	}
	bool done = false;
	for (uint64_t attempt = 1; !done && attempt <= SEEDS_MAX; attempt++) {
		filter->seed = mix(attempt);
		done = add_keys(&peeling, filter, keys, count) && peel(&peeling, filter) == count;
	}
	assert(done);
	assign(&peeling, filter, count, fingerprints);
	peeling_done(&peeling);
	return 0;
}

int id_filter_build(uint64_t *keys, size_t count, enum id_filter_bits bits, struct buf *out)
{
	struct id_filter filter = {.bits = bits};
	uint8_t *fingerprints = NULL;
	assert(count < KEYS_MAX);
	uint32_t distinct = sort_keys(keys, count);
	if (distinct > 0) {
		set_sizes(&filter, distinct);
		fingerprints = calloc(fingerprint_bytes(bits, fingerprint_count(&filter)), 1);
		if (fingerprints == NULL || construct(&filter, keys, distinct, fingerprints) < 0) {
			free(fingerprints);
			return -ERR_NOMEM;
		}
	}
	put_filter(&filter, distinct, out);
	free(fingerprints);
	return out->failed ? -ERR_NOMEM : 0;
}

static int damaged(const char *what, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "a filter of ids is damaged: %s", what);
}

int id_filter_open(struct str bytes, struct id_filter *out_filter, struct error *err)
{
	if (bytes.len < HEADER_BYTES + CRC_BYTES) {
		return damaged("it is too short", err);
	}
	struct str body = str_make(bytes.ptr, bytes.len - CRC_BYTES);
	struct wire_reader wire = wire_reader(bytes);
	uint32_t magic = wire_u32(&wire);
	uint32_t count = wire_u32(&wire);
	struct id_filter filter = {.seed = wire_u64(&wire)};
	filter.segment_length = wire_u32(&wire);
	filter.segment_count_length = wire_u32(&wire);
	uint32_t places = wire_u32(&wire);
	filter.bits = magic == MAGIC_LARGE ? ID_FILTER_LARGE : ID_FILTER_SMALL;
	if ((magic != MAGIC_SMALL && magic != MAGIC_LARGE) ||
	    fingerprint_bytes(filter.bits, places) != body.len - HEADER_BYTES) {
		return damaged("its header does not fit", err);
	}
	struct wire_reader end = wire_reader(str_make(bytes.ptr + body.len, CRC_BYTES));
	if (wire_u32(&end) != checksum_crc32c(body)) {
		return damaged("its checksum is wrong", err);
	}
	uint32_t length = filter.segment_length;
	bool is_empty = count == 0 && places == 0 && filter.segment_count_length == 0;
	bool fits = length >= SEGMENT_MIN && length <= SEGMENT_MAX &&
		    (length & (length - 1)) == 0 && filter.segment_count_length % length == 0 &&
		    (uint64_t)filter.segment_count_length + 2u * length == places;
	if (!is_empty && !fits) {
		return damaged("its sizes do not fit", err);
	}
	filter.fingerprints = (const uint8_t *)bytes.ptr + HEADER_BYTES;
	*out_filter = filter;
	return 0;
}
