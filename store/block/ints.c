#include "store/block/ints.h"

#include "store/block/groups.h"
#include "store/block/ints-form.h"
#include "store/block/symbols.h"

#include <assert.h>
#include <stdlib.h>

#define GROUPED_GAIN 64 /* bits; below that the order stays */

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* The least value, and the greatest number that divides the distance of all others to it: 0 when all are equal. */
static void find_scale(const int64_t *values, size_t count, struct ints_form *form)
{
	int64_t least = values[0];
	for (size_t i = 1; i < count; i++) {
		least = values[i] < least ? values[i] : least;
	}
	uint64_t scale = 0;
	for (size_t i = 0; i < count && scale != 1; i++) {
		uint64_t distance = (uint64_t)values[i] - (uint64_t)least;
		if (scale == 0 || distance % scale != 0) {
			scale = common_divisor(distance, scale);
		}
	}
	form->base = least;
	form->scale = scale;
}

static void make_y(const int64_t *values, size_t count, const struct ints_form *form, uint64_t *out)
{
	uint64_t base = (uint64_t)form->base;
	for (size_t i = 0; i < count; i++) {
		out[i] = (uint64_t)values[i] - base;
	}
	if (form->scale > 1) {
		for (size_t i = 0; i < count; i++) {
			out[i] /= form->scale;
		}
	}
}

/* Replaces y by what is left of its steps. The kind of steps was chosen by a sample; here all are seen. */
static void take_steps(uint64_t *y, size_t count, struct ints_form *form)
{
	int64_t least = INT64_MAX;
	for (size_t i = 1; i < count; i++) {
		int64_t step = (int64_t)(y[i] - y[i - 1]);
		least = step < least ? step : least;
	}
	bool is_rising = form->steps == INTS_RISING;
	form->least = is_rising && count > 1 ? least : 0;
	form->start = y[0] - (uint64_t)form->least;
	uint64_t before = form->start;
	for (size_t i = 0; i < count; i++) {
		uint64_t step = y[i] - before;
		before = y[i];
		y[i] = is_rising ? step - (uint64_t)form->least : step << 1 ^ -(step >> 63);
	}
}

static int put_planes(struct streams_writer *writer, const struct ints_column *about,
		      const uint64_t *y)
{
	uint64_t all = 0;
	for (size_t i = 0; i < about->count; i++) {
		all |= y[i];
	}
	uint8_t *plane = malloc(about->count);
	int result = plane == NULL ? -ERR_NOMEM : 0;
	for (unsigned b = 0; result == 0 && b < 8 && all >> 8 * b != 0; b++) {
		for (size_t i = 0; i < about->count; i++) {
			plane[i] = (uint8_t)(y[i] >> 8 * b);
		}
		struct symbols_place place = {about->column, (uint8_t)(about->part + 1 + b),
					      about->count};
		result = symbols_put(writer, &place, plane);
	}
	free(plane);
	return result;
}

/* Appends bits, low ones first. */
struct bit_writer {
	struct buf bytes;
	uint64_t pending;
	unsigned count; /* < 8 between calls */
};

static void put_bits(struct bit_writer *bits, uint64_t value, unsigned count)
{
	if (count > 32) {
		put_bits(bits, value & UINT32_MAX, 32);
		value >>= 32;
		count -= 32;
	}
	bits->pending |= (value & ((1ull << count) - 1)) << bits->count;
	bits->count += count;
	while (bits->count >= 8) {
		buf_put_byte(&bits->bytes, (uint8_t)bits->pending);
		bits->pending >>= 8;
		bits->count -= 8;
	}
}

