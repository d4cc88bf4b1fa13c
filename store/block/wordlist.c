#include "store/block/wordlist.h"

#include "base/hash.h"
#include "base/wire.h"
#include "store/block/skeleton.h"
#include "store/block/symbols.h"
#include "store/block/wordlist-parts.h"

#include <stdlib.h>

#define LEVEL     9  /* lists are short and read often */
#define CUT_MIN   16 /* texts; below that places gain nothing */
#define FRONT_MAX 255

/* A text as it is written. */
struct cut {
	size_t start, len; /* of its skeleton in bytes */
	size_t number, number_count;
	uint32_t place; /* of the text in the list */
};

struct cuts {
	struct cut *cut;
	size_t count;
	struct buf bytes, numbers;
};

static void cuts_done(struct cuts *cuts)
{
	free(cuts->cut);
	buf_done(&cuts->bytes);
	buf_done(&cuts->numbers);
}

static struct str skeleton_of(const struct cuts *cuts, size_t i)
{
	return str_make(cuts->bytes.ptr + cuts->cut[i].start, cuts->cut[i].len);
}

static const int64_t *numbers_of(const struct cuts *cuts, size_t i)
{
	const void *all = cuts->numbers.ptr;
	return (const int64_t *)all + cuts->cut[i].number;
}

/* Cuts texts. When many end up with a skeleton of their own there is nothing to gain, and they stay whole. */
static int cut_all(const struct str *texts, size_t count, enum skeleton_cut cut, struct cuts *out)
{
	buf_clear(&out->bytes);
	buf_clear(&out->numbers);
	for (size_t i = 0; i < count; i++) {
		size_t start = out->bytes.len, number = out->numbers.len / sizeof(int64_t);
		skeleton_split(texts[i], cut, &out->bytes, &out->numbers);
		out->cut[i] =
			(struct cut){.start = start,
				     .len = out->bytes.len - start,
				     .number = number,
				     .number_count = out->numbers.len / sizeof(int64_t) - number,
				     .place = (uint32_t)i};
	}
	return out->bytes.failed || out->numbers.failed ? -ERR_NOMEM : 0;
}

/* Numbers the distinct skeletons in the order of their first use. */
static int number_skeletons(const struct cuts *cuts, int64_t *out_skeleton, size_t *out_count)
{
	struct strmap map;
	int result = 0;
	strmap_init(&map, WORDLIST_TEXTS_MAX);
	*out_count = 0;
	for (size_t i = 0; result == 0 && i < cuts->count; i++) {
		uint64_t *known = strmap_get(&map, skeleton_of(cuts, i));
		out_skeleton[i] = known != NULL ? (int64_t)*known : (int64_t)*out_count;
		if (known == NULL) {
			result = strmap_put(&map, skeleton_of(cuts, i), (*out_count)++);
		}
	}
	strmap_done(&map);
	return result;
}

/* Cuts the texts in the way that suits them; out_skeleton, when not NULL, gets the number of each one's skeleton. */
static int cut_texts(const struct str *texts, size_t count, struct cuts *out, int64_t *skeleton,
		     size_t *out_skeletons)
{
	bool has_wide = false;
	*out = (struct cuts){.count = count};
	buf_init(&out->bytes, 2 * (size_t)STREAM_BYTES_MAX);
	buf_init(&out->numbers, 0);
	out->cut = malloc((count + 1) * sizeof(*out->cut));
	if (out->cut == NULL || buf_reserve(&out->bytes, 1) != 0 ||
	    buf_reserve(&out->numbers, sizeof(int64_t)) !=
		    0) { /* so that both have a place in memory */
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < count && !has_wide; i++) {
		has_wide = skeleton_has_wide(texts[i]);
	}
	enum skeleton_cut cut = count < CUT_MIN ? SKELETON_WHOLE
				: has_wide      ? SKELETON_WIDE
						: SKELETON_PLAIN;
	int result = cut_all(texts, count, cut, out);
	if (result == 0) {
		result = number_skeletons(out, skeleton, out_skeletons);
	}
	bool is_too_much = out->numbers.len / sizeof(int64_t) > WORDLIST_NUMBERS_MAX ||
			   *out_skeletons > count / 2;
	if (result == 0 && cut != SKELETON_WHOLE && is_too_much) {
		result = cut_all(texts, count, SKELETON_WHOLE, out);
		if (result == 0) {
			result = number_skeletons(out, skeleton, out_skeletons);
		}
	}
	return result;
}

static int compare_cuts(const void *a, const void *b, void *owner)
{
	const struct cuts *cuts = owner;
	size_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	int order = str_compare(skeleton_of(cuts, left), skeleton_of(cuts, right));
	const int64_t *l = numbers_of(cuts, left), *r = numbers_of(cuts, right);
	for (size_t k = 0; order == 0 && k < cuts->cut[left].number_count; k++) {
		order = l[k] < r[k] ? -1 : l[k] > r[k];
	}
	return order != 0 ? order : left < right ? -1 : left > right;
}

int wordlist_sort(const struct str *texts, size_t count, uint32_t *out_new_code)
{
	struct cuts cuts;
	size_t skeletons = 0;
	int64_t *skeleton = malloc((count + 1) * sizeof(*skeleton));
	uint32_t *order = malloc((count + 1) * sizeof(*order));
	if (skeleton == NULL || order == NULL) {
		free(skeleton);
		free(order);
		return -ERR_NOMEM;
	}
	int result = cut_texts(texts, count, &cuts, skeleton, &skeletons);
	if (result == 0) {
		for (size_t i = 0; i < count; i++) {
			order[i] = (uint32_t)i;
		}
		qsort_r(order, count, sizeof(*order), compare_cuts, &cuts);
		for (size_t i = 0; i < count; i++) {
			out_new_code[order[i]] = (uint32_t)i;
		}
	}
	free(skeleton);
	free(order);
	cuts_done(&cuts);
	return result;
}

