#include "store/block/gauge.h"
#include "store/block/texts-reader.h"

#include <stdlib.h>

/* What the values of a column of texts need, given the template and the slot that they stand in. */

struct gauging {
	struct texts *texts;
	struct gauge *gauge;
	struct str name;
	double bits[TEXTS_NONE];
	uint64_t *numbers; /* of one bucket */
	size_t room;
	struct error *err;
};

static uint64_t stored(const struct gauging *gauging, size_t part, size_t parts)
{
	return streams_part_size(gauging->texts->streams, gauging->texts->about.column,
				 (uint8_t)part, parts);
}

static void add(struct gauging *gauging, double bits, uint64_t stored_bytes)
{
	gauge_add(gauging->gauge, gauging->texts->about.column, bits, stored_bytes);
}

/* A list costs what it takes, as far as its texts are new. */
static void add_list(struct gauging *gauging, size_t part, const struct wordlist *list)
{
	uint64_t bytes = stored(gauging, part, WORDLIST_PARTS);
	if (list->count > 0) {
		size_t fresh = gauge_words(gauging->gauge, gauging->name, list->texts, list->count);
		add(gauging, 8 * (double)bytes * (double)fresh / (double)list->count, bytes);
	}
}

static bool make_room(struct gauging *gauging, size_t count)
{
	if (count > gauging->room) {
		free(gauging->numbers);
		gauging->numbers = malloc(count * sizeof gauging->numbers[0]);
		gauging->room = gauging->numbers != NULL ? count : 0;
	}
	return count <= gauging->room;
}

/* The values of a slot, count of them from start on in their group. */
static bool judge_ints(struct gauging *gauging, enum texts_group group, size_t start, size_t count)
{
	const int64_t *values = gauging->texts->values[group] + start;
	int64_t least = INT64_MAX;
	if (!make_room(gauging, count)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		least = values[i] < least ? values[i] : least;
	}
	for (size_t i = 0; i < count; i++) {
		gauging->numbers[i] = (uint64_t)values[i] - (uint64_t)least;
	}
	gauging->bits[group] += gauge_bucket(gauging->gauge, gauging->numbers, count);
	return true;
}

/* Bytes of a slot: byte b of all stands together. */
static bool judge_bytes(struct gauging *gauging, const char *bytes, size_t width, size_t count)
{
	if (!make_room(gauging, count)) {
		return false;
	}
	for (size_t b = 0; b < width; b++) {
		for (size_t i = 0; i < count; i++) {
			gauging->numbers[i] = (uint8_t)bytes[b * count + i];
		}
		gauging->bits[TEXTS_BYTES] += gauge_bucket(gauging->gauge, gauging->numbers, count);
	}
	return true;
}

static bool judge_place(struct gauging *gauging, const struct texts_place *place,
			enum texts_group group)
{
	const struct texts *texts = gauging->texts;
	bool done = true;
	for (size_t i = 0; done && i < place->pattern->slot_count; i++) {
		struct pattern_slot slot = place->pattern->slots[i];
		size_t start = texts->starts[place->first_start + i];
		if (texts_group_of(slot) != group || place->count == 0) {
			continue;
		}
		if (group == TEXTS_UUIDS) { /* what a UUID of version 4 says at random */
			gauging->bits[group] += 122.0 * place->count;
		} else if (group == TEXTS_BYTES) {
			done = judge_bytes(gauging, texts->bytes[group].ptr + start,
					   pattern_slot_bytes(slot), place->count);
		} else {
			done = judge_ints(gauging, group, start, place->count);
		}
	}
	return done;
}

/* Numbers of a bucket: which repeat, and what the others are. */
static bool judge_run(struct gauging *gauging, const struct texts_run *run, double *out_refs)
{
	const struct texts *texts = gauging->texts;
	const uint8_t *refs = texts->refs + run->start;
	const int64_t *numbers = texts->numbers + run->start;
	int64_t least = INT64_MAX;
	size_t kept = 0;
	if (!make_room(gauging, run->count)) {
		return false;
	}
	for (size_t i = 0; i < run->count; i++) {
		gauging->numbers[i] = refs[i];
		if (refs[i] == 0 || refs[i] == TEXTS_REF_NONE) {
			least = numbers[i] < least ? numbers[i] : least;
		}
	}
	*out_refs += gauge_bucket(gauging->gauge, gauging->numbers, run->count);
	for (size_t i = 0; i < run->count; i++) {
		if (refs[i] == 0 || refs[i] == TEXTS_REF_NONE) {
			gauging->numbers[kept++] = (uint64_t)numbers[i] - (uint64_t)least;
		}
	}
	gauging->bits[TEXTS_POOLED] += gauge_bucket(gauging->gauge, gauging->numbers, kept);
	return true;
}

static bool judge_numbers(struct gauging *gauging)
{
	const struct texts *texts = gauging->texts;
	double refs = 0;
	bool done = true;
	for (size_t run = 0; done && run < texts->run_count; run++) {
		done = judge_run(gauging, &texts->runs[run], &refs);
	}
	gauging->bits[TEXTS_POOLED] += gauge_rest(gauging->gauge) + refs;
	add(gauging, gauging->bits[TEXTS_POOLED],
	    stored(gauging, TEXTS_PART_REFS, (1 + TEXTS_CLASSES) * INTS_PARTS));
	return done;
}

static bool judge_group(struct gauging *gauging, enum texts_group group)
{
	const struct texts *texts = gauging->texts;
	bool done = true;
	if (group == TEXTS_POOLED) {
		return judge_numbers(gauging);
	}
	for (size_t i = 0; done && i < texts->place_count; i++) {
		done = judge_place(gauging, &texts->places[i], group);
	}
	gauging->bits[group] += gauge_rest(gauging->gauge);
	if (group < TEXTS_INT_GROUPS) {
		add(gauging, gauging->bits[group],
		    stored(gauging, TEXTS_PART_GROUPS + (size_t)group * INTS_PARTS, INTS_PARTS));
	} else {
		add(gauging, gauging->bits[group],
		    stored(gauging, group == TEXTS_UUIDS ? TEXTS_PART_UUIDS : TEXTS_PART_BYTES, 1));
	}
	return done;
}

int texts_gauge(struct texts *texts, struct gauge *gauge, struct str name, struct error *err)
{
	struct gauging gauging = {.texts = texts, .gauge = gauge, .name = name, .err = err};
	bool done = true;
	int result = texts_load_places(texts, err);

	add(&gauging, gauge_codes(gauge, texts->codes, texts->about.context, texts->about.count),
	    stored(&gauging, TEXTS_PART_CODES, RANKS_PARTS));
	for (enum texts_group group = TEXTS_DATES; group < TEXTS_NONE && result == 0; group++) {
		result = texts_load_group(texts, group, err);
		done = result == 0 && judge_group(&gauging, group) && done;
	}
	if (result == 0) {
		add_list(&gauging, TEXTS_PART_ROOTS, &texts->roots);
		add_list(&gauging, TEXTS_PART_SUBS, &texts->subs);
		add_list(&gauging, TEXTS_PART_WORDS, &texts->words);
	}
	free(gauging.numbers);
	if (result == 0 && !done) {
		return error_set(err, ERR_NOMEM, "There is no memory for a column of texts.");
	}
	return result;
}
