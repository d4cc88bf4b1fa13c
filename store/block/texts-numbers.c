#include "store/block/texts-writer.h"

#include <stdlib.h>

/* How the numbers of each bucket are kept, and their streams. */

static unsigned bits_of(uint64_t value)
{
	return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

/* About 16 * log2(value), value >= 1. */
static uint64_t log_of(uint64_t value)
{
	unsigned bits = bits_of(value);

	/* four digits behind the point, as the bits below the first one are nearly the fraction */
	return (uint64_t)(bits - 1) * 16 +
	       ((bits > 5 ? value >> (bits - 5) : value << (5 - bits)) & 15);
}

/* A bucket: what its numbers are like. */
struct range {
	int64_t least, most;
	size_t count;
};

static void widen(struct range *range, int64_t value)
{
	range->least = range->count == 0 || value < range->least ? value : range->least;
	range->most = range->count == 0 || value > range->most ? value : range->most;
	range->count++;
}

static uint64_t reach_of(const struct range *range)
{
	return (uint64_t)range->most - (uint64_t)range->least;
}

struct numbers {
	struct texts_order *order;
	size_t count;
	int64_t *values; /* by bucket */
	uint8_t *refs;   /* likewise */
	int64_t *modes;  /* of each bucket with numbers, in order */
	int64_t *bases;
	size_t bucket_count;
	int64_t *out; /* refs, or the values of a class */
};

/* Sixteenths of bits that refs take beside the values that are new. */
static uint64_t cost_of_refs(const uint8_t *refs, size_t count)
{
	size_t seen[TEXTS_POOL + 1] = {0};
	uint64_t cost = 0;

	for (size_t i = 0; i < count; i++) {
		seen[refs[i]]++;
	}
	for (size_t i = 0; i <= TEXTS_POOL; i++) {
		cost += seen[i] > 0 ? seen[i] * (log_of(count) - log_of(seen[i])) : 0;
	}
	return cost;
}

static unsigned class_of(const struct range *range, uint8_t kind)
{
	unsigned bits = bits_of(reach_of(range));

	if (bits == 0) {
		return 0;
	}
	if (kind == PATTERN_DECIMAL) {
		return TEXTS_CLASSES;
	}
	return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 24 ? 3 : 4;
}

/* A base that like buckets share: the least value without the bits that do not matter. */
static int64_t base_of(const struct range *range)
{
	unsigned bits = bits_of(reach_of(range));
	unsigned drop = bits > 3 ? bits - 3 : 0;

	if (range->count == 0) {
		return 0;
	}
	/* numbers have at most 18 digits: what is dropped moves no sign */
	return drop < 63 ? (int64_t)((uint64_t)range->least >> drop << drop) : range->least;
}

/* Chooses how a bucket is kept. */
static void choose(struct numbers *numbers, size_t first, size_t end, uint8_t kind)
{
	const int64_t *values = numbers->values;
	struct range all = {.count = 0};
	struct range fresh = {.count = 0};
	uint64_t with_refs;
	bool direct;

	for (size_t i = first; i < end; i++) {
		widen(&all, values[i]);
		if (numbers->refs[i] == 0) {
			widen(&fresh, values[i]);
		}
	}
	with_refs = cost_of_refs(numbers->refs + first, end - first) +
		    (fresh.count > 0 ? fresh.count * log_of(reach_of(&fresh) + 1) : 0);
	direct = all.count * log_of(reach_of(&all) + 1) <= with_refs + 32;
	numbers->modes[numbers->bucket_count] =
		direct ? TEXTS_MODE_ALL | class_of(&all, kind) : class_of(&fresh, kind);
	numbers->bases[numbers->bucket_count++] = base_of(direct ? &all : &fresh);
}

/* Sorts numbers and refs by bucket. */
static bool sort(struct numbers *numbers)
{
	struct texts_writer *writer = numbers->order->writer;
	struct texts_log *log = &writer->logs[TEXTS_POOLED];
	struct texts_log numbered = {.bucket = log->bucket, .count = log->count};

	numbers->count = log->count;
	numbers->values = malloc((log->count + 1) * sizeof(*numbers->values));
	numbers->refs = malloc(log->count + 1);
	numbers->modes = malloc((writer->bucket_count + 1) * sizeof(*numbers->modes));
	numbers->bases = malloc((writer->bucket_count + 1) * sizeof(*numbers->bases));
	numbers->out = malloc((log->count + 1) * sizeof(*numbers->out));
	if (numbers->values == NULL || numbers->refs == NULL || numbers->modes == NULL ||
	    numbers->bases == NULL || numbers->out == NULL) {
		return false;
	}
	numbered.value = numbers->out;
	for (size_t i = 0; i < log->count; i++) {
		numbered.value[i] = (int64_t)i;
	}
	texts_sort_log(numbers->order, &numbered, numbers->order->bucket, writer->bucket_count);
	for (size_t i = 0; i < log->count; i++) {
		size_t from = (size_t)numbers->order->sorted[i];

		numbers->values[i] = log->value[from];
		numbers->refs[i] = (uint8_t)writer->refs.ptr[from];
	}
	return true;
}

/* Writes the refs (class 0) or the values of a class. */
static int put_stream(struct numbers *numbers, unsigned class)
{
	const size_t *starts = numbers->order->starts;
	size_t used = 0;
	size_t bucket = 0;

	for (size_t place = 0; place < numbers->order->writer->bucket_count; place++) {
		int64_t mode;
		int64_t base;

		if (starts[place] == starts[place + 1]) {
			continue;
		}
		mode = numbers->modes[bucket];
		base = numbers->bases[bucket++];
		if (class == 0 ? (mode & TEXTS_MODE_ALL) != 0
			       : (mode & TEXTS_MODE_CLASS) != class) {
			continue;
		}
		for (size_t i = starts[place]; i < starts[place + 1]; i++) {
			if (class == 0) {
				numbers->out[used++] = numbers->refs[i];
			} else if ((mode & TEXTS_MODE_ALL) != 0 || numbers->refs[i] == 0) {
				numbers->out[used++] = numbers->values[i] - base;
			}
		}
	}
	return texts_put_ints(numbers->order,
			      class == 0 ? TEXTS_PART_REFS
					 : TEXTS_PART_CLASSES + (class - 1) * INTS_PARTS,
			      numbers->out, used);
}

int texts_put_numbers(struct texts_order *order)
{
	struct numbers numbers = {.order = order};
	int result = sort(&numbers) ? 0 : -ERR_NOMEM;

	for (size_t place = 0; place < order->writer->bucket_count && result == 0; place++) {
		if (order->starts[place] < order->starts[place + 1]) {
			choose(&numbers, order->starts[place], order->starts[place + 1],
			       order->writer->buckets[order->by_place[place]].kind);
		}
	}
	if (result == 0) {
		result = texts_put_ints(order, TEXTS_PART_MODES, numbers.modes,
					numbers.bucket_count);
	}
	if (result == 0) {
		result = texts_put_ints(order, TEXTS_PART_BASES, numbers.bases,
					numbers.bucket_count);
	}
	for (unsigned class = 0; class <= TEXTS_CLASSES && result == 0; class ++) {
		result = put_stream(&numbers, class);
	}
	free(numbers.values);
	free(numbers.refs);
	free(numbers.modes);
	free(numbers.bases);
	free(numbers.out);
	return result;
}
