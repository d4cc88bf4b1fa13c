#include "base/wire.h"
#include "store/block/skeleton.h"
#include "store/block/symbols.h"
#include "store/block/wordlist-parts.h"

#include <stdlib.h>

/* A list on its way back. */
struct reading {
	struct streams *streams;
	struct wordlist_place place;
	size_t count, skeleton_count, number_count;
	struct buf skeleton_bytes;
	size_t *ends;     /* of the skeletons in skeleton_bytes */
	uint32_t *places; /* the first place of each skeleton, and one more */
	int64_t *skeleton;
	int64_t *numbers;
	uint32_t *bucket;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for a list of texts of a block");
}

static int blame(const struct reading *reading, const char *what, struct error *err)
{
	return streams_blame(reading->streams, reading->place.column, what, err);
}

static struct str skeleton_at(const struct reading *reading, size_t s)
{
	size_t start = s == 0 ? 0 : reading->ends[s - 1];
	return str_make(reading->skeleton_bytes.ptr + start, reading->ends[s] - start);
}

static int get_description(struct reading *reading, struct error *err)
{
	struct str bytes;
	int result = streams_get(reading->streams, reading->place.column, reading->place.part,
				 &bytes, err);
	if (result != 0 || bytes.len == 0) {
		return result;
	}
	struct wire_reader reader = wire_reader(bytes);
	uint64_t count = wire_varint(&reader);
	uint64_t skeletons = wire_varint(&reader);
	if (reader.failed || wire_left(&reader) != 0 || count == 0 || skeletons == 0 ||
	    count > WORDLIST_TEXTS_MAX || skeletons > count) {
		return blame(reading, "its list can't be read", err);
	}
	reading->count = (size_t)count;
	reading->skeleton_count = (size_t)skeletons;
	return 0;
}

/* Puts fronts and rests together. */
static int join_skeletons(struct reading *reading, const uint8_t *fronts, struct str rests,
			  struct error *err)
{
	struct buf *all = &reading->skeleton_bytes;
	size_t at = 0, before = 0, places = 0;
	for (size_t s = 0; s < reading->skeleton_count; s++) {
		const char *end = at < rests.len ? memchr(rests.ptr + at, 0, rests.len - at) : NULL;
		size_t start = all->len, here = 0;
		if (end == NULL || fronts[s] > before) {
			return blame(reading, "its list can't be read", err);
		}
		if (buf_reserve(all, fronts[s] + 1u) != 0) { /* the bytes may move */
			return no_memory(err);
		}
		buf_put(all, all->ptr + start - before, fronts[s]);
		buf_put(all, rests.ptr + at, (size_t)(end - rests.ptr) - at);
		if (all->failed) {
			return blame(reading, "its list is longer than it can be", err);
		}
		at = (size_t)(end - rests.ptr) + 1;
		before = all->len - start;
		reading->ends[s] = all->len;
		if (!skeleton_check(skeleton_at(reading, s), &here)) {
			return blame(reading, "its list can't be read", err);
		}
		reading->places[s] = (uint32_t)places;
		places += here;
	}
	reading->places[reading->skeleton_count] = (uint32_t)places;
	return at == rests.len ? 0 : blame(reading, "its list can't be read", err);
}

static int get_skeletons(struct reading *reading, struct error *err)
{
	size_t count = reading->skeleton_count;
	struct wordlist_place at = reading->place;
	struct symbols_place fronts_place = {
		.column = at.column, .part = (uint8_t)(at.part + WORDLIST_FRONTS), .count = count};
	struct str rests;
	/* each skeleton ends with a byte, so their number is bounded by what is there */
	if (streams_length(reading->streams, at.column, (uint8_t)(at.part + WORDLIST_RESTS)) <
	    count) {
		return blame(reading, "its list can't be read", err);
	}
	uint8_t *fronts = malloc(count);
	reading->ends = malloc(count * sizeof(*reading->ends));
	reading->places = malloc((count + 1) * sizeof(*reading->places));
	int result = fronts == NULL || reading->ends == NULL || reading->places == NULL
			     ? no_memory(err)
			     : symbols_get(reading->streams, &fronts_place, fronts, err);
	if (result == 0) {
		result = streams_get(reading->streams, at.column,
				     (uint8_t)(at.part + WORDLIST_RESTS), &rests, err);
	}
	if (result == 0) {
		result = join_skeletons(reading, fronts, rests, err);
	}
	free(fronts);
	streams_forget(reading->streams, at.column, (uint8_t)(at.part + WORDLIST_RESTS));
	return result;
}

