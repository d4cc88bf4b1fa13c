#include "store/block/entropy.h"

#include "base/error.h"
#include "store/block/entropy-table.h"

#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are copied as they stand");

#define LANES      4
#define LANES_MIN  1024 /* bytes; below that one coder */
#define SMALL      2048 /* bytes a table; below that it is coarser, so that it is made faster */
#define SMALL_BITS 10
#define FAIR       8192
#define FAIR_BITS  11
#define STATE_LOW  (1u << 16) /* states are at least that */
#define STATE_SIZE 4

static unsigned bits_for(size_t count, const struct entropy_runs *runs)
{
	size_t each = count / runs->tables;
	return each < SMALL ? SMALL_BITS : each < FAIR ? FAIR_BITS : ENTROPY_BITS_MAX;
}

static size_t lanes_for(size_t count)
{
	return count < LANES_MIN ? 1 : LANES;
}

static unsigned table_of(const struct entropy_runs *runs, size_t run)
{
	return runs->of != NULL ? runs->of[run] : 0;
}

uint64_t entropy_log2(uint64_t value)
{
	unsigned top = 63u - (unsigned)__builtin_clzll(value);
	uint64_t rest = top >= 16 ? (value >> (top - 16)) & 0xffff : (value << (16 - top)) & 0xffff;
	/* log2(1 + f) is about f + 0.343 f (1 - f) */
	return ((uint64_t)top << 16) + rest + (((rest * (65536 - rest)) >> 16) * 22479 >> 16);
}

uint64_t entropy_bits(const uint32_t *frequency, size_t symbols, uint64_t count)
{
	if (count == 0) {
		return 0;
	}
	uint64_t whole = entropy_log2(count), bits = 0;
	for (size_t s = 0; s < symbols; s++) {
		if (frequency[s] != 0) {
			uint64_t own = entropy_log2(frequency[s]);
			bits += frequency[s] * (whole > own ? whole - own : 0);
		}
	}
	return bits >> 16;
}

uint64_t entropy_bits_with_table(const uint32_t frequency[256], uint64_t count)
{
	uint64_t symbols = 0;
	for (size_t s = 0; s < 256; s++) {
		symbols += frequency[s] != 0;
	}
	return entropy_bits(frequency, 256, count) + 20 + symbols * 5;
}

/* Writing: from the last byte to the first, so that reading goes forward. */

struct coder {
	uint32_t state[LANES];
	uint16_t *words; /* the last one written */
};

static void code_run(struct coder *coder, const uint8_t *bytes, const size_t range[2],
		     const struct entropy_table *table, const unsigned shape[2])
{
	size_t mask = shape[0] - 1;
	unsigned bits = shape[1];
	for (size_t i = range[1]; i > range[0]; i--) {
		uint32_t *state = &coder->state[(i - 1) & mask];
		uint32_t frequency = table->frequency[bytes[i - 1]];
		uint32_t x = *state;
		if (x >= (uint64_t)frequency << (32 - bits)) {
			*--coder->words = (uint16_t)x;
			x >>= 16;
		}
		*state = (x / frequency << bits) + x % frequency + table->start[bytes[i - 1]];
	}
}

static void put_tables(const uint8_t *bytes, size_t count, const struct entropy_runs *runs,
		       struct entropy_table *tables, struct buf *out)
{
	struct bits_writer writer = {.out = out};
	uint32_t(*counts)[256] = calloc(runs->tables, sizeof(*counts));
	if (counts == NULL) {
		out->failed = true;
		return;
	}
	size_t from = 0;
	for (size_t r = 0; r < runs->count; r++) {
		uint32_t *own = counts[table_of(runs, r)];
		for (; from < runs->ends[r]; from++) {
			own[bytes[from]]++;
		}
	}
	for (unsigned t = 0; t < runs->tables; t++) {
		uint32_t sum = 0;
		for (unsigned s = 0; s < 256; s++) {
			sum |= counts[t][s];
		}
		counts[t][0] += sum == 0; /* a table that is not used has something in it, too */
		entropy_table_make(counts[t], bits_for(count, runs), &tables[t], &writer);
	}
	bits_end(&writer);
	free(counts);
}

int entropy_put(const uint8_t *bytes, size_t count, const struct entropy_runs *runs,
		struct buf *out)
{
	size_t lanes = lanes_for(count);
	struct entropy_table *tables = malloc(runs->tables * sizeof(*tables));
	uint16_t *words = malloc((count + 2 * LANES) * sizeof(*words));
	if (tables == NULL || words == NULL) {
		free(tables);
		free(words);
		return -ERR_NOMEM;
	}
	put_tables(bytes, count, runs, tables, out);
	uint16_t *end = words + count + 2 * LANES;
	struct coder coder = {.words = end};
	for (size_t k = 0; k < LANES; k++) {
		coder.state[k] = STATE_LOW;
	}
	const unsigned shape[2] = {(unsigned)lanes, bits_for(count, runs)};
	for (size_t r = out->failed ? 0 : runs->count; r > 0; r--) {
		const size_t range[2] = {r > 1 ? runs->ends[r - 2] : 0, runs->ends[r - 1]};
		code_run(&coder, bytes, range, &tables[table_of(runs, r - 1)], shape);
	}
	for (size_t k = 0; k < lanes; k++) {
		uint32_t x = coder.state[k];
		uint8_t state[STATE_SIZE] = {(uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16),
					     (uint8_t)(x >> 24)};
		buf_put(out, state, sizeof(state));
	}
	buf_put(out, coder.words, (size_t)(end - coder.words) * sizeof(*words));
	free(tables);
	free(words);
	return out->failed ? -ERR_NOMEM : 0;
}

