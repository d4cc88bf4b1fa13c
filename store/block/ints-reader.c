#include "store/block/bits.h"
#include "store/block/gauge.h"
#include "store/block/groups.h"
#include "store/block/ints-form.h"
#include "store/block/ints.h"
#include "store/block/symbols.h"

#include <stdlib.h>

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for a column of a block");
}

/* What is read, and how it is grouped. */
struct body {
	uint64_t *y;
	struct groups groups; /* without any: in the order of the column */
};

static struct symbols_place place_at(const struct ints_column *about, const struct body *body,
				     unsigned part)
{
	return (struct symbols_place){.column = about->column,
				      .part = (uint8_t)(about->part + part),
				      .count = about->count,
				      .ends = body->groups.ends,
				      .group_count = body->groups.count};
}

static int get_planes(struct streams *streams, const struct ints_column *about,
		      const struct body *body, struct error *err)
{
	uint64_t *y = body->y;
	uint8_t *plane = malloc(about->count);
	if (plane == NULL) {
		return no_memory(err);
	}
	int result = 0;
	bool is_first = true;
	for (unsigned b = 0; result == 0 && b < 8; b++) {
		struct symbols_place place = place_at(about, body, 1 + b);
		if (streams_length(streams, place.column, place.part) == 0) {
			continue;
		}
		result = symbols_get(streams, &place, plane, err);
		for (size_t i = 0; result == 0 && is_first && i < about->count; i++) {
			y[i] = (uint64_t)plane[i] << 8 * b;
		}
		for (size_t i = 0; result == 0 && !is_first && i < about->count; i++) {
			y[i] |= (uint64_t)plane[i] << 8 * b;
		}
		is_first = false;
	}
	if (is_first) {
		memset(y, 0, about->count * sizeof(*y));
	}
	free(plane);
	return result;
}

/* Puts the bits below the symbols in. */
static int add_below(struct streams *streams, const struct ints_column *about,
		     const uint8_t *symbols, uint64_t *y, struct error *err)
{
	uint64_t total = 0, at = 0;
	for (size_t i = 0; i < about->count; i++) {
		if (symbols[i] > INTS_SYMBOL_MAX) {
			return streams_blame(streams, about->column, "a magnitude is none", err);
		}
		total += ints_symbol_bits(symbols[i]);
	}
	uint8_t part = (uint8_t)(about->part + 2);
	struct str bytes;
	if (streams_length(streams, about->column, part) != (total + 7) / 8) {
		return streams_blame(streams, about->column,
				     "a stream has not the length of its values", err);
	}
	int result = streams_get(streams, about->column, part, &bytes, err);
	for (size_t i = 0; result == 0 && i < about->count; i++) {
		unsigned count = ints_symbol_bits(symbols[i]);
		y[i] = ints_symbol_base(symbols[i]) + bits_at(bytes, at, count);
		at += count;
	}
	streams_forget(streams, about->column, part);
	return result;
}

static int get_magnitudes(struct streams *streams, const struct ints_column *about,
			  const struct body *body, struct error *err)
{
	uint8_t *symbols = malloc(about->count);
	if (symbols == NULL) {
		return no_memory(err);
	}
	struct symbols_place place = place_at(about, body, 1);
	int result = symbols_get(streams, &place, symbols, err);
	if (result == 0) {
		result = add_below(streams, about, symbols, body->y, err);
	}
	free(symbols);
	return result;
}

static int get_list(struct streams *streams, const struct ints_column *about,
		    const struct ints_form *form, const struct body *body, struct error *err)
{
	uint8_t *codes = malloc(about->count);
	if (codes == NULL) {
		return no_memory(err);
	}
	struct symbols_place place = place_at(about, body, 1);
	int result = symbols_get(streams, &place, codes, err);
	for (size_t i = 0; result == 0 && i < about->count; i++) {
		if (codes[i] >= form->list_count) {
			result = streams_blame(streams, about->column, "a value is not in its list",
					       err);
			break;
		}
		body->y[i] = form->list[codes[i]];
	}
	free(codes);
	return result;
}

