#include "store/block/symbols.h"

#include "base/wire.h"
#include "store/block/classes.h"
#include "store/block/entropy.h"

#include <stdlib.h>

/* The first byte of a stream; 1, 2, 4 and 8 are widths. */
#define FORM_ENTROPY 16
#define FORM_CLASSES 17

#define ENTROPY_MIN   32 /* symbols; below that tables cost more than they save */
#define ENTROPY_EXTRA 20 /* bytes: what a coded stream has besides its bits, about */
#define CLASSES_MIN   2
#define SAMPLED_MIN   32768 /* bytes; zstd is tried on a part of as many */
#define SAMPLE        8192
#define SAMPLE_DOUBT  8 /* a part of its size by which the sample may be wrong */
#define GAIN          1024 /* a part of a stream that coding must save: bytes as they are read faster */

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

static unsigned bits_of(uint8_t all)
{
	return all < 2 ? 1 : all < 4 ? 2 : all < 16 ? 4 : 8;
}

static uint8_t all_of(const uint8_t *symbols, size_t count)
{
	uint8_t all = 0;
	for (size_t i = 0; i < count; i++) {
		all |= symbols[i];
	}
	return all;
}

static void put_packed(const uint8_t *symbols, size_t count, unsigned bits, struct buf *out)
{
	buf_put_byte(out, (uint8_t)bits);
	if (bits == 8) {
		buf_put(out, symbols, count);
	} else if (buf_reserve(out, packed_len(count, bits)) == 0) {
		pack(symbols, count, bits, (uint8_t *)out->ptr + out->len);
		out->len += packed_len(count, bits);
	}
}

static int put_entropy(const struct symbols_place *place, const uint8_t *symbols,
		       const struct classes *classes, struct buf *out)
{
	uint32_t one_end = (uint32_t)place->count;
	struct entropy_runs one = {.ends = &one_end, .count = 1, .tables = 1};
	if (classes->count < CLASSES_MIN) {
		buf_put_byte(out, FORM_ENTROPY);
		return entropy_put(symbols, place->count, &one, out);
	}
	struct buf names;
	uint32_t groups_end = (uint32_t)place->group_count;
	struct entropy_runs naming = {.ends = &groups_end, .count = 1, .tables = 1};
	struct entropy_runs runs = {.ends = place->ends,
				    .of = classes->of,
				    .count = place->group_count,
				    .tables = classes->count};
	buf_init(&names, 0);
	int result = entropy_put(classes->of, place->group_count, &naming, &names);
	if (result == 0) {
		buf_put_byte(out, FORM_CLASSES);
		buf_put_byte(out, (uint8_t)classes->count);
		wire_put_block(out, buf_str(&names));
		result = entropy_put(symbols, place->count, &runs, out);
	}
	buf_done(&names);
	return result;
}

/* Whether zstd may pack bytes into less than `coded`: by what it makes of a part of them when there are many. */
static bool may_pack(struct streams_writer *writer, struct str bytes, uint64_t coded)
{
	if (bytes.len < SAMPLED_MIN) {
		return true;
	}
	struct str sample = str_slice(bytes, bytes.len / 2, SAMPLE);
	uint64_t cost = streams_cost(writer, sample, 0);
	return cost * (bytes.len / SAMPLE) < coded + coded / SAMPLE_DOUBT;
}

/* Makes the forms: packed, and coded when that is smaller. */
static int choose(struct streams_writer *writer, const struct symbols_place *place,
		  const uint8_t *symbols, const struct classes *classes, struct buf forms[2])
{
	unsigned bits = bits_of(all_of(symbols, place->count));
	put_packed(symbols, place->count, bits, &forms[0]);
	if (forms[0].failed) {
		return -ERR_NOMEM;
	}
	if (place->count < ENTROPY_MIN) {
		return 0;
	}
	struct str plain = buf_str(&forms[0]);
	uint64_t estimate = classes->bits / 8 + ENTROPY_EXTRA;
	size_t packed = plain.len;
	if (may_pack(writer, plain, estimate < plain.len ? estimate : plain.len)) {
		packed = streams_cost(writer, plain, 0);
	}
	if (estimate >= packed) {
		return 0;
	}
	int result = put_entropy(place, symbols, classes, &forms[1]);
	if (forms[1].len >= packed - packed / GAIN) {
		buf_clear(&forms[1]);
	}
	return result;
}

