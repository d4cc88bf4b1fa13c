#include "store/block/ints.h"

#include "store/block/bits.h"
#include "store/block/classes.h"
#include "store/block/groups.h"
#include "store/block/ints-form.h"
#include "store/block/symbols.h"

#include <assert.h>
#include <stdlib.h>

#define LIST_GAIN    8  /* values for each listed one, at least */
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

/* What is written, and how it is grouped. */
struct body {
	uint64_t *y;
	struct groups groups; /* without any: in the order of the column */
	bool has_classes;     /* of the symbols of part 1, found when the form was chosen */
	struct classes classes;
};

static struct symbols_place place_at(const struct ints_column *about, const struct body *body,
				     unsigned part)
{
	return (struct symbols_place){.column = about->column,
				      .part = (uint8_t)(about->part + part),
				      .count = about->count,
				      .ends = body->groups.ends,
				      .group_count = body->groups.count,
				      .classes = part == 1 && body->has_classes ? &body->classes
										: NULL};
}

static int put_planes(struct streams_writer *writer, const struct ints_column *about,
		      const struct body *body)
{
	const uint64_t *y = body->y;
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
		struct symbols_place place = place_at(about, body, 1 + b);
		result = symbols_put(writer, &place, plane);
	}
	free(plane);
	return result;
}

static int put_magnitudes(struct streams_writer *writer, const struct ints_column *about,
			  const struct body *body)
{
	uint8_t *symbols = malloc(about->count);
	struct buf bytes;
	struct bits_writer bits = {.out = &bytes};
	buf_init(&bytes, 0);
	int result = symbols == NULL ? -ERR_NOMEM : 0;
	for (size_t i = 0; result == 0 && i < about->count; i++) {
		unsigned symbol = ints_symbol_of(body->y[i]);
		symbols[i] = (uint8_t)symbol;
		bits_put(&bits, body->y[i] - ints_symbol_base(symbol), ints_symbol_bits(symbol));
	}
	bits_end(&bits);
	if (result == 0) {
		struct symbols_place place = place_at(about, body, 1);
		result = bytes.failed ? -ERR_NOMEM : symbols_put(writer, &place, symbols);
		streams_put(writer, about->column, (uint8_t)(about->part + 2), buf_str(&bytes), -1);
	}
	free(symbols);
	buf_done(&bytes);
	return result;
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

/* The distinct values in order. False: there are more than INTS_LIST_MAX. */
static bool make_list(const uint64_t *y, size_t count, struct ints_form *form)
{
	form->list_count = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = i > 0 && y[i] == y[i - 1] ? SIZE_MAX : place_of(form, y[i]);
		if (at == SIZE_MAX || (at < form->list_count && form->list[at] == y[i])) {
			continue;
		}
		if (form->list_count == INTS_LIST_MAX) {
			return false;
		}
		memmove(&form->list[at + 1], &form->list[at],
			(form->list_count - at) * sizeof(form->list[0]));
		form->list[at] = y[i];
		form->list_count++;
	}
	return true;
}