static void sum_steps(uint64_t *y, size_t count, const struct ints_form *form)
{
	uint64_t sum = form->start;
	for (size_t i = 0; i < count && form->steps == INTS_RISING; i++) {
		sum += y[i] + (uint64_t)form->least;
		y[i] = sum;
	}
	for (size_t i = 0; i < count && form->steps == INTS_EITHER_WAY; i++) {
		sum += y[i] >> 1 ^ -(y[i] & 1);
		y[i] = sum;
	}
}

/* base + scale * y, in the order of the column. */
static void give_back(const struct ints_column *about, const struct ints_form *form,
		      const struct body *body, int64_t *out)
{
	uint64_t base = (uint64_t)form->base, scale = form->scale;
	const uint64_t *y = body->y;
	const uint32_t *order = body->groups.order;
	if (order == NULL) {
		for (size_t i = 0; i < about->count; i++) {
			out[i] = (int64_t)(base + scale * y[i]);
		}
	} else {
		for (size_t i = 0; i < about->count; i++) {
			out[order[i]] = (int64_t)(base + scale * y[i]);
		}
	}
}

static int get_body(struct streams *streams, const struct ints_column *about,
		    const struct ints_form *form, const struct body *body, struct error *err)
{
	switch (form->body) {
	case INTS_PLANES:
		return get_planes(streams, about, body, err);
	case INTS_MAGNITUDES:
		return get_magnitudes(streams, about, body, err);
	case INTS_LIST:
		return get_list(streams, about, form, body, err);
	}
	return 0;
}

/* What stands in the body is what is judged: steps, where there are steps. */
static void tell_gauge(struct streams *streams, const struct ints_column *about,
		       const struct body *body)
{
	struct gauge *gauge = streams_gauge(streams);
	const struct groups *groups = &body->groups;
	double bits = 0;
	size_t from = 0;
	if (gauge == NULL || about->is_part) {
		return;
	}
	for (size_t g = 0; g < groups->count; g++) {
		bits += gauge_bucket(gauge, body->y + from, groups->ends[g] - from);
		from = groups->ends[g];
	}
	if (from == 0) {
		bits = gauge_bucket(gauge, body->y, about->count);
	}
	bits += gauge_rest(gauge);
	gauge_add(gauge, about->column, bits,
		  streams_part_size(streams, about->column, about->part, INTS_PARTS));
}

int ints_get(struct streams *streams, const struct ints_column *about, int64_t *out_values,
	     struct error *err)
{
	struct str bytes;
	struct ints_form form;
	int result = streams_get(streams, about->column, about->part, &bytes, err);
	if (result != 0 || about->count == 0) {
		return result;
	}
	if (bytes.len == 0) {
		memset(out_values, 0, about->count * sizeof(*out_values));
		return 0;
	}
	if (!ints_form_read(bytes, &form)) {
		return streams_blame(streams, about->column, "its description can't be read", err);
	}
	if (form.scale == 0) {
		for (size_t i = 0; i < about->count; i++) {
			out_values[i] = form.base;
		}
		return 0;
	}
	struct body body = {.y = (uint64_t *)out_values};
	if (form.is_grouped) {
		body.y = malloc(about->count * sizeof(*body.y));
		if (body.y == NULL || groups_make(about->bucket, about->count, &body.groups) != 0) {
			free(body.y);
			return no_memory(err);
		}
	}
	result = get_body(streams, about, &form, &body, err);
	if (result == 0) {
		tell_gauge(streams, about, &body);
		sum_steps(body.y, about->count, &form);
		give_back(about, &form, &body, out_values);
	}
	if (form.is_grouped) {
		free(body.y);
		groups_done(&body.groups);
	}
	return result;
}
