#include "store/block/groups.h"
#include "store/block/ints-form.h"
#include "store/block/ints.h"
#include "store/block/symbols.h"

#include <stdlib.h>

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for a column of a block");
}

static int get_planes(struct streams *streams, const struct ints_column *about, uint64_t *y,
		      struct error *err)
{
	uint8_t *plane = malloc(about->count);
	if (plane == NULL) {
		return no_memory(err);
	}
	int result = 0;
	bool is_first = true;
	for (unsigned b = 0; result == 0 && b < 8; b++) {
		struct symbols_place place = {about->column, (uint8_t)(about->part + 1 + b),
					      about->count};
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

/* The bits at place `at` of bytes, which has that many. */
static uint64_t bits_at(const uint8_t *bytes, size_t len, uint64_t at, unsigned count)
{
	size_t byte = (size_t)(at >> 3);
	unsigned shift = at & 7;
	uint64_t low = 0, high = 0;
	if (byte + 9 <= len) {
		memcpy(&low, bytes + byte, sizeof(low));
		high = bytes[byte + 8];
	} else {
		for (size_t k = 0; k < 9 && byte + k < len; k++) {
			if (k < 8) {
				low |= (uint64_t)bytes[byte + k] << 8 * k;
			} else {
				high = bytes[byte + k];
			}
		}
	}
	low >>= shift;
	if (shift != 0) {
		low |= high << (64 - shift);
	}
	return low & ((1ull << count) - 1);
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
		y[i] = ints_symbol_base(symbols[i]) +
		       bits_at((const uint8_t *)bytes.ptr, bytes.len, at, count);
		at += count;
	}
	streams_forget(streams, about->column, part);
	return result;
}

static int get_magnitudes(struct streams *streams, const struct ints_column *about, uint64_t *y,
			  struct error *err)
{
	uint8_t *symbols = malloc(about->count);
	if (symbols == NULL) {
		return no_memory(err);
	}
	struct symbols_place place = {about->column, (uint8_t)(about->part + 1), about->count};
	int result = symbols_get(streams, &place, symbols, err);
	if (result == 0) {
		result = add_below(streams, about, symbols, y, err);
	}
	free(symbols);
	return result;
}

static int get_list(struct streams *streams, const struct ints_column *about,
		    const struct ints_form *form, uint64_t *y, struct error *err)
{
	uint8_t *codes = malloc(about->count);
	if (codes == NULL) {
		return no_memory(err);
	}
	struct symbols_place place = {about->column, (uint8_t)(about->part + 1), about->count};
	int result = symbols_get(streams, &place, codes, err);
	for (size_t i = 0; result == 0 && i < about->count; i++) {
		if (codes[i] >= form->list_count) {
			result = streams_blame(streams, about->column, "a value is not in its list",
					       err);
			break;
		}
		y[i] = form->list[codes[i]];
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
static int give_back(const struct ints_column *about, const struct ints_form *form,
		     const uint64_t *y, int64_t *out, struct error *err)
{
	uint64_t base = (uint64_t)form->base, scale = form->scale;
	struct groups groups = {.order = NULL};
	if (form->is_grouped && groups_make(about->bucket, about->count, &groups) != 0) {
		return no_memory(err);
	}
	if (groups.order == NULL) {
		for (size_t i = 0; i < about->count; i++) {
			out[i] = (int64_t)(base + scale * y[i]);
		}
	} else {
		for (size_t i = 0; i < about->count; i++) {
			out[groups.order[i]] = (int64_t)(base + scale * y[i]);
		}
	}
	groups_done(&groups);
	return 0;
}

static int get_body(struct streams *streams, const struct ints_column *about,
		    const struct ints_form *form, uint64_t *y, struct error *err)
{
	switch (form->body) {
	case INTS_PLANES:
		return get_planes(streams, about, y, err);
	case INTS_MAGNITUDES:
		return get_magnitudes(streams, about, y, err);
	case INTS_LIST:
		return get_list(streams, about, form, y, err);
	}
	return 0;
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
	uint64_t *y = form.is_grouped ? malloc(about->count * sizeof(*y)) : (uint64_t *)out_values;
	if (y == NULL) {
		return no_memory(err);
	}
	result = get_body(streams, about, &form, y, err);
	if (result == 0) {
		sum_steps(y, about->count, &form);
		result = give_back(about, &form, y, out_values, err);
	}
	if (y != (uint64_t *)out_values) {
		free(y);
	}
	return result;
}
