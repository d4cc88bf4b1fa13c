/* Streams of any bytes read as integers, ranks or a list of texts give values or ERR_CORRUPT; what is read is written and read again as
 * it was. */
#include "store/block/ranks.h"
#include "store/block/wordlist.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNT_MAX 5000
#define COLUMN    3
#define TEXT_MAX  (1u << 22)

struct desk {
	struct streams_writer *writer;
	struct buf block;
	struct streams *streams;
	struct error err;
};

static void check(bool is_so)
{
	if (!is_so) {
		__builtin_trap();
	}
}

/* Closes what was open and opens what was written since. */
static void turn(struct desk *desk)
{
	streams_close(desk->streams);
	desk->streams = NULL;
	check(streams_finish(desk->writer, 1, NULL, &desk->block, &desk->err) == 0);
	struct streams_place place = {
		.fd = -1, .bytes = buf_str(&desk->block), .name = "fuzz", .number = 1};
	check(streams_open(&place, &desk->streams, &desk->err) == 0);
}

/* Cuts the input into streams: a part, a length, bytes. */
static void put_parts(struct desk *desk, const uint8_t *data, size_t size)
{
	bool used[256] = {false};
	while (size >= 3) {
		uint8_t part = data[0];
		size_t len = (size_t)data[1] | (size_t)(data[2] & 15) << 8;
		data += 3;
		size -= 3;
		len = len < size ? len : size;
		if (!used[part]) {
			streams_put(desk->writer, COLUMN, part, str_make(data, len), 0);
		}
		used[part] = true;
		data += len;
		size -= len;
	}
	turn(desk);
}

static void try_ints(struct desk *desk, size_t count, const uint32_t *bucket)
{
	struct ints_column about = {.column = COLUMN, .count = count, .bucket = bucket};
	int64_t *values = malloc((count + 1) * sizeof(*values));
	int64_t *again = malloc((count + 1) * sizeof(*again));
	check(values != NULL && again != NULL);
	int result = ints_get(desk->streams, &about, values, &desk->err);
	check(result == 0 || result == -ERR_CORRUPT);
	if (result == 0) {
		check(ints_put(desk->writer, &about, values) == 0);
		turn(desk);
		check(ints_get(desk->streams, &about, again, &desk->err) == 0);
		check(memcmp(values, again, count * sizeof(*values)) == 0);
	}
	free(values);
	free(again);
}

static void try_ranks(struct desk *desk, size_t count, const uint32_t *context)
{
	struct ranks_column about = {.column = COLUMN, .count = count, .context = context};
	uint32_t *codes = malloc((count + 1) * sizeof(*codes));
	uint32_t *again = malloc((count + 1) * sizeof(*again));
	check(codes != NULL && again != NULL);
	int result = ranks_get(desk->streams, &about, codes, &desk->err);
	check(result == 0 || result == -ERR_CORRUPT);
	if (result == 0) {
		check(ranks_put(desk->writer, &about, codes) == 0);
		turn(desk);
		check(ranks_get(desk->streams, &about, again, &desk->err) == 0);
		check(memcmp(codes, again, count * sizeof(*codes)) == 0);
	}
	free(codes);
	free(again);
}

static void try_list(struct desk *desk)
{
	struct wordlist list, again;
	int result = wordlist_get(desk->streams, COLUMN, 0, &list, &desk->err);
	check(result == 0 || result == -ERR_CORRUPT);
	if (result == 0 && list.bytes.len < TEXT_MAX) {
		check(wordlist_put(desk->writer, COLUMN, 0, list.texts, list.count) == 0);
		turn(desk);
		check(wordlist_get(desk->streams, COLUMN, 0, &again, &desk->err) == 0);
		check(again.count == list.count);
		for (size_t i = 0; i < list.count; i++) {
			check(str_equal(list.texts[i], again.texts[i]));
		}
		wordlist_done(&again);
	}
	wordlist_done(&list);
}

/* The first byte: what to read it as; two bytes count; one byte: how many buckets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct desk desk = {.writer = streams_writer_new()};
	uint32_t bucket[COUNT_MAX];
	check(desk.writer != NULL);
	buf_init(&desk.block, 0);
	if (size >= 4) {
		size_t count = ((size_t)data[1] | (size_t)data[2] << 8) % COUNT_MAX;
		for (size_t i = 0; i < count; i++) {
			bucket[i] =
				(uint32_t)(i * 7 % (data[3] + 1u)) * (data[3] & 1 ? 1 : 77777777);
		}
		put_parts(&desk, data + 4, size - 4);
		const uint32_t *use = data[3] != 0 ? bucket : NULL;
		switch (data[0] % 3) {
		case 0:
			try_ints(&desk, count, use);
			break;
		case 1:
			try_ranks(&desk, count, use);
			break;
		default:
			try_list(&desk);
		}
	}
	streams_close(desk.streams);
	streams_writer_free(desk.writer);
	buf_done(&desk.block);
	return 0;
}