/* Fronts and rests of the distinct skeletons. */
static int put_skeletons(struct streams_writer *writer, const struct wordlist_place *place,
			 const struct cuts *cuts, const int64_t *skeleton)
{
	struct buf fronts, rests;
	struct str before = {.ptr = NULL, .len = 0};
	int64_t next = 0;
	buf_init(&fronts, 0);
	buf_init(&rests, 0);
	for (size_t i = 0; i < cuts->count; i++) {
		if (skeleton[i] != next) {
			continue; /* seen before */
		}
		struct str own = skeleton_of(cuts, i);
		size_t front = 0;
		while (front < own.len && front < before.len && front < FRONT_MAX &&
		       own.ptr[front] == before.ptr[front]) {
			front++;
		}
		buf_put_byte(&fronts, (uint8_t)front);
		buf_put_str(&rests, str_slice(own, front, own.len - front));
		buf_put_byte(&rests, 0);
		before = own;
		next++;
	}
	int result = fronts.failed || rests.failed ? -ERR_NOMEM : 0;
	if (result == 0 && rests.len > STREAM_BYTES_MAX) {
		result = -ERR_LIMIT;
	}
	if (result == 0) {
		struct symbols_place fronts_place = {
			.column = place->column,
			.part = (uint8_t)(place->part + WORDLIST_FRONTS),
			.count = fronts.len};
		result = symbols_put(writer, &fronts_place, (const uint8_t *)fronts.ptr);
		streams_put(writer, place->column, (uint8_t)(place->part + WORDLIST_RESTS),
			    buf_str(&rests), LEVEL);
	}
	buf_done(&fronts);
	buf_done(&rests);
	return result;
}

/* The bucket of each number: places are counted through all skeletons. */
static uint32_t *number_buckets(const struct cuts *cuts, const int64_t *skeleton, size_t skeletons)
{
	size_t numbers = cuts->numbers.len / sizeof(int64_t);
	uint32_t *bucket = malloc((numbers + 1) * sizeof(*bucket));
	uint32_t *first = malloc((skeletons + 1) * sizeof(*first));
	uint32_t places = 0;
	int64_t next = 0;
	for (size_t i = 0; bucket != NULL && first != NULL && i < cuts->count; i++) {
		const struct cut *cut = &cuts->cut[i];
		if (skeleton[i] == next) {
			first[next++] = places;
			places += (uint32_t)cut->number_count;
		}
		for (size_t k = 0; k < cut->number_count; k++) {
			bucket[cut->number + k] = first[skeleton[i]] + (uint32_t)k;
		}
	}
	if (first == NULL) {
		free(bucket);
		bucket = NULL;
	}
	free(first);
	return bucket;
}

static int put_numbers(struct streams_writer *writer, const struct wordlist_place *place,
		       const struct cuts *cuts, const struct wordlist_skeletons *of)
{
	struct ints_column column = {.column = place->column,
				     .part = (uint8_t)(place->part + WORDLIST_SKELETONS),
				     .count = cuts->count};
	uint32_t *bucket = number_buckets(cuts, of->skeleton, of->count);
	int result = bucket == NULL ? -ERR_NOMEM : ints_put(writer, &column, of->skeleton);
	if (result == 0) {
		const void *numbers = cuts->numbers.ptr;
		column.part = (uint8_t)(place->part + WORDLIST_NUMBERS);
		column.count = cuts->numbers.len / sizeof(int64_t);
		column.bucket = bucket;
		result = ints_put(writer, &column, numbers);
	}
	free(bucket);
	return result;
}

static int put_description(struct streams_writer *writer, const struct wordlist_place *place,
			   size_t count, size_t skeletons)
{
	struct buf bytes;
	buf_init(&bytes, 0);
	wire_put_varint(&bytes, count);
	wire_put_varint(&bytes, skeletons);
	int result = bytes.failed ? -ERR_NOMEM : 0;
	streams_put(writer, place->column, place->part, buf_str(&bytes), 0);
	buf_done(&bytes);
	return result;
}

int wordlist_put(struct streams_writer *writer, uint16_t column, uint8_t part,
		 const struct str *texts, size_t count)
{
	struct wordlist_place place = {column, part};
	size_t bytes = 0;
	for (size_t i = 0; i < count && bytes <= STREAM_BYTES_MAX; i++) {
		bytes += texts[i].len;
	}
	if (count > WORDLIST_TEXTS_MAX || bytes > STREAM_BYTES_MAX) {
		return -ERR_LIMIT;
	}
	if (count == 0) {
		return 0;
	}
	struct cuts cuts;
	struct wordlist_skeletons of = {.skeleton = malloc(count * sizeof(*of.skeleton))};
	if (of.skeleton == NULL) {
		return -ERR_NOMEM;
	}
	int result = cut_texts(texts, count, &cuts, of.skeleton, &of.count);
	if (result == 0) {
		result = put_skeletons(writer, &place, &cuts, of.skeleton);
	}
	if (result == 0) {
		result = put_numbers(writer, &place, &cuts, &of);
	}
	if (result == 0) {
		result = put_description(writer, &place, count, of.count);
	}
	free(of.skeleton);
	cuts_done(&cuts);
	return result;
}