int symbols_put(struct streams_writer *writer, const struct symbols_place *place,
		const uint8_t *symbols)
{
	struct classes classes;
	struct buf forms[2]; /* packed, and coded when that is smaller */
	struct classes_input input = {symbols, place->ends, place->count, place->group_count};
	if (all_of(symbols, place->count) == 0) {
		return 0;
	}
	int result = place->classes != NULL ? 0 : classes_make(&input, &classes);
	if (result != 0) {
		return result;
	}
	const struct classes *use = place->classes != NULL ? place->classes : &classes;
	buf_init(&forms[0], 0);
	buf_init(&forms[1], 0);
	result = choose(writer, place, symbols, use, forms);
	if (result == 0 && forms[1].len != 0) {
		streams_put(writer, place->column, place->part, buf_str(&forms[1]), -1);
	} else if (result == 0) {
		streams_put(writer, place->column, place->part, buf_str(&forms[0]), 0);
	}
	buf_done(&forms[0]);
	buf_done(&forms[1]);
	if (place->classes == NULL) {
		classes_done(&classes);
	}
	return result;
}

uint64_t symbols_classes(const struct symbols_place *place, const uint8_t *symbols,
			 struct classes *out_classes)
{
	struct classes_input input = {symbols, place->ends, place->count, place->group_count};
	*out_classes = (struct classes){.count = 1};
	if (all_of(symbols, place->count) == 0 || classes_make(&input, out_classes) != 0) {
		return 0;
	}
	return out_classes->bits < place->count * 8 ? out_classes->bits : place->count * 8;
}

uint64_t symbols_cost(const struct symbols_place *place, const uint8_t *symbols)
{
	struct classes classes;
	uint64_t bits = symbols_classes(place, symbols, &classes);
	classes_done(&classes);
	return bits;
}

/* Reading. */

static int get_classes(struct str bytes, const struct symbols_place *place, uint8_t *out)
{
	struct wire_reader reader = wire_reader(bytes);
	unsigned tables = wire_u8(&reader);
	struct str names = wire_block(&reader, bytes.len);
	if (reader.failed || tables < CLASSES_MIN || tables > ENTROPY_TABLES_MAX ||
	    place->ends == NULL || place->group_count < CLASSES_MIN) {
		return -ERR_CORRUPT;
	}
	uint32_t groups_end = (uint32_t)place->group_count;
	struct entropy_runs naming = {.ends = &groups_end, .count = 1, .tables = 1};
	uint8_t *of = malloc(place->group_count);
	int result = of == NULL ? -ERR_NOMEM : entropy_get(names, place->group_count, &naming, of);
	for (size_t g = 0; result == 0 && g < place->group_count; g++) {
		result = of[g] < tables ? 0 : -ERR_CORRUPT;
	}
	if (result == 0) {
		struct entropy_runs runs = {.ends = place->ends,
					    .of = of,
					    .count = place->group_count,
					    .tables = tables};
		result = entropy_get(str_slice(bytes, reader.pos, bytes.len - reader.pos),
				     place->count, &runs, out);
	}
	free(of);
	return result;
}

static int decode(struct str bytes, const struct symbols_place *place, uint8_t *out)
{
	unsigned form = (uint8_t)bytes.ptr[0];
	struct str rest = str_slice(bytes, 1, bytes.len - 1);
	uint32_t one_end = (uint32_t)place->count;
	struct entropy_runs one = {.ends = &one_end, .count = 1, .tables = 1};
	switch (form) {
	case 1:
	case 2:
	case 4:
	case 8:
		if (rest.len != packed_len(place->count, form)) {
			return -ERR_CORRUPT;
		}
		if (form == 8) {
			memcpy(out, rest.ptr, rest.len);
		} else {
			unpack((const uint8_t *)rest.ptr, place->count, form, out);
		}
		return 0;
	case FORM_ENTROPY:
		return entropy_get(rest, place->count, &one, out);
	case FORM_CLASSES:
		return get_classes(rest, place, out);
	default:
		return -ERR_CORRUPT;
	}
}

int symbols_get(struct streams *streams, const struct symbols_place *place, uint8_t *out_symbols,
		struct error *err)
{
	struct str bytes;
	size_t len = streams_length(streams, place->column, place->part);
	if (len == 0) {
		memset(out_symbols, 0, place->count);
		return 0;
	}
	if (place->count == 0 ||
	    len / 2 > place->count + 16384) { /* tables are not longer than that */
		return streams_blame(streams, place->column,
				     "a stream has not the length of its values", err);
	}
	int result = streams_get(streams, place->column, place->part, &bytes, err);
	if (result != 0) {
		return result;
	}
	result = decode(bytes, place, out_symbols);
	streams_forget(streams, place->column, place->part);
	if (result == -ERR_NOMEM) {
		return error_set(err, ERR_NOMEM, "no memory for a column of a block");
	}
	return result == 0 ? 0
			   : streams_blame(streams, place->column,
					   "a stream is not what its values ask for", err);
}