static int put_magnitudes(struct streams_writer *writer, const struct ints_column *about,
			  const uint64_t *y)
{
	uint8_t *symbols = malloc(about->count);
	struct bit_writer bits = {.pending = 0};
	buf_init(&bits.bytes, 0);
	int result = symbols == NULL ? -ERR_NOMEM : 0;
	for (size_t i = 0; result == 0 && i < about->count; i++) {
		unsigned symbol = ints_symbol_of(y[i]);
		symbols[i] = (uint8_t)symbol;
		put_bits(&bits, y[i] - ints_symbol_base(symbol), ints_symbol_bits(symbol));
	}
	if (bits.count != 0) {
		buf_put_byte(&bits.bytes, (uint8_t)bits.pending);
	}
	if (result == 0) {
		struct symbols_place place = {about->column, (uint8_t)(about->part + 1),
					      about->count};
		result = bits.bytes.failed ? -ERR_NOMEM : symbols_put(writer, &place, symbols);
		streams_put(writer, about->column, (uint8_t)(about->part + 2), buf_str(&bits.bytes),
			    -1);
	}
	free(symbols);
	buf_done(&bits.bytes);
	return result;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

/* The place of a value in the form's list. */
static size_t place_of(const struct ints_form *form, uint64_t y)
{
	size_t low = 0, high = form->list_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (form->list[middle] < y) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void make_list(const uint64_t *y, size_t count, struct ints_form *form)
{
	form->list_count = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = place_of(form, y[i]);
		if (at < form->list_count && form->list[at] == y[i]) {
			continue;
		}
		assert(form->list_count < INTS_LIST_MAX); /* counted when the form was chosen */
		form->list[form->list_count++] = y[i];
		qsort(form->list, form->list_count, sizeof(form->list[0]), compare_u64);
	}
}

static int put_list(struct streams_writer *writer, const struct ints_column *about,
		    const uint64_t *y, struct ints_form *form)
{
	uint8_t *codes = malloc(about->count);
	if (codes == NULL) {
		return -ERR_NOMEM;
	}
	make_list(y, about->count, form);
	for (size_t i = 0; i < about->count; i++) {
		codes[i] = (uint8_t)place_of(form, y[i]);
	}
	struct symbols_place place = {about->column, (uint8_t)(about->part + 1), about->count};
	int result = symbols_put(writer, &place, codes);
	free(codes);
	return result;
}

static int put_form(struct streams_writer *writer, const struct ints_column *about,
		    const struct ints_form *form)
{
	struct buf bytes;
	buf_init(&bytes, 0);
	ints_form_write(form, &bytes);
	int result = bytes.failed ? -ERR_NOMEM : 0;
	if (result == 0 && (form->scale != 0 || form->base != 0)) {
		streams_put(writer, about->column, about->part, buf_str(&bytes), 0);
	}
	buf_done(&bytes);
	return result;
}

/* Chooses the form for y as it stands or regrouped; *y is then what is to be written. */
static int choose(const struct ints_column *about, struct ints_form *form, uint64_t **y)
{
	struct groups groups;
	if (about->bucket == NULL) {
		(void)ints_form_choose(&(struct ints_series){*y, about->count}, form);
		return 0;
	}
	int result = groups_make(about->bucket, about->count, &groups);
	uint64_t *moved = NULL;
	if (result == 0 && groups.order != NULL) {
		moved = malloc(about->count * sizeof(*moved));
		result = moved == NULL ? -ERR_NOMEM : 0;
	}
	if (result == 0) {
		uint64_t as_is = ints_form_choose(&(struct ints_series){*y, about->count}, form);
		struct ints_form other = {.body = INTS_PLANES};
		for (size_t i = 0; moved != NULL && i < about->count; i++) {
			moved[i] = (*y)[groups.order[i]];
		}
		if (moved != NULL &&
		    ints_form_choose(&(struct ints_series){moved, about->count}, &other) +
				    GROUPED_GAIN <
			    as_is) {
			form->body = other.body;
			form->steps = other.steps;
			form->is_grouped = true;
			uint64_t *old = *y;
			*y = moved;
			moved = old;
		}
	}
	free(moved);
	groups_done(&groups);
	return result;
}

int ints_put(struct streams_writer *writer, const struct ints_column *about, const int64_t *values)
{
	assert(about->count <= UINT32_MAX);
	if (about->count == 0) {
		return 0;
	}
	struct ints_form form = {.body = INTS_PLANES};
	find_scale(values, about->count, &form);
	if (form.scale == 0) {
		return put_form(writer, about, &form);
	}
	uint64_t *y = malloc(about->count * sizeof(*y));
	if (y == NULL) {
		return -ERR_NOMEM;
	}
	make_y(values, about->count, &form, y);
	int result = choose(about, &form, &y);
	if (result == 0 && form.steps != INTS_NO_STEPS) {
		take_steps(y, about->count, &form);
	}
	if (result == 0) {
		switch (form.body) {
		case INTS_PLANES:
			result = put_planes(writer, about, y);
			break;
		case INTS_MAGNITUDES:
			result = put_magnitudes(writer, about, y);
			break;
		case INTS_LIST:
			result = put_list(writer, about, y, &form);
			break;
		}
	}
	free(y);
	return result == 0 ? put_form(writer, about, &form) : result;
}

uint64_t ints_cost(const int64_t *values, const uint32_t *bucket, size_t count)
{
	struct ints_form form = {.body = INTS_PLANES};
	uint64_t bits = 0;
	if (count == 0) {
		return 0;
	}
	find_scale(values, count, &form);
	uint64_t *y = form.scale != 0 ? malloc(count * sizeof(*y)) : NULL;
	if (y != NULL) {
		struct groups groups = {.order = NULL};
		make_y(values, count, &form, y);
		bits = ints_form_choose(&(struct ints_series){y, count}, &form);
		uint64_t *moved = NULL;
		if (bucket != NULL && groups_make(bucket, count, &groups) == 0 &&
		    groups.order != NULL) {
			moved = malloc(count * sizeof(*moved));
		}
		for (size_t i = 0; moved != NULL && i < count; i++) {
			moved[i] = y[groups.order[i]];
		}
		if (moved != NULL) {
			uint64_t other =
				ints_form_choose(&(struct ints_series){moved, count}, &form);
			bits = other < bits ? other : bits;
		}
		free(moved);
		groups_done(&groups);
	}
	free(y);
	return bits;
}
