#include "store/block/ints-form.h"

#include "store/block/entropy.h"

#include <stdlib.h>

#define BODY_MASK   3u
#define STEPS_SHIFT 2
#define GROUPED     16u
#define KNOWN_BITS  31u

#define SAMPLE_RUN   512 /* values in a row that are looked at */
#define SAMPLE_RUNS  16
#define STREAM_BITS  48 /* what one more stream costs by itself */
#define LIST_SLOTS   1024
#define LIST_VALUE   12 /* bits of a listed value, about */
#define SMALL_FACTOR 64

void ints_form_write(const struct ints_form *form, struct buf *out)
{
	wire_put_u8(out, (uint8_t)(form->body | (unsigned)form->steps << STEPS_SHIFT |
				   (form->is_grouped ? GROUPED : 0)));
	wire_put_zigzag(out, form->base);
	wire_put_varint(out, form->scale);
	if (form->scale == 0) {
		return;
	}
	if (form->steps != INTS_NO_STEPS) {
		wire_put_varint(out, form->start);
	}
	if (form->steps == INTS_RISING) {
		wire_put_zigzag(out, form->least);
	}
	if (form->body == INTS_LIST) {
		wire_put_varint(out, form->list_count);
		for (size_t i = 0; i < form->list_count; i++) {
			wire_put_varint(out, form->list[i] - (i == 0 ? 0 : form->list[i - 1]));
		}
	}
}

bool ints_form_read(struct str bytes, struct ints_form *out)
{
	struct wire_reader reader = wire_reader(bytes);
	unsigned flags = wire_u8(&reader);
	unsigned body = flags & BODY_MASK, steps = flags >> STEPS_SHIFT & 3;
	if (flags > KNOWN_BITS || body > INTS_LIST || steps > INTS_EITHER_WAY) {
		return false;
	}
	out->body = (enum ints_body)body;
	out->steps = (enum ints_steps)steps;
	out->is_grouped = (flags & GROUPED) != 0;
	out->base = wire_zigzag(&reader);
	out->scale = wire_varint(&reader);
	out->start = 0;
	out->least = 0;
	out->list_count = 0;
	if (out->scale != 0 && out->steps != INTS_NO_STEPS) {
		out->start = wire_varint(&reader);
	}
	if (out->scale != 0 && out->steps == INTS_RISING) {
		out->least = wire_zigzag(&reader);
	}
	if (out->scale != 0 && out->body == INTS_LIST) {
		uint64_t count = wire_varint(&reader);
		uint64_t value = 0;
		if (count > INTS_LIST_MAX) {
			return false;
		}
		for (; out->list_count < count; out->list_count++) {
			value += wire_varint(&reader);
			out->list[out->list_count] = value;
		}
	}
	return !reader.failed && wire_left(&reader) == 0;
}

struct tally {
	uint32_t plane[8][256];
	uint32_t symbol[256];
	uint64_t below; /* bits below the symbols */
	uint64_t all;   /* or of all values */
	uint64_t count;
};

static void tally_value(struct tally *tally, uint64_t value)
{
	unsigned symbol = ints_symbol_of(value);
	tally->symbol[symbol]++;
	tally->below += ints_symbol_bits(symbol);
	tally->all |= value;
	tally->count++;
	tally->plane[0][value & 255]++;
	for (unsigned b = 1; value >> 8 * b != 0; b++) { /* zeros above are counted at the end */
		tally->plane[b][value >> 8 * b & 255]++;
		if (b == 7) {
			break;
		}
	}
}

/* Bits of the whole series in the better of planes and magnitudes. */
static uint64_t judge(struct tally *tally, size_t count, enum ints_body *out_body)
{
	uint64_t planes = 0;
	for (unsigned b = 0; b < 8 && tally->all >> 8 * b != 0; b++) {
		uint64_t seen = 0;
		for (unsigned s = 1; s < 256; s++) {
			seen += tally->plane[b][s];
		}
		tally->plane[b][0] = (uint32_t)(tally->count - seen);
		planes += entropy_bits(tally->plane[b], 256, tally->count) * count / tally->count;
		planes += STREAM_BITS;
	}
	uint64_t magnitudes = (entropy_bits(tally->symbol, 256, tally->count) + tally->below) *
				      count / tally->count +
			      2 * STREAM_BITS;
	*out_body = magnitudes < planes ? INTS_MAGNITUDES : INTS_PLANES;
	return magnitudes < planes ? magnitudes : planes;
}