/* Which skeleton each text has, and so how many numbers there are. */
static int get_texts(struct reading *reading, struct error *err)
{
	struct ints_column column = {.column = reading->place.column,
				     .part = (uint8_t)(reading->place.part + WORDLIST_SKELETONS),
				     .count = reading->count,
				     .is_part = true};
	reading->skeleton = malloc(reading->count * sizeof(*reading->skeleton));
	if (reading->skeleton == NULL) {
		return no_memory(err);
	}
	int result = ints_get(reading->streams, &column, reading->skeleton, err);
	for (size_t i = 0; result == 0 && i < reading->count; i++) {
		int64_t s = reading->skeleton[i];
		if (s < 0 || (uint64_t)s >= reading->skeleton_count) {
			return blame(reading, "its list can't be read", err);
		}
		reading->number_count += reading->places[s + 1] - reading->places[s];
	}
	if (result == 0 && reading->number_count > WORDLIST_NUMBERS_MAX) {
		return blame(reading, "its list is longer than it can be", err);
	}
	return result;
}

static int get_numbers(struct reading *reading, struct error *err)
{
	struct ints_column column = {.column = reading->place.column,
				     .part = (uint8_t)(reading->place.part + WORDLIST_NUMBERS),
				     .count = reading->number_count,
				     .is_part = true};
	reading->numbers = malloc((reading->number_count + 1) * sizeof(*reading->numbers));
	reading->bucket = malloc((reading->number_count + 1) * sizeof(*reading->bucket));
	if (reading->numbers == NULL || reading->bucket == NULL) {
		return no_memory(err);
	}
	size_t at = 0;
	for (size_t i = 0; i < reading->count; i++) {
		int64_t s = reading->skeleton[i];
		for (uint32_t p = reading->places[s]; p < reading->places[s + 1]; p++) {
			reading->bucket[at++] = p;
		}
	}
	column.bucket = reading->bucket;
	return ints_get(reading->streams, &column, reading->numbers, err);
}

static int fill_texts(struct reading *reading, struct wordlist *list, struct error *err)
{
	const int64_t *numbers = reading->numbers;
	size_t total = 0;
	list->texts = malloc(reading->count * sizeof(*list->texts));
	if (list->texts == NULL) {
		return no_memory(err);
	}
	for (size_t i = 0; i < reading->count; i++) {
		int64_t s = reading->skeleton[i];
		size_t len = skeleton_length(skeleton_at(reading, (size_t)s), numbers);
		if (len > STREAM_BYTES_MAX || total + len > STREAM_BYTES_MAX) {
			return blame(reading, "its list is longer than it can be", err);
		}
		list->texts[i].len = len;
		total += len;
		numbers += reading->places[s + 1] - reading->places[s];
	}
	if (buf_reserve(&list->bytes, total + 1) != 0) {
		return no_memory(err);
	}
	numbers = reading->numbers;
	for (size_t i = 0; i < reading->count; i++) {
		int64_t s = reading->skeleton[i];
		list->texts[i].ptr = list->bytes.ptr + list->bytes.len;
		skeleton_fill(skeleton_at(reading, (size_t)s), numbers,
			      list->bytes.ptr + list->bytes.len);
		list->bytes.len += list->texts[i].len;
		numbers += reading->places[s + 1] - reading->places[s];
	}
	list->count = reading->count;
	return 0;
}

int wordlist_get(struct streams *streams, uint16_t column, uint8_t part, struct wordlist *out_list,
		 struct error *err)
{
	struct reading reading = {.streams = streams, .place = {column, part}};
	*out_list = (struct wordlist){.count = 0};
	buf_init(&out_list->bytes, (size_t)STREAM_BYTES_MAX + 16);
	buf_init(&reading.skeleton_bytes, STREAM_BYTES_MAX);
	int result = get_description(&reading, err);
	if (result == 0 && reading.count != 0) {
		result = get_skeletons(&reading, err);
		result = result == 0 ? get_texts(&reading, err) : result;
		result = result == 0 ? get_numbers(&reading, err) : result;
		result = result == 0 ? fill_texts(&reading, out_list, err) : result;
	}
	if (result != 0) {
		wordlist_done(out_list);
	}
	buf_done(&reading.skeleton_bytes);
	free(reading.ends);
	free(reading.places);
	free(reading.skeleton);
	free(reading.numbers);
	free(reading.bucket);
	return result;
}

void wordlist_done(struct wordlist *list)
{
	free(list->texts);
	list->texts = NULL;
	list->count = 0;
	buf_done(&list->bytes);
}
