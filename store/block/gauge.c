#include "store/block/gauge.h"

#include "base/hash.h"
#include "store/block/groups.h"
#include "store/block/ints-form.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS      65536
#define WORDS_MAX    (1u << 24)
#define ONCE_OF_TEN  10 /* more than one in ten that stands once: the sample is too small */
#define BITS_PER_NAT 1.4426950408889634

struct slot {
	uint64_t value;
	uint32_t count;
};

struct gauge {
	struct slot *slots; /* of one context or bucket */
	size_t slot_room;
	uint64_t *rest; /* numbers of small buckets */
	size_t rest_count, rest_room;
	uint64_t *scratch; /* symbols, or codes of a context */
	size_t scratch_room;
	struct u64map words;
	struct hash_key key;
	double *bits; /* by column */
	bool failed;
};

struct gauge *gauge_new(void)
{
	struct gauge *gauge = calloc(1, sizeof *gauge);
	if (gauge == NULL) {
		return NULL;
	}
	gauge->bits = calloc(COLUMNS, sizeof gauge->bits[0]);
	gauge->key = hash_key_random();
	u64map_init(&gauge->words, WORDS_MAX);
	if (gauge->bits == NULL) {
		gauge_free(gauge);
		return NULL;
	}
	return gauge;
}

void gauge_free(struct gauge *gauge)
{
	if (gauge == NULL) {
		return;
	}
	u64map_done(&gauge->words);
	free(gauge->slots);
	free(gauge->rest);
	free(gauge->scratch);
	free(gauge->bits);
	free(gauge);
}

bool gauge_failed(const struct gauge *gauge)
{
	return gauge->failed;
}

/* Room for count numbers; what stands there stays. */
static bool make_room(struct gauge *gauge, uint64_t **numbers, size_t *room, size_t count)
{
	if (count <= *room) {
		return true;
	}
	size_t wanted = count + count / 2;
	uint64_t *grown = realloc(*numbers, wanted * sizeof grown[0]);
	if (grown == NULL) {
		gauge->failed = true;
		return false;
	}
	*numbers = grown;
	*room = wanted;
	return true;
}

struct counted {
	size_t distinct, once;
	double bits; /* n H */
};

static size_t table_size(size_t count)
{
	size_t size = 16;
	while (size < 2 * count) {
		size *= 2;
	}
	return size;
}

/* Counts how often each number stands in a sample. False without memory. */
static bool count_all(struct gauge *gauge, const uint64_t *numbers, size_t count,
		      struct counted *out)
{
	size_t size = table_size(count);
	if (size > gauge->slot_room) {
		free(gauge->slots);
		gauge->slots = malloc(size * sizeof gauge->slots[0]);
		gauge->slot_room = gauge->slots != NULL ? size : 0;
	}
	if (gauge->slots == NULL) {
		gauge->failed = true;
		return false;
	}
	memset(gauge->slots, 0, size * sizeof gauge->slots[0]);
	*out = (struct counted){0};
	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)hash_u64(numbers[i]) & (size - 1);
		while (gauge->slots[at].count != 0 && gauge->slots[at].value != numbers[i]) {
			at = (at + 1) & (size - 1);
		}
		gauge->slots[at].value = numbers[i];
		gauge->slots[at].count++;
	}
	for (size_t at = 0; at < size; at++) {
		uint32_t n = gauge->slots[at].count;
		out->distinct += n > 0;
		out->once += n == 1;
		out->bits -= n > 1 ? n * log2(n) : 0;
	}
	out->bits += (double)count * log2((double)count);
	return true;
}

static double corrected(const struct counted *counted)
{
	return counted->bits + (double)(counted->distinct - 1) * BITS_PER_NAT / 2;
}

static bool is_one(const uint64_t *numbers, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (numbers[i] != numbers[0]) {
			return false;
		}
	}
	return true;
}

double gauge_codes(struct gauge *gauge, const uint32_t *codes, const uint32_t *context,
		   size_t count)
{
	struct groups groups;
	struct counted counted;
	double bits = 0;
	size_t from = 0;
	if (count == 0 || !make_room(gauge, &gauge->scratch, &gauge->scratch_room, count)) {
		return 0;
	}
	if (groups_make(context, count, &groups) != 0) {
		gauge->failed = true;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		gauge->scratch[i] = codes[groups.order != NULL ? groups.order[i] : i];
	}
	for (size_t g = 0; g < groups.count; g++) {
		const uint64_t *here = gauge->scratch + from;
		size_t n = groups.ends[g] - from;
		if (!is_one(here, n) && count_all(gauge, here, n, &counted)) {
			bits += corrected(&counted);
		}
		from = groups.ends[g];
	}
	groups_done(&groups);
	return bits;
}

/* The entropy of the magnitudes, and the bits below them. */
static double cut(struct gauge *gauge, const uint64_t *numbers, size_t count)
{
	struct counted counted;
	double below = 0;
	if (!make_room(gauge, &gauge->scratch, &gauge->scratch_room, count)) {
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		unsigned symbol = ints_symbol_of(numbers[i]);
		gauge->scratch[i] = symbol;
		below += ints_symbol_bits(symbol);
	}
	return count_all(gauge, gauge->scratch, count, &counted) ? below + corrected(&counted) : 0;
}

static double judge(struct gauge *gauge, const uint64_t *numbers, size_t count)
{
	struct counted counted;
	if (is_one(numbers, count) || !count_all(gauge, numbers, count, &counted)) {
		return 0;
	}
	return counted.once * ONCE_OF_TEN > count ? cut(gauge, numbers, count)
						  : corrected(&counted);
}

double gauge_bucket(struct gauge *gauge, const uint64_t *numbers, size_t count)
{
	if (count >= GAUGE_FEW) {
		return judge(gauge, numbers, count);
	}
	if (count > 0 &&
	    make_room(gauge, &gauge->rest, &gauge->rest_room, gauge->rest_count + count)) {
		memcpy(gauge->rest + gauge->rest_count, numbers, count * sizeof numbers[0]);
		gauge->rest_count += count;
	}
	return 0;
}

double gauge_rest(struct gauge *gauge)
{
	double bits = gauge->rest_count > 0 ? judge(gauge, gauge->rest, gauge->rest_count) : 0;
	gauge->rest_count = 0;
	return bits;
}

size_t gauge_words(struct gauge *gauge, struct str name, const struct str *texts, size_t count)
{
	size_t fresh = 0;
	uint64_t salt = hash_bytes(&gauge->key, name);
	for (size_t i = 0; i < count; i++) {
		uint64_t key = hash_u64(hash_bytes(&gauge->key, texts[i]) ^ salt);
		if (u64map_get(&gauge->words, key) != NULL) {
			continue;
		}
		fresh++;
		gauge->failed = u64map_put(&gauge->words, key, 1) != 0 || gauge->failed;
	}
	return fresh;
}

void gauge_add(struct gauge *gauge, uint16_t column, double bits, uint64_t stored_bytes)
{
	double stored = 8 * (double)stored_bytes;
	gauge->bits[column] += bits < stored ? bits : stored;
}

double gauge_take(struct gauge *gauge, uint16_t column)
{
	double bits = gauge->bits[column];
	gauge->bits[column] = 0;
	return bits;
}
