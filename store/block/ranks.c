#include "store/block/ranks.h"

#include "store/block/entropy.h"
#include "store/block/groups.h"
#include "store/block/ranks-list.h"
#include "store/block/symbols.h"

#include <assert.h>
#include <stdlib.h>

#define PLAIN_PART 64 /* a part of all bits that plain codes may cost more: they are read faster */

/* Ranks and escapes of a column. */
struct walk {
	enum ranks_kind kind;
	uint8_t *ranks; /* RANKS_KEPT: escape */
	size_t rank_count;
	uint32_t *escapes;
	size_t escape_count;
	uint32_t *ends; /* of the groups in ranks: each has one less than values */
	size_t group_count;
	bool new_first; /* escapes are distances below the next new code */
	uint32_t frequency[RANKS_KEPT + 1];
};

static void walk_done(struct walk *walk)
{
	free(walk->ranks);
	free(walk->escapes);
	free(walk->ends);
}

static uint32_t code_at(const uint32_t *codes, const struct groups *groups, size_t i)
{
	return groups->order != NULL ? codes[groups->order[i]] : codes[i];
}

/* One context: values from..end in the order of the groups. */
static void walk_group(struct walk *walk, const uint32_t *codes, const struct groups *groups,
		       const size_t range[2])
{
	struct ranks_list list = {.count = 0};
	bool by_frequency = walk->kind == RANKS_BY_FREQUENCY;
	for (size_t i = range[0]; i < range[1]; i++) {
		uint32_t code = code_at(codes, groups, i);
		unsigned rank = 0;
		if (list.count == 0 || list.code[0] != code) {
			rank = ranks_list_find(&list, code);
		}
		if (rank == RANKS_KEPT) {
			walk->escapes[walk->escape_count++] = code;
			if (by_frequency) {
				ranks_list_append(&list, code);
			} else {
				ranks_list_enter(&list, code);
			}
		} else if (by_frequency) {
			ranks_list_count(&list, rank);
		} else if (rank != 0) {
			ranks_list_recall(&list, rank);
		}
		if (i != range[0]) {
			walk->ranks[walk->rank_count++] = (uint8_t)rank;
			walk->frequency[rank]++;
		}
	}
}

static int walk_make(struct walk *walk, enum ranks_kind kind, const uint32_t *codes,
		     const struct groups *groups)
{
	size_t count = groups->count == 0 ? 0 : groups->ends[groups->count - 1];
	*walk = (struct walk){.kind = kind};
	walk->ranks = malloc(count + 1);
	walk->escapes = malloc((count + 1) * sizeof(*walk->escapes));
	walk->ends = malloc((groups->count + 1) * sizeof(*walk->ends));
	walk->group_count = groups->count;
	if (walk->ranks == NULL || walk->escapes == NULL || walk->ends == NULL) {
		walk_done(walk);
		*walk = (struct walk){.kind = kind};
		return -ERR_NOMEM;
	}
	for (size_t g = 0; g < groups->count; g++) {
		walk_group(walk, codes, groups,
			   (size_t[2]){g == 0 ? 0 : groups->ends[g - 1], groups->ends[g]});
		walk->ends[g] = (uint32_t)walk->rank_count;
	}
	return 0;
}

/* Escapes as numbers: codes, or their distances below the code that would be new. */
static int64_t *escape_numbers(const struct walk *walk, bool new_first)
{
	int64_t *numbers = malloc((walk->escape_count + 1) * sizeof(*numbers));
	int64_t next = 0;
	for (size_t i = 0; numbers != NULL && i < walk->escape_count; i++) {
		int64_t code = walk->escapes[i];
		numbers[i] = new_first ? next - code : code;
		next = code >= next ? code + 1 : next;
	}
	return numbers;
}

static uint64_t escapes_cost(const struct walk *walk, bool *out_new_first)
{
	uint64_t best = UINT64_MAX;
	*out_new_first = true;
	for (int k = 0; k < 2; k++) {
		int64_t *numbers = escape_numbers(walk, k == 0);
		uint64_t bits =
			numbers != NULL ? ints_cost(numbers, NULL, walk->escape_count) : UINT64_MAX;
		if (bits < best) {
			best = bits;
			*out_new_first = k == 0;
		}
		free(numbers);
	}
	return best;
}

/* Bits of the ranks with one table: enough to compare walks. */
static uint64_t ranks_bits(const struct walk *walk)
{
	return entropy_bits(walk->frequency, RANKS_KEPT + 1, walk->rank_count);
}

static uint64_t plain_cost(const uint32_t *codes, size_t count)
{
	int64_t *numbers = malloc((count + 1) * sizeof(*numbers));
	if (numbers == NULL) {
		return UINT64_MAX;
	}
	for (size_t i = 0; i < count; i++) {
		numbers[i] = codes[i];
	}
	uint64_t bits = ints_cost(numbers, NULL, count);
	free(numbers);
	return bits;
}

