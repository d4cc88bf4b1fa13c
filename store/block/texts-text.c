#include "store/block/texts-reader.h"

#include <assert.h>
#include <stdlib.h>

#define REPLAY_MAX \
	512 /* rows of a family before one that is read; from more on all numbers are resolved */

static bool same_family(const struct texts *texts, size_t row, size_t other)
{
	const uint32_t *family = texts->about.family;

	return family != NULL && family[row] != TEXTS_NO_FAMILY && family[row] == family[other];
}

void texts_turn_to_family(struct texts *texts, size_t row)
{
	const struct texts_column *about = &texts->about;
	uint32_t family = about->family != NULL ? about->family[row] : TEXTS_NO_FAMILY;

	if (family == texts->ids_family) {
		return;
	}
	texts->ids_family = family;
	texts->id_count = 0;
	texts->seed = INT64_MIN;
	if (family != TEXTS_NO_FAMILY && about->ids_of != NULL) {
		texts->id_count = about->ids_of(about->owner, family, texts->ids, &texts->seed);
		assert(texts->id_count <= TEXTS_IDS_MAX);
	}
}

size_t texts_part_of_family(struct texts *texts, size_t row, unsigned wanted,
			    struct str out_ids[TEXTS_IDS_MAX], int64_t *out_seed)
{
	const struct texts_column *about = &texts->about;
	uint32_t family = about->family != NULL ? about->family[row] : TEXTS_NO_FAMILY;

	*out_seed = INT64_MIN;
	if (family == TEXTS_NO_FAMILY || about->ids_of == NULL) {
		return 0;
	}
	texts->ids_family = TEXTS_NO_FAMILY; /* what ids_of gave before lives no longer */
	texts->id_count = 0;
	texts->seed = INT64_MIN;
	if (about->part_of == NULL) {
		return about->ids_of(about->owner, family, out_ids, out_seed);
	}
	return about->part_of(about->owner, family, wanted, out_ids, out_seed);
}

/* A number; the pool moves on. */
static int take_number(struct texts *texts, struct pattern_slot slot, size_t index,
		       int64_t *out_number, struct error *err)
{
	uint32_t ref = texts->refs[index];

	if (ref > 0 && ref != TEXTS_REF_NONE) {
		if (ref > texts->pool.count) {
			return texts_blame(texts, "a number repeats none", err);
		}
		*out_number = texts->pool.number[ref - 1];
		return 0;
	}
	*out_number = texts->numbers[index];
	if (ref == 0 || texts_pool_find(&texts->pool, *out_number, slot.arg) == 0) {
		texts_pool_put(&texts->pool, *out_number, slot.arg);
	}
	return 0;
}

/* The numbers of one text of a place; they move the pool on and, when all are resolved, are kept. */
static int replay_place(struct texts *texts, const struct texts_place *place, uint32_t at,
			bool keep, struct error *err)
{
	const struct pattern *pattern = place->pattern;
	int result = 0;

	if (!place->has_numbers) {
		return 0;
	}
	for (size_t i = 0; i < pattern->slot_count && result == 0; i++) {
		size_t start = texts->starts[place->first_start + i] + at;
		uint8_t kind = pattern->slots[i].kind;

		if (kind == PATTERN_TEXT && texts->children[place->first_start + i].has_numbers) {
			result = replay_place(texts, &texts->places[texts->entries[start].place],
					      texts->entries[start].at, keep, err);
		} else if (kind <= PATTERN_DECIMAL) {
			int64_t number;

			result = take_number(texts, pattern->slots[i], start, &number, err);
			if (result == 0 && keep) {
				texts->numbers[start] = number;
			}
		}
	}
	return result;
}

static int replay_row(struct texts *texts, size_t row, bool keep, struct error *err)
{
	uint32_t code = texts->codes[row];

	return code == UINT32_MAX
		       ? 0
		       : replay_place(texts, &texts->places[code], texts->ordinals[row], keep, err);
}

int texts_resolve(struct texts *texts, struct error *err)
{
	struct str ids[TEXTS_IDS_MAX];
	int64_t seed;
	int result = texts_load_group(texts, TEXTS_POOLED, err);

	if (result != 0 || texts->is_resolved) {
		return result;
	}
	for (size_t row = 0; row < texts->about.count && result == 0; row++) {
		if (row == 0 || !same_family(texts, row, row - 1)) {
			(void)texts_part_of_family(texts, row, TEXTS_WANT_SEED, ids, &seed);
			texts_pool_clear(&texts->pool, seed);
		}
		result = replay_row(texts, row, true, err);
	}
	texts->pool_row = SIZE_MAX;
	texts->is_resolved = result == 0;
	return result;
}

int texts_seek(struct texts *texts, size_t row, struct error *err)
{
	size_t first = row;
	int result = texts_load_group(texts, TEXTS_POOLED, err);

	texts_turn_to_family(texts, row);
	if (result != 0 || texts->is_resolved) {
		return result;
	}
	if (texts->pool_row == row && row > 0 && same_family(texts, row, row - 1)) {
		return 0;
	}
	while (first > 0 && same_family(texts, row, first - 1) && row - first <= REPLAY_MAX) {
		first--;
	}
	if (row - first > REPLAY_MAX) {
		return texts_resolve(texts, err);
	}
	texts_pool_clear(&texts->pool, texts->seed);
	texts->pool_row = SIZE_MAX;
	for (size_t before = first; before < row && result == 0; before++) {
		result = replay_row(texts, before, false, err);
	}
	if (result == 0) {
		texts->pool_row = row;
	}
	return result;
}