/* Where the k-th run of the sample begins, and how many there are. */
static size_t run_count(size_t count)
{
	return count <= (size_t)SAMPLE_RUN * SAMPLE_RUNS ? 1 : SAMPLE_RUNS;
}

static size_t run_start(size_t count, size_t k)
{
	return run_count(count) == 1 ? 0 : (count - SAMPLE_RUN) / (SAMPLE_RUNS - 1) * k;
}

static size_t run_end(size_t count, size_t k)
{
	return run_count(count) == 1 ? count : run_start(count, k) + SAMPLE_RUN;
}

static void tally_plain(const struct ints_series *series, struct tally *tally)
{
	for (size_t k = 0; k < run_count(series->count); k++) {
		for (size_t i = run_start(series->count, k); i < run_end(series->count, k); i++) {
			tally_value(tally, series->y[i]);
		}
	}
}

/* The least and the greatest step in the sample. */
static void step_range(const struct ints_series *series, int64_t *out_least, int64_t *out_greatest)
{
	int64_t least = INT64_MAX, greatest = INT64_MIN;
	for (size_t k = 0; k < run_count(series->count); k++) {
		for (size_t i = run_start(series->count, k) + 1; i < run_end(series->count, k);
		     i++) {
			int64_t step = (int64_t)(series->y[i] - series->y[i - 1]);
			least = step < least ? step : least;
			greatest = step > greatest ? step : greatest;
		}
	}
	*out_least = least;
	*out_greatest = greatest;
}

static void tally_steps(const struct ints_series *series, bool is_rising, int64_t least,
			struct tally *tally)
{
	for (size_t k = 0; k < run_count(series->count); k++) {
		for (size_t i = run_start(series->count, k) + 1; i < run_end(series->count, k);
		     i++) {
			uint64_t step = series->y[i] - series->y[i - 1];
			tally_value(tally,
				    is_rising ? step - (uint64_t)least : step << 1 ^ -(step >> 63));
		}
	}
}

/* Bits of a list of the distinct values and codes into it; UINT64_MAX: there are too many, or too few to gain. */
static uint64_t list_bits(const struct ints_series *series, uint64_t all)
{
	uint64_t slot[LIST_SLOTS];
	uint32_t frequency[LIST_SLOTS] = {0};
	uint64_t found = 0;
	if (all < 256 || series->count < SMALL_FACTOR) {
		return UINT64_MAX;
	}
	for (size_t i = 0; i < series->count; i++) {
		uint64_t y = series->y[i];
		size_t at = (size_t)(y * 0x9e3779b97f4a7c15u >> 54);
		while (frequency[at] != 0 && slot[at] != y) {
			at = (at + 1) % LIST_SLOTS;
		}
		slot[at] = y;
		if (frequency[at]++ == 0 && ++found > INTS_LIST_MAX) {
			return UINT64_MAX;
		}
	}
	return entropy_bits(frequency, LIST_SLOTS, series->count) + found * LIST_VALUE +
	       STREAM_BITS;
}

uint64_t ints_form_choose(const struct ints_series *series, struct ints_form *form)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	form->body = INTS_PLANES;
	form->steps = INTS_NO_STEPS;
	if (tally == NULL) {
		return UINT64_MAX; /* planes are always right */
	}
	tally_plain(series, tally);
	uint64_t best = judge(tally, series->count, &form->body);
	uint64_t list = list_bits(series, tally->all);
	if (list < best) {
		best = list;
		form->body = INTS_LIST;
	}
	if (series->count > 2) {
		int64_t least = 0, greatest = 0;
		step_range(series, &least, &greatest);
		bool is_rising = least >= 0 || greatest <= 0;
		memset(tally, 0, sizeof(*tally));
		tally_steps(series, is_rising, least, tally);
		enum ints_body body = INTS_PLANES;
		uint64_t bits = judge(tally, series->count, &body) + 64;
		if (bits < best) {
			best = bits;
			form->body = body;
			form->steps = is_rising ? INTS_RISING : INTS_EITHER_WAY;
		}
	}
	free(tally);
	return best;
}