static int put_list(struct streams_writer *writer, const struct ints_column *about,
		    const struct body *body, struct ints_form *form)
{
	const uint64_t *y = body->y;
	uint8_t *codes = malloc(about->count);
	if (codes == NULL) {
		return -ERR_NOMEM;
	}
	bool is_list = make_list(y, about->count, form);
	assert(is_list); /* it was counted when the form was chosen */
	(void)is_list;   /* asserted */
	for (size_t i = 0; i < about->count; i++) {
		codes[i] = (uint8_t)place_of(form, y[i]);
	}
	struct symbols_place place = place_at(about, body, 1);
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

/* The body that suits classes: bytes when they are small, codes when they are few, else magnitudes. */
static enum ints_body body_for(const struct ints_series *series, struct ints_form *form)
{
	uint64_t all = 0;
	for (size_t i = 0; i < series->count; i++) {
		all |= series->y[i];
	}
	if (all < 256) {
		return INTS_PLANES;
	}
	bool is_list = make_list(series->y, series->count, form) &&
		       form->list_count * LIST_GAIN < series->count;
	return is_list ? INTS_LIST : INTS_MAGNITUDES;
}

/* Bits of a regrouped series when groups that are alike share a table; sets form to that, and the classes. */
static uint64_t choose_classes(const struct ints_series *series, struct ints_form *form,
			       struct body *body)
{
	uint8_t *symbols = malloc(series->count);
	struct symbols_place place = {.count = series->count,
				      .ends = body->groups.ends,
				      .group_count = body->groups.count};
	uint64_t below = 0;
	if (symbols == NULL) {
		return UINT64_MAX;
	}
	form->steps = INTS_NO_STEPS;
	form->body = body_for(series, form);
	for (size_t i = 0; i < series->count; i++) {
		uint64_t y = series->y[i];
		switch (form->body) {
		case INTS_PLANES:
			symbols[i] = (uint8_t)y;
			break;
		case INTS_MAGNITUDES:
			symbols[i] = (uint8_t)ints_symbol_of(y);
			below += ints_symbol_bits(symbols[i]);
			break;
		case INTS_LIST:
			symbols[i] = (uint8_t)place_of(form, y);
			break;
		}
	}
	uint64_t bits = symbols_classes(&place, symbols, &body->classes) + below;
	body->has_classes = true;
	free(symbols);
	return bits;
}

/* The best form of a regrouped series; returns its bits. */
static uint64_t choose_grouped(const struct ints_series *series, struct ints_form *form,
			       struct body *body)
{
	struct ints_form classed = *form;
	uint64_t bits = ints_form_choose(series, form);
	uint64_t other = choose_classes(series, &classed, body);
	if (other < bits) {
		*form = classed;
		return other;
	}
	classes_done(&body->classes);
	body->has_classes = false;
	return bits;
}

static void body_ungroup(struct body *body)
{
	groups_done(&body->groups);
	classes_done(&body->classes);
	body->has_classes = false;
}

/* Chooses the form for y as it stands or regrouped; body is then what is to be written. Without memory for groups it stays as it stands.
 * Returns its bits. */
static uint64_t choose(const struct ints_column *about, struct ints_form *form, struct body *body)
{
	struct ints_series series = {body->y, about->count};
	uint64_t bits = ints_form_choose(&series, form);
	if (about->bucket == NULL || groups_make(about->bucket, about->count, &body->groups) != 0) {
		return bits;
	}
	uint64_t *moved = NULL;
	if (body->groups.order != NULL) {
		moved = malloc(about->count * sizeof(*moved));
	}
	if (moved != NULL) {
		struct ints_form other = *form;
		for (size_t i = 0; i < about->count; i++) {
			moved[i] = body->y[body->groups.order[i]];
		}
		series.y = moved;
		uint64_t grouped = choose_grouped(&series, &other, body);
		if (grouped + GROUPED_GAIN < bits) {
			*form = other;
			form->is_grouped = true;
			free(body->y);
			body->y = moved;
			return grouped;
		}
	}
	free(moved);
	body_ungroup(body);
	return bits;
}

static int put_body(struct streams_writer *writer, const struct ints_column *about,
		    const struct body *body, struct ints_form *form)
{
	switch (form->body) {
	case INTS_PLANES:
		return put_planes(writer, about, body);
	case INTS_MAGNITUDES:
		return put_magnitudes(writer, about, body);
	case INTS_LIST:
		return put_list(writer, about, body, form);
	}
	return 0;
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
	struct body body = {.y = malloc(about->count * sizeof(uint64_t))};
	if (body.y == NULL) {
		return -ERR_NOMEM;
	}
	make_y(values, about->count, &form, body.y);
	(void)choose(about, &form, &body); /* bits do not matter here */
	if (form.steps != INTS_NO_STEPS) {
		take_steps(body.y, about->count, &form);
	}
	int result = put_body(writer, about, &body, &form);
	free(body.y);
	body_ungroup(&body);
	return result == 0 ? put_form(writer, about, &form) : result;
}

uint64_t ints_cost(const int64_t *values, const uint32_t *bucket, size_t count)
{
	struct ints_form form = {.body = INTS_PLANES};
	if (count == 0) {
		return 0;
	}
	find_scale(values, count, &form);
	if (form.scale == 0) {
		return form.base != 0 ? 64 : 0;
	}
	struct body body = {.y = malloc(count * sizeof(uint64_t))};
	if (body.y == NULL) {
		return 0;
	}
	make_y(values, count, &form, body.y);
	uint64_t bits =
		choose(&(struct ints_column){.count = count, .bucket = bucket}, &form, &body);
	free(body.y);
	body_ungroup(&body);
	return bits;
}