/* Reading. */

/* For each low end of a state: byte, frequency - 1, and what is added. */
static uint32_t step_of(unsigned symbol, uint32_t frequency, uint32_t bias)
{
	return symbol | (frequency - 1) << 8 | bias << 20;
}

struct reader {
	uint32_t state[LANES];
	const uint8_t *at, *end;
	unsigned bits;
	size_t lanes;
};

static void make_steps(const struct entropy_table *table, uint32_t *out)
{
	for (unsigned s = 0; s < 256; s++) {
		for (uint32_t k = 0; k < table->frequency[s]; k++) {
			out[table->start[s] + k] = step_of(s, table->frequency[s], k);
		}
	}
}

static inline uint32_t next_word(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

/* One byte. False: the words are at their end. */
static inline bool read_one(struct reader *reader, const uint32_t *steps, size_t i, uint8_t *out)
{
	uint32_t *state = &reader->state[i & (reader->lanes - 1)];
	uint32_t step = steps[*state & ((1u << reader->bits) - 1)];
	uint32_t x = ((step >> 8 & 0xfff) + 1) * (*state >> reader->bits) + (step >> 20);
	*out = (uint8_t)step;
	if (x < STATE_LOW) {
		if (reader->end - reader->at < 2) {
			return false;
		}
		x = x << 16 | next_word(reader->at);
		reader->at += 2;
	}
	*state = x;
	return true;
}

/* Four bytes from four coders; 8 bytes of words are there. */
static inline void read_four(struct reader *reader, const uint32_t *steps, uint8_t *out)
{
	const uint8_t *at = reader->at;
	unsigned bits = reader->bits;
	for (unsigned k = 0; k < LANES; k++) {
		uint32_t state = reader->state[k];
		uint32_t step = steps[state & ((1u << bits) - 1)];
		uint32_t x = ((step >> 8 & 0xfff) + 1) * (state >> bits) + (step >> 20);
		uint32_t fed = x << 16 | next_word(at);
		bool is_low = x < STATE_LOW;
		out[k] = (uint8_t)step;
		reader->state[k] = is_low ? fed : x;
		at += is_low ? 2 : 0;
	}
	reader->at = at;
}

static bool read_run(struct reader *io_reader, const uint32_t *steps, const size_t range[2],
		     uint8_t *out)
{
	struct reader reader = *io_reader; /* so that it can live in registers */
	size_t i = range[0];
	bool fits = true;
	bool by_four = reader.lanes == LANES;
	while (fits && i < range[1]) {
		if (by_four && i % LANES == 0) {
			for (; i + LANES <= range[1] && reader.end - reader.at >= 2 * LANES;
			     i += LANES) {
				read_four(&reader, steps, out + i);
			}
			if (i == range[1]) {
				break;
			}
		}
		fits = read_one(&reader, steps, i, &out[i]);
		i++;
	}
	*io_reader = reader;
	return fits;
}

static bool read_tables(struct str coded, size_t count, const struct entropy_runs *runs,
			uint32_t *steps, size_t *out_start)
{
	unsigned bits = bits_for(count, runs);
	uint64_t at = 0;
	for (unsigned t = 0; t < runs->tables; t++) {
		struct entropy_table table;
		if (!entropy_table_read(coded, &at, bits, &table)) {
			return false;
		}
		make_steps(&table, steps + ((size_t)t << bits));
	}
	*out_start = (size_t)((at + 7) / 8);
	return true;
}

static bool read_states(struct str coded, size_t start, struct reader *reader)
{
	if (coded.len - start < reader->lanes * STATE_SIZE) {
		return false;
	}
	const uint8_t *at = (const uint8_t *)coded.ptr + start;
	for (size_t k = 0; k < reader->lanes; k++, at += STATE_SIZE) {
		reader->state[k] = next_word(at) | next_word(at + 2) << 16;
	}
	reader->at = at;
	reader->end = (const uint8_t *)coded.ptr + coded.len;
	return true;
}

int entropy_get(struct str coded, size_t count, const struct entropy_runs *runs, uint8_t *out_bytes)
{
	struct reader reader = {.bits = bits_for(count, runs), .lanes = lanes_for(count)};
	uint32_t *steps = malloc(((size_t)runs->tables << reader.bits) * sizeof(*steps));
	size_t start = 0, from = 0;
	if (steps == NULL) {
		return -ERR_NOMEM;
	}
	bool fits = read_tables(coded, count, runs, steps, &start) &&
		    read_states(coded, start, &reader);
	for (size_t r = 0; fits && r < runs->count; r++) {
		const size_t range[2] = {from, runs->ends[r]};
		fits = read_run(&reader, steps + ((size_t)table_of(runs, r) << reader.bits), range,
				out_bytes);
		from = runs->ends[r];
	}
	for (size_t k = 0; fits && k < reader.lanes; k++) {
		fits = reader.state[k] == STATE_LOW; /* as the writer began */
	}
	free(steps);
	return fits && reader.at == reader.end ? 0 : -ERR_CORRUPT;
}