/* Puts the walk by frequency in the place of the one by recency when it is cheaper; an escape costs as much in both. */
static uint64_t try_frequency(const uint32_t *codes, const struct groups *groups, uint64_t escapes,
			      struct walk *io_walk)
{
	struct walk other;
	uint64_t bits = ranks_bits(io_walk) + escapes;
	if (walk_make(&other, RANKS_BY_FREQUENCY, codes, groups) != 0) {
		return bits;
	}
	uint64_t own = escapes * other.escape_count / io_walk->escape_count + ranks_bits(&other);
	if (own < bits) {
		struct walk swap = *io_walk;
		*io_walk = other;
		other = swap;
		bits = own;
	}
	walk_done(&other);
	return bits;
}

/* The cheapest kind; *out_walk is made for it unless it is RANKS_PLAIN. */
static uint64_t choose(const uint32_t *codes, const struct groups *groups, size_t count,
		       struct walk *out_walk)
{
	if (walk_make(out_walk, RANKS_BY_RECENCY, codes, groups) != 0) {
		return UINT64_MAX;
	}
	uint64_t best = escapes_cost(out_walk, &out_walk->new_first);
	if (out_walk->frequency[0] == out_walk->rank_count) {
		return best; /* all follows from the context */
	}
	best = try_frequency(codes, groups, best, out_walk);
	if (best < count) { /* less than a bit each: hardly less as plain codes */
		return best;
	}
	uint64_t plain = plain_cost(codes, count);
	if (plain < best + best / PLAIN_PART) { /* perhaps classes of contexts make ranks cheaper */
		struct symbols_place place = {.count = out_walk->rank_count,
					      .ends = out_walk->ends,
					      .group_count = out_walk->group_count};
		best = best - ranks_bits(out_walk) + symbols_cost(&place, out_walk->ranks);
	}
	if (plain < best + best / PLAIN_PART) {
		out_walk->kind = RANKS_PLAIN;
		best = plain;
	}
	return best;
}

static int put_plain(struct streams_writer *writer, const struct ranks_column *about,
		     const uint32_t *codes)
{
	int64_t *numbers = malloc(about->count * sizeof(*numbers));
	if (numbers == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < about->count; i++) {
		numbers[i] = codes[i];
	}
	struct ints_column column = {.column = about->column,
				     .part = (uint8_t)(about->part + RANKS_PART_ESCAPES),
				     .count = about->count};
	int result = ints_put(writer, &column, numbers);
	free(numbers);
	streams_put(writer, about->column, about->part, str_make(&(uint8_t){RANKS_PLAIN}, 1), 0);
	return result;
}

static int put_walk(struct streams_writer *writer, const struct ranks_column *about,
		    struct walk *walk)
{
	bool new_first = walk->new_first;
	unsigned escape = RANKS_KEPT;
	while (escape > 0 && walk->frequency[escape - 1] == 0) {
		escape--; /* one above the highest rank there is */
	}
	for (size_t i = 0; i < walk->rank_count; i++) {
		walk->ranks[i] = walk->ranks[i] == RANKS_KEPT ? (uint8_t)escape : walk->ranks[i];
	}
	struct symbols_place place = {.column = about->column,
				      .part = (uint8_t)(about->part + RANKS_PART_RANKS),
				      .count = walk->rank_count,
				      .ends = walk->ends,
				      .group_count = walk->group_count};
	int result = symbols_put(writer, &place, walk->ranks);
	int64_t *numbers = escape_numbers(walk, new_first);
	if (result == 0 && numbers != NULL) {
		struct ints_column column = {.column = about->column,
					     .part = (uint8_t)(about->part + RANKS_PART_ESCAPES),
					     .count = walk->escape_count};
		result = ints_put(writer, &column, numbers);
	}
	result = numbers == NULL ? -ERR_NOMEM : result;
	free(numbers);
	uint8_t description[2] = {(uint8_t)(walk->kind | (new_first ? 0 : RANKS_AS_THEY_ARE)),
				  (uint8_t)escape};
	if (description[0] != 0 || walk->frequency[0] != walk->rank_count) {
		streams_put(writer, about->column, about->part, str_make(description, 2), 0);
	}
	return result;
}

int ranks_put(struct streams_writer *writer, const struct ranks_column *about,
	      const uint32_t *codes)
{
	assert(about->count <= UINT32_MAX);
	struct groups groups;
	if (about->count == 0) {
		return 0;
	}
	int result = groups_make(about->context, about->count, &groups);
	if (result != 0) {
		return result;
	}
	struct walk walk;
	if (choose(codes, &groups, about->count, &walk) == UINT64_MAX) {
		result = -ERR_NOMEM;
	} else if (walk.kind == RANKS_PLAIN) {
		result = put_plain(writer, about, codes);
	} else {
		result = put_walk(writer, about, &walk);
	}
	walk_done(&walk);
	groups_done(&groups);
	return result;
}

uint64_t ranks_cost(const uint32_t *codes, const uint32_t *context, size_t count)
{
	struct groups groups;
	struct walk walk;
	if (count == 0 || groups_make(context, count, &groups) != 0) {
		return count == 0 ? 0 : UINT64_MAX;
	}
	uint64_t bits = choose(codes, &groups, count, &walk);
	walk_done(&walk);
	groups_done(&groups);
	return bits;
}