static void put_uuid4(struct texts *texts, const struct texts_at *where, struct buf *out)
{
	const uint8_t *packed = (const uint8_t *)texts->bytes[TEXTS_UUIDS].ptr +
				texts->starts[where->place->first_start + where->slot];
	const uint8_t *from = packed + (size_t)where->at * UUID4_BYTES;
	const uint8_t *twos = packed + (size_t)where->place->count * UUID4_BYTES;
	unsigned two = (unsigned)twos[where->at / 4] >> where->at % 4 * 2 & 3;
	uint8_t uuid[16];

	memcpy(uuid, from, 6);
	uuid[6] = (uint8_t)(0x40 | from[14] >> 4);
	uuid[7] = from[6];
	uuid[8] = (uint8_t)(0x80 | two << 4 | (from[14] & 15));
	memcpy(uuid + 9, from + 7, 7);
	pattern_put_bytes(where->place->pattern->slots[where->slot], uuid, out);
}

static void put_bytes(struct texts *texts, const struct texts_at *where, struct buf *out)
{
	struct pattern_slot slot = where->place->pattern->slots[where->slot];
	size_t width = pattern_slot_bytes(slot);
	const char *at = texts->bytes[TEXTS_BYTES].ptr +
			 texts->starts[where->place->first_start + where->slot] + where->at;
	uint8_t bytes[PATTERN_BYTES_MAX];

	for (size_t i = 0; i < width; i++) {
		bytes[i] = (uint8_t)at[i * where->place->count];
	}
	pattern_put_bytes(slot, bytes, out);
}

static int put_word(struct texts *texts, int64_t code, struct buf *out, struct error *err)
{
	if (code < 0 || (size_t)code >= texts->words.count) {
		return texts_blame(texts, "a text has a word that is not there", err);
	}
	buf_put_str(out, texts->words.texts[code]);
	return 0;
}

static int put_number(struct texts *texts, struct pattern_slot slot, int64_t number,
		      struct buf *out, struct error *err)
{
	return pattern_put_number(slot, number, out)
		       ? 0
		       : texts_blame(texts, "a text has a value that none has", err);
}

static int put_slot(struct texts *texts, const struct texts_at *where, struct buf *out,
		    struct error *err);

static int put_place(struct texts *texts, struct texts_at where, struct buf *out, struct error *err)
{
	const struct pattern *pattern = where.place->pattern;
	int result = 0;

	for (where.slot = 0; where.slot < pattern->slot_count && result == 0; where.slot++) {
		buf_put_str(out, pattern->chunks[where.slot]);
		result = put_slot(texts, &where, out, err);
	}
	buf_put_str(out, pattern->chunks[pattern->slot_count]);
	return result;
}

static int put_slot(struct texts *texts, const struct texts_at *where, struct buf *out,
		    struct error *err)
{
	struct pattern_slot slot = where->place->pattern->slots[where->slot];
	enum texts_group group = texts_group_of(slot);
	size_t index = texts->starts[where->place->first_start + where->slot] + where->at;
	int64_t number;
	int result = texts_load_group(texts, group, err);

	if (result != 0) {
		return result;
	}
	switch (group) {
	case TEXTS_POOLED:
		if (texts->is_resolved) {
			number = texts->numbers[index];
		} else {
			result = take_number(texts, slot, index, &number, err);
		}
		return result != 0 ? result : put_number(texts, slot, number, out, err);
	case TEXTS_DATES:
	case TEXTS_TIMES:
	case TEXTS_WIDES:
		return put_number(texts, slot, texts->values[group][index], out, err);
	case TEXTS_WORDS:
		return put_word(texts, texts->values[group][index], out, err);
	case TEXTS_UUIDS:
		put_uuid4(texts, where, out);
		return 0;
	case TEXTS_BYTES:
		put_bytes(texts, where, out);
		return 0;
	case TEXTS_NONE:
		break;
	}
	if (slot.kind == PATTERN_TEXT) {
		struct texts_at child = {.place = &texts->places[texts->entries[index].place],
					 .at = texts->entries[index].at,
					 .row = where->row};

		return put_place(texts, child, out, err);
	}
	if (slot.arg >= texts->id_count) {
		return texts_blame(texts, "a text has an id that its request has not", err);
	}
	buf_put_str(out, texts->ids[slot.arg]);
	return 0;
}

int texts_put_token(struct texts *texts, const struct texts_at *where, struct buf *out,
		    struct error *err)
{
	uint8_t kind = where->place->pattern->slots[where->slot].kind;

	if (kind == PATTERN_ID || kind == PATTERN_TEXT) {
		texts_turn_to_family(texts, where->row);
	}
	return put_slot(texts, where, out, err);
}

int texts_put_text(struct texts *texts, size_t row, struct buf *out, struct error *err)
{
	size_t before = out->len;
	uint32_t code = texts->codes[row];
	int result;

	assert(row < texts->about.count);
	if (code == UINT32_MAX) {
		return error_set(err, ERR_GONE, "The record has no such text.");
	}
	result = texts_load_places(texts, err);
	if (result == 0) {
		result = texts_seek(texts, row, err);
	}
	if (result == 0) {
		struct texts_at where = {
			.place = &texts->places[code], .at = texts->ordinals[row], .row = row};

		result = put_place(texts, where, out, err);
		texts->pool_row = result == 0 ? row + 1 : SIZE_MAX;
	}
	if (result == 0 && out->failed) {
		result = error_set(err, ERR_LIMIT, "A text is longer than %zu bytes.",
				   out->max_bytes);
	}
	if (result != 0) {
		buf_truncate(out, before);
	}
	return result;
}
