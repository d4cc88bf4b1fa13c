/* What typical columns of a block take and cost: bits a value beside the bits that the draw holds, ns a value to write and to read. */
#include "base/clock.h"
#include "store/block/ranks.h"
#include "store/block/wordlist.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS      65536
#define CONTEXTS  300
#define READINGS  20
#define WRITINGS  5
#define COLUMN    1
#define WORDS     3000
#define WORD_MAX  400
#define TEMPLATES 300

struct chance {
	uint64_t state;
};

static uint64_t draw(struct chance *chance)
{
	uint64_t value = chance->state += 0x9e3779b97f4a7c15u;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

static double uniform(struct chance *chance)
{
	return ((double)(draw(chance) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(struct chance *chance)
{
	return sqrt(-2 * log(uniform(chance))) * cos(6.283185307179586 * uniform(chance));
}

/* Numbers 0..n-1, number k with a share of 1 / (k + 1)^s. */
static uint32_t zipf(struct chance *chance, uint32_t n, double s)
{
	double top = pow(n + 1, 1 - s) - 1;
	return (uint32_t)(pow(uniform(chance) * top + 1, 1 / (1 - s)) - 1);
}

/* The bits of such a number. */
static double zipf_bits(uint32_t n, double s)
{
	double top = pow(n + 1, 1 - s) - 1, bits = 0;
	for (uint32_t k = 0; k < n; k++) {
		double share = (pow(k + 2, 1 - s) - pow(k + 1, 1 - s)) / top;
		bits -= share * log2(share);
	}
	return bits;
}

struct column {
	int64_t value[ROWS];
	uint32_t code[ROWS], context[ROWS];
};

struct desk {
	struct streams_writer *writer;
	struct buf block;
	struct streams *streams;
};

static void open_block(struct desk *desk)
{
	struct error err;
	int result = streams_finish(desk->writer, 1, NULL, &desk->block, &err);
	struct streams_place place = {
		.fd = -1, .bytes = buf_str(&desk->block), .name = "bench", .number = 1};
	result = result == 0 ? streams_open(&place, &desk->streams, &err) : result;
	assert(result == 0);
	(void)result; /* asserted */
}

static void report(const struct desk *desk, const char *name, double floor, const int64_t ns[2])
{
	uint64_t stored = 0, unpacked = 0;
	streams_size(desk->streams, COLUMN, &stored, &unpacked);
	printf("%-34s %8llu B %7.3f bits (floor %6.3f)  write %5.1f ns  read %5.2f ns\n", name,
	       (unsigned long long)stored, (double)stored * 8 / ROWS, floor, (double)ns[0] / ROWS,
	       (double)ns[1] / ROWS);
}

/* What is measured takes at least this long: the least of several times, since other programs run too. */
static int64_t least(int64_t a, int64_t b)
{
	return a == 0 || b < a ? b : a;
}

/* Fills a column and returns the bits a value that the draw holds. */
typedef double fill_fn(struct chance *chance, struct column *column);

static void measure_ints(struct desk *desk, const char *name, fill_fn *fill, bool grouped)
{
	struct chance chance = {.state = 1};
	struct column *column = calloc(1, sizeof(*column));
	int64_t *back = calloc(ROWS, sizeof(*back));
	assert(column != NULL && back != NULL);
	double floor = fill(&chance, column);
	struct ints_column about = {
		.column = COLUMN, .count = ROWS, .bucket = grouped ? column->context : NULL};
	int64_t ns[2] = {0, 0};
	int result = 0;
	for (uint16_t i = WRITINGS; i > 0; i--) { /* the last one is the column that is read */
		int64_t start = clock_monotonic_ns();
		about.column = (uint16_t)(COLUMN + i - 1);
		result |= ints_put(desk->writer, &about, column->value);
		ns[0] = least(ns[0], clock_monotonic_ns() - start);
	}
	open_block(desk);
	for (int i = 0; i < READINGS; i++) {
		int64_t start = clock_monotonic_ns();
		result |= ints_get(desk->streams, &about, back, NULL);
		streams_drop(desk->streams, COLUMN);
		ns[1] = least(ns[1], clock_monotonic_ns() - start);
	}
	assert(result == 0 && memcmp(back, column->value, ROWS * sizeof(*back)) == 0);
	report(desk, name, floor, ns);
	streams_close(desk->streams);
	free(column);
	free(back);
}

static void measure_ranks(struct desk *desk, const char *name, fill_fn *fill)
{
	struct chance chance = {.state = 1};
	struct column *column = calloc(1, sizeof(*column));
	uint32_t *back = calloc(ROWS, sizeof(*back));
	assert(column != NULL && back != NULL);
	double floor = fill(&chance, column);
	struct ranks_column about = {.column = COLUMN, .count = ROWS, .context = column->context};
	int64_t ns[2] = {0, 0};
	int result = 0;
	for (uint16_t i = WRITINGS; i > 0; i--) { /* the last one is the column that is read */
		int64_t start = clock_monotonic_ns();
		about.column = (uint16_t)(COLUMN + i - 1);
		result |= ranks_put(desk->writer, &about, column->code);
		ns[0] = least(ns[0], clock_monotonic_ns() - start);
	}
	open_block(desk);
	for (int i = 0; i < READINGS; i++) {
		int64_t start = clock_monotonic_ns();
		result |= ranks_get(desk->streams, &about, back, NULL);
		streams_drop(desk->streams, COLUMN);
		ns[1] = least(ns[1], clock_monotonic_ns() - start);
	}
	assert(result == 0 && memcmp(back, column->code, ROWS * sizeof(*back)) == 0);
	report(desk, name, floor, ns);
	streams_close(desk->streams);
	free(column);
	free(back);
}

/* Integers. */

static double fill_constant(struct chance *chance, struct column *column)
{
	(void)chance;
	for (size_t i = 0; i < ROWS; i++) {
		column->value[i] = 123456;
	}
	return 0;
}

static double fill_epoch(struct chance *chance, struct column *column)
{
	double now = 1.7e12;
	for (size_t i = 0; i < ROWS; i++) { /* milliseconds, 23 a second */
		now += -log(uniform(chance)) * 1000 / 23;
		column->value[i] = (int64_t)now * 1000000;
	}
	return log2(2.718281828 * 1000 / 23);
}

static double fill_gap(struct chance *chance, struct column *column)
{
	for (size_t i = 0; i < ROWS; i++) { /* 0.2 to 1 ms in 100 ns */
		column->value[i] = (int64_t)(2000 + draw(chance) % 8000) * 100;
	}
	return log2(8000);
}

static double lognormal(struct chance *chance, struct column *column, const double shape[3])
{
	double medians[CONTEXTS], bits = 0;
	for (size_t c = 0; c < CONTEXTS; c++) {
		medians[c] = shape[0] * exp(shape[1] * normal(chance));
	}
	for (size_t i = 0; i < ROWS; i++) {
		uint32_t context = zipf(chance, CONTEXTS, 0.9);
		double median = medians[context] < 1 ? 1 : medians[context];
		column->context[i] = context;
		column->value[i] = (int64_t)(median * exp(shape[2] * normal(chance)));
		double own = log2(median * shape[2] * 4.1327);
		bits += own > 0 ? own : 0;
	}
	return bits / ROWS;
}

static double fill_duration(struct chance *chance, struct column *column)
{
	return lognormal(chance, column, (double[3]){8000, 0.9, 0.7}); /* us */
}

static double fill_rows(struct chance *chance, struct column *column)
{
	return lognormal(chance, column, (double[3]){5, 1.2, 0.5});
}

static double fill_latency(struct chance *chance, struct column *column)
{
	return lognormal(chance, column, (double[3]){25, 1, 0.45}); /* ms */
}

static double fill_transaction(struct chance *chance, struct column *column)
{
	int64_t next = 7000000;
	for (size_t i = 0; i < ROWS; i++) {
		next += 1 + (int64_t)(draw(chance) % 3);
		column->value[i] = next;
	}
	return log2(3);
}

static double fill_customer(struct chance *chance, struct column *column)
{
	for (size_t i = 0; i < ROWS; i++) {
		column->value[i] = 100000 + (int64_t)(1e6 * pow(uniform(chance), 2.2));
	}
	return log2(2.2e6) - 1.2 * 1.442695;
}

static double fill_order(struct chance *chance, struct column *column)
{
	for (size_t i = 0; i < ROWS; i++) {
		column->value[i] = 71000000 + (int64_t)(i / 10) - (int64_t)(draw(chance) % 50000);
	}
	return log2(50000);
}

static double fill_money(struct chance *chance, struct column *column)
{
	for (size_t i = 0; i < ROWS; i++) {
		column->value[i] = (int64_t)(8000 * exp(1.1 * normal(chance)));
	}
	return log2(8000 * 1.1 * 4.1327);
}

static double fill_page(struct chance *chance, struct column *column)
{
	static const int64_t sizes[] = {10, 20, 25, 50, 100, 250, 500, 1000};
	for (size_t i = 0; i < ROWS; i++) {
		column->value[i] = sizes[draw(chance) % 8];
	}
	return 3;
}

/* Codes. */

static double fill_follows(struct chance *chance, struct column *column)
{
	for (size_t i = 0; i < ROWS; i++) {
		column->context[i] = zipf(chance, 5000, 0.9);
		column->code[i] = column->context[i] * 3 / 7;
	}
	return 0;
}

static double fill_address(struct chance *chance, struct column *column)
{
	for (size_t i = 0; i < ROWS; i++) { /* one of two, the first in 80 % */
		column->context[i] = zipf(chance, 5000, 0.9);
		column->code[i] = column->context[i] * 2 + (draw(chance) % 5 == 0);
	}
	return 0.7219;
}

static double fill_status(struct chance *chance, struct column *column)
{
	double entropy = 0;
	static const double share[] = {0.75, 0.205, 0.015, 0.01, 0.01, 0.006, 0.004};
	for (size_t i = 0; i < ROWS; i++) {
		double at = uniform(chance);
		uint32_t code = 0;
		while (code < 6 && at > share[code]) {
			at -= share[code++];
		}
		column->code[i] = code;
	}
	for (size_t k = 0; k < 7; k++) {
		entropy -= share[k] * log2(share[k]);
	}
	return entropy;
}

static double fill_session(struct chance *chance, struct column *column)
{
	for (size_t i = 0; i < ROWS; i++) {
		column->code[i] = (uint32_t)(draw(chance) % 240);
	}
	return log2(240);
}

static double fill_route(struct chance *chance, struct column *column)
{
	for (size_t i = 0; i < ROWS; i++) {
		column->code[i] = zipf(chance, 50, 0.9);
	}
	return zipf_bits(50, 0.9);
}

static double fill_template(struct chance *chance, struct column *column)
{
	uint32_t last = 0;
	for (size_t i = 0; i < ROWS;
	     i++) { /* mostly the one that follows, in half of the contexts one of four */
		column->context[i] = last;
		bool is_sure = last % 2 == 0;
		last = (last * 31 + 7 + (is_sure ? 0 : (uint32_t)(draw(chance) % 4))) % CONTEXTS;
		if (i % 5 == 0) {
			last = zipf(chance, CONTEXTS, 0.9);
		}
		column->code[i] = last;
	}
	return 0.7219 + 0.8 +
	       0.2 * zipf_bits(CONTEXTS, 0.9); /* whether, which of four, which of all */
}

/* Lists of texts. */

typedef void word_fn(struct chance *chance, size_t i, char out[WORD_MAX]);

static void user_word(struct chance *chance, size_t i, char out[WORD_MAX])
{
	(void)i;
	(void)snprintf(out, WORD_MAX, "user%04u@corp.example", (unsigned)(draw(chance) % 5000));
}

static void address_word(struct chance *chance, size_t i, char out[WORD_MAX])
{
	(void)i;
	(void)snprintf(out, WORD_MAX, "10.%u.%u.%u", (unsigned)(draw(chance) % 8),
		       (unsigned)(draw(chance) % 256), (unsigned)(draw(chance) % 256));
}

static void name_word(struct chance *chance, size_t i, char out[WORD_MAX])
{
	static const char *const parts[] = {"an", "be", "ca", "do", "el", "fi", "gu", "ha",
					    "is", "jo", "ka", "lu", "ma", "no", "ol", "ri"};
	(void)i;
	(void)snprintf(out, WORD_MAX, "%s%s%s.%s%s", parts[draw(chance) % 16],
		       parts[draw(chance) % 16], parts[draw(chance) % 16], parts[draw(chance) % 16],
		       parts[draw(chance) % 16]);
}

static void template_word(struct chance *chance, size_t i, char out[WORD_MAX])
{
	int at = snprintf(out, WORD_MAX, "SELECT ");
	uint32_t columns = 4 + (uint32_t)(draw(chance) % 8);
	for (uint32_t c = 0; c < columns; c++) {
		at += snprintf(out + at, (size_t)(WORD_MAX - at), "[o].[column_%u], ",
			       (unsigned)(draw(chance) % 40));
	}
	(void)snprintf(out + at, (size_t)(WORD_MAX - at),
		       "[o].[Id] FROM [schema%u].[Table%zu] AS [o] WHERE [o].[column_%u] = ? AND "
		       "[o].[Status] = ? ORDER BY [o].[CreatedAt]",
		       (unsigned)(draw(chance) % 6), i % 40, (unsigned)(draw(chance) % 40));
}

static void measure_list(struct desk *desk, const char *name, word_fn *word, size_t count)
{
	struct chance chance = {.state = 1};
	char(*bytes)[WORD_MAX] = calloc(count, WORD_MAX);
	struct str *texts = calloc(count, sizeof(*texts));
	struct str *sorted = calloc(count, sizeof(*sorted));
	uint32_t *code = calloc(count, sizeof(*code));
	assert(bytes != NULL && texts != NULL && sorted != NULL && code != NULL);
	size_t total = 0;
	for (size_t i = 0; i < count; i++) {
		word(&chance, i, bytes[i]);
		texts[i] = str_of(bytes[i]);
		total += texts[i].len;
	}
	int64_t start = clock_monotonic_ns();
	int result = wordlist_sort(texts, count, code);
	for (size_t i = 0; i < count; i++) {
		sorted[code[i]] = texts[i];
	}
	result |= wordlist_put(desk->writer, COLUMN, 0, sorted, count);
	int64_t write_ns = clock_monotonic_ns() - start;
	open_block(desk);
	start = clock_monotonic_ns();
	for (int i = 0; i < READINGS; i++) {
		struct wordlist list;
		result |= wordlist_get(desk->streams, COLUMN, 0, &list, NULL);
		wordlist_done(&list);
		streams_drop(desk->streams, COLUMN);
	}
	int64_t read_ns = (clock_monotonic_ns() - start) / READINGS;
	assert(result == 0);
	(void)result; /* asserted */
	uint64_t stored = 0, unpacked = 0;
	streams_size(desk->streams, COLUMN, &stored, &unpacked);
	printf("%-34s %8zu B -> %6llu B  %6.2f B a text  write %6.0f ns  read %5.0f ns a text\n",
	       name, total, (unsigned long long)stored, (double)stored / (double)count,
	       (double)write_ns / (double)count, (double)read_ns / (double)count);
	streams_close(desk->streams);
	free(bytes);
	free(texts);
	free(sorted);
	free(code);
}

int main(void)
{
	struct desk desk = {.writer = streams_writer_new()};
	assert(desk.writer != NULL);
	buf_init(&desk.block, 0);
	measure_ints(&desk, "a constant", fill_constant, false);
	measure_ints(&desk, "epoch of requests, ms", fill_epoch, false);
	measure_ints(&desk, "gaps, uniform", fill_gap, false);
	measure_ints(&desk, "durations by template", fill_duration, true);
	measure_ints(&desk, "the same without buckets", fill_duration, false);
	measure_ints(&desk, "response rows by template", fill_rows, true);
	measure_ints(&desk, "latencies by route", fill_latency, true);
	measure_ints(&desk, "transaction ids", fill_transaction, false);
	measure_ints(&desk, "customer ids", fill_customer, false);
	measure_ints(&desk, "order ids", fill_order, false);
	measure_ints(&desk, "money", fill_money, false);
	measure_ints(&desk, "page sizes", fill_page, false);
	measure_ranks(&desk, "codes that follow", fill_follows);
	measure_ranks(&desk, "address given user", fill_address);
	measure_ranks(&desk, "status", fill_status);
	measure_ranks(&desk, "session", fill_session);
	measure_ranks(&desk, "route", fill_route);
	measure_ranks(&desk, "template given the one before", fill_template);
	measure_list(&desk, "users", user_word, WORDS);
	measure_list(&desk, "addresses", address_word, WORDS);
	measure_list(&desk, "names", name_word, WORDS);
	measure_list(&desk, "SQL templates", template_word, TEMPLATES);
	streams_writer_free(desk.writer);
	buf_done(&desk.block);
	return 0;
}
