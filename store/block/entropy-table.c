#include "store/block/entropy-table.h"

#define CODE_EXACT  16 /* below that a code is the frequency */
#define CODE_MAX    (CODE_EXACT + 8 * (ENTROPY_BITS_MAX - 4))
#define UNARY_MAX   15
#define ESCAPE_BITS 8
#define RICE_BITS   2

/* A frequency with four significant bits as a small number, and back. */
static unsigned code_of(uint32_t frequency)
{
	if (frequency < CODE_EXACT) {
		return frequency;
	}
	unsigned top = 31u - (unsigned)__builtin_clz(frequency);
	return CODE_EXACT + (top - 4) * 8 + (frequency >> (top - 3) & 7);
}

static uint32_t frequency_of(unsigned code)
{
	if (code < CODE_EXACT) {
		return code;
	}
	return (8 | ((code - CODE_EXACT) & 7)) << ((code - CODE_EXACT) / 8 + 1);
}

/* Makes shares sum up to all: those at least half as large as the greatest give or get, evenly. With at most 256 shares of at least 1024 in all
 * the greatest is above one, so that each round brings all nearer. */
static void settle(uint32_t share[256], uint32_t all)
{
	uint32_t given = 0;
	for (unsigned s = 0; s < 256; s++) {
		given += share[s];
	}
	while (given != all) {
		bool is_too_much = given > all;
		uint32_t off = is_too_much ? given - all : all - given;
		uint32_t greatest = 0, large = 0, seen = 0;
		for (unsigned s = 0; s < 256; s++) {
			greatest = share[s] > greatest ? share[s] : greatest;
		}
		uint32_t least = (greatest + 1) / 2;
		for (unsigned s = 0; s < 256; s++) {
			large += share[s] >= least;
		}
		given = 0;
		for (unsigned s = 0; s < 256; s++) {
			if (share[s] >= least) {
				uint32_t own = off / large + (seen < off % large);
				uint32_t can = is_too_much ? share[s] - 1 : own; /* one is left */
				own = own < can ? own : can;
				share[s] = is_too_much ? share[s] - own : share[s] + own;
				seen++;
			}
			given += share[s];
		}
	}
}

/* Frequencies of given weights: each at least one, in all 1 << bits. False: no weights. */
static bool normalize(const uint32_t weights[256], unsigned bits, struct entropy_table *out)
{
	uint64_t sum = 0;
	for (unsigned s = 0; s < 256; s++) {
		sum += weights[s];
	}
	if (sum == 0) {
		return false;
	}
	uint32_t share[256];
	for (unsigned s = 0; s < 256; s++) {
		share[s] = (uint32_t)((((uint64_t)weights[s] << bits) + sum / 2) / sum);
		share[s] = share[s] == 0 && weights[s] != 0 ? 1 : share[s];
	}
	settle(share, 1u << bits);
	uint32_t start = 0;
	for (unsigned s = 0; s < 256; s++) {
		out->frequency[s] = (uint16_t)share[s];
		out->start[s] = (uint16_t)start;
		start += share[s];
	}
	return true;
}

/* Numbers as a quotient in ones and a zero, and `rice` bits; large ones as 15 ones and 8 bits. */
static unsigned number_bits(unsigned number, unsigned rice)
{
	unsigned quotient = number >> rice;
	return quotient < UNARY_MAX ? quotient + 1 + rice : UNARY_MAX + ESCAPE_BITS;
}

static void put_number(struct bits_writer *writer, unsigned number, unsigned rice)
{
	unsigned quotient = number >> rice;
	if (quotient < UNARY_MAX) {
		bits_put(writer, (1u << quotient) - 1, quotient + 1);
		bits_put(writer, number, rice);
	} else {
		bits_put(writer, (1u << UNARY_MAX) - 1, UNARY_MAX);
		bits_put(writer, number, ESCAPE_BITS);
	}
}

static unsigned get_number(struct str bytes, uint64_t *at, unsigned rice)
{
	unsigned quotient = 0;
	while (quotient < UNARY_MAX && bits_at(bytes, (*at)++, 1) != 0) {
		quotient++;
	}
	unsigned count = quotient < UNARY_MAX ? rice : ESCAPE_BITS;
	unsigned rest = (unsigned)bits_at(bytes, *at, count);
	*at += count;
	return quotient < UNARY_MAX ? quotient << rice | rest : rest;
}

/* The codes of the bytes 0..last as numbers: 0 and how many more zeros follow, or 1 + zigzag of the distance to the code before. */
struct numbers {
	unsigned count;
	uint8_t number[512];
};

static void make_numbers(const uint8_t codes[256], unsigned last, struct numbers *out)
{
	unsigned before = 0;
	out->count = 0;
	for (unsigned s = 0; s <= last; s++) {
		if (codes[s] == 0) {
			unsigned more = 0;
			while (codes[s + 1] == 0) { /* ends at the last at the latest */
				more++;
				s++;
			}
			out->number[out->count++] = 0;
			out->number[out->count++] = (uint8_t)more;
		} else {
			int distance = (int)codes[s] - (int)before;
			before = codes[s];
			out->number[out->count++] =
				(uint8_t)(1 + (distance < 0 ? -2 * distance - 1 : 2 * distance));
		}
	}
}

void entropy_table_make(const uint32_t counts[256], unsigned bits, struct entropy_table *out,
			struct bits_writer *writer)
{
	uint8_t codes[256];
	uint32_t weights[256];
	unsigned last = 0, best = 0, best_bits = UINT32_MAX;
	(void)normalize(counts, bits, out); /* there is at least one */
	for (unsigned s = 0; s < 256; s++) {
		codes[s] = (uint8_t)code_of(out->frequency[s]);
		weights[s] = frequency_of(codes[s]);
		last = codes[s] != 0 ? s : last;
	}
	(void)normalize(weights, bits, out); /* as the reader will */
	struct numbers numbers;
	make_numbers(codes, last, &numbers);
	for (unsigned rice = 0; rice < 1u << RICE_BITS; rice++) {
		unsigned sum = 0;
		for (unsigned i = 0; i < numbers.count; i++) {
			sum += number_bits(numbers.number[i], rice);
		}
		best = sum < best_bits ? rice : best;
		best_bits = sum < best_bits ? sum : best_bits;
	}
	bits_put(writer, last, 8);
	bits_put(writer, best, RICE_BITS);
	for (unsigned i = 0; i < numbers.count; i++) {
		put_number(writer, numbers.number[i], best);
	}
}

bool entropy_table_read(struct str bytes, uint64_t *at, unsigned bits, struct entropy_table *out)
{
	uint32_t weights[256] = {0};
	unsigned last = (unsigned)bits_at(bytes, *at, 8);
	unsigned rice = (unsigned)bits_at(bytes, *at + 8, RICE_BITS);
	int before = 0;
	*at += 8 + RICE_BITS;
	for (unsigned s = 0; s <= last; s++) {
		unsigned number = get_number(bytes, at, rice);
		if (number == 0) {
			s += get_number(bytes, at, rice);
			continue;
		}
		int distance = (int)number - 1;
		before += (distance & 1) != 0 ? -(distance + 1) / 2 : distance / 2;
		if (before <= 0 || before > CODE_MAX) {
			return false;
		}
		weights[s] = frequency_of((unsigned)before);
	}
	return *at <= (uint64_t)bytes.len * 8 && normalize(weights, bits, out);
}
