#include "store/block/symbols.h"

#include <stdlib.h>

/* Bytes that count symbols of so many bits take. */
static size_t packed_len(size_t count, unsigned bits)
{
	size_t each = 8 / bits;
	return count / each + (count % each != 0);
}

static void pack(const uint8_t *symbols, size_t count, unsigned bits, uint8_t *out)
{
	size_t each = 8 / bits;
	size_t whole = count / each;
	for (size_t i = 0; i < whole; i++) {
		unsigned byte = 0;
		for (size_t k = 0; k < each; k++) {
			byte |= (unsigned)symbols[i * each + k] << (k * bits);
		}
		out[i] = (uint8_t)byte;
	}
	if (whole * each < count) {
		unsigned byte = 0;
		for (size_t k = 0; whole * each + k < count; k++) {
			byte |= (unsigned)symbols[whole * each + k] << (k * bits);
		}
		out[whole] = (uint8_t)byte;
	}
}

static void unpack(const uint8_t *packed, size_t count, unsigned bits, uint8_t *out)
{
	size_t each = 8 / bits;
	unsigned mask = (1u << bits) - 1;
	size_t whole = count / each;
	for (size_t i = 0; i < whole; i++) {
		unsigned byte = packed[i];
		for (size_t k = 0; k < each; k++) {
			out[i * each + k] = (uint8_t)(byte >> (k * bits) & mask);
		}
	}
	for (size_t i = whole * each; i < count; i++) {
		out[i] = (uint8_t)(packed[whole] >> (i % each * bits) & mask);
	}
}

static unsigned bits_of(uint8_t max)
{
	return max < 2 ? 1 : max < 4 ? 2 : max < 16 ? 4 : 8;
}

/* The form that is smallest: its bytes (symbols themselves or *out_packed, which is then the caller's to free) and what it costs. */
struct form {
	struct str bytes;
	size_t cost;
	uint8_t *packed;
};

static int choose(struct streams_writer *writer, const uint8_t *symbols, size_t count,
		  struct form *out)
{
	uint8_t max = 0;
	*out = (struct form){.cost = 0};
	for (size_t i = 0; i < count; i++) {
		max |= symbols[i];
	}
	if (max == 0) {
		return 0;
	}
	out->bytes = str_make(symbols, count);
	out->cost = streams_cost(writer, out->bytes, 0);
	unsigned bits = bits_of(max);
	if (bits == 8 || count < SYMBOLS_PACKED_MIN) {
		return out->cost == SIZE_MAX ? -ERR_NOMEM : 0;
	}
	struct str packed = str_make(malloc(packed_len(count, bits)), packed_len(count, bits));
	if (packed.ptr == NULL) {
		return -ERR_NOMEM;
	}
	pack(symbols, count, bits, (uint8_t *)packed.ptr);
	size_t cost = streams_cost(writer, packed, 0);
	if (cost <= out->cost) {
		out->packed = (uint8_t *)packed.ptr;
		out->bytes = packed;
		out->cost = cost;
	} else {
		free((uint8_t *)packed.ptr);
	}
	return out->cost == SIZE_MAX ? -ERR_NOMEM : 0;
}

int symbols_put(struct streams_writer *writer, const struct symbols_place *place,
		const uint8_t *symbols)
{
	struct form form;
	int result = choose(writer, symbols, place->count, &form);
	if (result == 0 && form.bytes.len != 0) {
		streams_put(writer, place->column, place->part, form.bytes, 0);
	}
	free(form.packed);
	return result;
}

size_t symbols_cost(struct streams_writer *writer, const uint8_t *symbols, size_t count)
{
	struct form form;
	int result = choose(writer, symbols, count, &form);
	free(form.packed);
	return result == 0 ? form.cost : SIZE_MAX;
}

int symbols_get(struct streams *streams, const struct symbols_place *place, uint8_t *out_symbols,
		struct error *err)
{
	size_t count = place->count;
	size_t len = streams_length(streams, place->column, place->part);
	unsigned bits = 0;
	for (unsigned b = 1; b <= 8 && bits == 0; b *= 2) {
		if (len == packed_len(count, b) && (b == 8 || count >= SYMBOLS_PACKED_MIN)) {
			bits = b;
		}
	}
	if (len == 0) {
		memset(out_symbols, 0, count);
		return 0;
	}
	if (bits == 0) {
		return streams_blame(streams, place->column,
				     "a stream has not the length of its values", err);
	}
	struct str bytes;
	int result = streams_get(streams, place->column, place->part, &bytes, err);
	if (result != 0) {
		return result;
	}
	if (bits == 8) {
		memcpy(out_symbols, bytes.ptr, count);
	} else {
		unpack((const uint8_t *)bytes.ptr, count, bits, out_symbols);
	}
	streams_forget(streams, place->column, place->part);
	return 0;
}
