#include "store/block/groups.h"
#include "store/block/ranks-list.h"
#include "store/block/ranks.h"
#include "store/block/symbols.h"

#include <stdlib.h>

#define NO_ESCAPE 255

/* A column on its way back. */
struct give {
	enum ranks_kind kind;
	bool new_first;
	unsigned escape;
	struct groups groups;
	uint8_t *ranks;
	size_t rank_count, escape_count;
	int64_t *numbers; /* escapes as they are written */
	uint32_t *escapes;
	const uint8_t *rank;  /* the next one */
	const uint32_t *code; /* the next escape: there are as many as the ranks ask for */
	uint32_t *out;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for a column of a block");
}

static void give_one(const struct give *give, size_t i, uint32_t code)
{
	give->out[give->groups.order != NULL ? give->groups.order[i] : i] = code;
}

/* One context, by recency. False: a rank beyond its list. */
static bool give_recent(struct give *give, size_t from, size_t end)
{
	struct ranks_list list;
	list.count = 1;
	list.code[0] = *give->code++;
	give_one(give, from, list.code[0]);
	for (size_t i = from + 1; i < end; i++) {
		unsigned rank = *give->rank++;
		if (rank == give->escape) {
			ranks_list_enter(&list, *give->code++);
		} else if (rank >= list.count) {
			return false;
		} else if (rank != 0) {
			ranks_list_recall(&list, rank);
		}
		give_one(give, i, list.code[0]);
	}
	return true;
}

static bool give_frequent(struct give *give, size_t from, size_t end)
{
	struct ranks_list list;
	list.count = 0;
	ranks_list_append(&list, *give->code++);
	give_one(give, from, list.code[0]);
	for (size_t i = from + 1; i < end; i++) {
		unsigned rank = *give->rank++;
		if (rank == give->escape) {
			give_one(give, i, *give->code);
			ranks_list_append(&list, *give->code++);
		} else if (rank >= list.count) {
			return false;
		} else {
			give_one(give, i, list.code[rank]);
			ranks_list_count(&list, rank);
		}
	}
	return true;
}

static int get_description(struct streams *streams, const struct ranks_column *about,
			   struct give *give, struct error *err)
{
	struct str bytes;
	int result = streams_get(streams, about->column, about->part, &bytes, err);
	give->kind = RANKS_BY_RECENCY;
	give->new_first = true;
	give->escape = NO_ESCAPE;
	if (result != 0 || bytes.len == 0) {
		return result;
	}
	unsigned first = (uint8_t)bytes.ptr[0];
	unsigned kind = first & 3;
	if (first > (RANKS_AS_THEY_ARE | 3) || kind > RANKS_PLAIN ||
	    bytes.len != (kind == RANKS_PLAIN ? 1 : 2)) {
		return streams_blame(streams, about->column, "its description can't be read", err);
	}
	give->kind = (enum ranks_kind)kind;
	give->new_first = (first & RANKS_AS_THEY_ARE) == 0;
	give->escape = kind == RANKS_PLAIN ? NO_ESCAPE : (uint8_t)bytes.ptr[1];
	return 0;
}

/* How many of the bytes are this one. */
static size_t count_of(const uint8_t *bytes, size_t count, uint8_t wanted)
{
	size_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += bytes[i] == wanted ? 1 : 0;
	}
	return sum;
}

static int get_ranks(struct streams *streams, const struct ranks_column *about, struct give *give,
		     struct error *err)
{
	size_t count = about->count - give->groups.count;
	struct symbols_place place = {.column = about->column,
				      .part = (uint8_t)(about->part + RANKS_PART_RANKS),
				      .count = count,
				      .group_count = give->groups.count};
	uint32_t *ends = malloc((give->groups.count + 1) * sizeof(*ends));
	give->ranks = malloc(count + 1);
	if (give->ranks == NULL || ends == NULL) {
		free(ends);
		return no_memory(err);
	}
	for (size_t g = 0; g < give->groups.count; g++) {
		ends[g] = give->groups.ends[g] - (uint32_t)(g + 1);
	}
	place.ends = ends;
	int result = symbols_get(streams, &place, give->ranks, err);
	free(ends);
	give->escape_count = give->groups.count;
	if (result == 0) {
		give->escape_count += count_of(give->ranks, count, (uint8_t)give->escape);
	}
	give->rank = give->ranks;
	return result;
}

static int get_escapes(struct streams *streams, const struct ranks_column *about, struct give *give,
		       struct error *err)
{
	size_t count = give->escape_count;
	struct ints_column column = {.column = about->column,
				     .part = (uint8_t)(about->part + RANKS_PART_ESCAPES),
				     .count = count,
				     .is_part = true};
	give->numbers = malloc((count + 1) * sizeof(*give->numbers));
	give->escapes = malloc((count + 1) * sizeof(*give->escapes));
	if (give->numbers == NULL || give->escapes == NULL) {
		return no_memory(err);
	}
	int result = ints_get(streams, &column, give->numbers, err);
	uint64_t next = 0;
	for (size_t i = 0; result == 0 && i < count; i++) {
		uint64_t number = (uint64_t)give->numbers[i];
		uint64_t code = give->new_first ? next - number : number;
		if (code > UINT32_MAX) {
			return streams_blame(streams, about->column, "a code is out of range", err);
		}
		give->escapes[i] = (uint32_t)code;
		next = code >= next ? code + 1 : next;
	}
	give->code = give->escapes;
	return result;
}

static int give_groups(struct streams *streams, const struct ranks_column *about, struct give *give,
		       struct error *err)
{
	size_t from = 0;
	for (size_t g = 0; g < give->groups.count; g++) {
		size_t end = give->groups.ends[g];
		bool fits = give->kind == RANKS_BY_FREQUENCY ? give_frequent(give, from, end)
							     : give_recent(give, from, end);
		if (!fits) {
			return streams_blame(streams, about->column, "a rank names no code", err);
		}
		from = end;
	}
	return 0;
}

static int get_plain(struct streams *streams, const struct ranks_column *about, uint32_t *out,
		     struct error *err)
{
	struct ints_column column = {.column = about->column,
				     .part = (uint8_t)(about->part + RANKS_PART_ESCAPES),
				     .count = about->count,
				     .is_part = true};
	int64_t *numbers = malloc(about->count * sizeof(*numbers));
	if (numbers == NULL) {
		return no_memory(err);
	}
	int result = ints_get(streams, &column, numbers, err);
	uint64_t all = 0;
	for (size_t i = 0; result == 0 && i < about->count; i++) {
		all |= (uint64_t)numbers[i];
		out[i] = (uint32_t)numbers[i];
	}
	free(numbers);
	return result == 0 && all > UINT32_MAX
		       ? streams_blame(streams, about->column, "a code is out of range", err)
		       : result;
}

int ranks_get(struct streams *streams, const struct ranks_column *about, uint32_t *out_codes,
	      struct error *err)
{
	struct give give = {.out = out_codes};
	if (about->count == 0) {
		return 0;
	}
	int result = get_description(streams, about, &give, err);
	if (result != 0 || give.kind == RANKS_PLAIN) {
		return result != 0 ? result : get_plain(streams, about, out_codes, err);
	}
	result = groups_make(about->context, about->count, &give.groups) != 0 ? no_memory(err) : 0;
	if (result == 0) {
		result = get_ranks(streams, about, &give, err);
	}
	if (result == 0) {
		result = get_escapes(streams, about, &give, err);
	}
	if (result == 0) {
		result = give_groups(streams, about, &give, err);
	}
	groups_done(&give.groups);
	free(give.ranks);
	free(give.numbers);
	free(give.escapes);
	return result;
}
