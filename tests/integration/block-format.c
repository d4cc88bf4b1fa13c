/* Writes columns of every form into a block, as it is and encrypted, and says what they hold, for a reader that knows only docs/format.md:
 * block-format FOLDER makes FOLDER/plain, FOLDER/sealed and FOLDER/values. */
#include "base/io.h"
#include "store/block/ranks.h"
#include "store/block/wordlist.h"

#include <assert.h>
#include <stdlib.h>

#define MANY    20000
#define NUMBER  5
#define PART    3 /* where each column begins */
#define SPREADS 3

static const uint8_t key[STREAMS_KEY_BYTES] = "thirty-two bytes, to be kept se";

struct desk {
	struct streams_writer *writer;
	struct buf said;
	uint16_t column;
	uint64_t seed;
	size_t count;
	int64_t value[MANY];
	uint32_t code[MANY], bucket[MANY];
	struct buf bytes;
	struct str text[MANY];
};

static uint64_t draw(struct desk *desk)
{
	uint64_t value = desk->seed += 0x9e3779b97f4a7c15u;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

/* The beginning of a line: kind, column, count, and the buckets when there are any. */
static void say(struct desk *desk, const char *kind, bool has_buckets)
{
	buf_putf(&desk->said, "%s %u %zu %d", kind, desk->column, desk->count, has_buckets);
	for (size_t i = 0; has_buckets && i < desk->count; i++) {
		buf_putf(&desk->said, " %u", desk->bucket[i]);
	}
}

static void put_ints(struct desk *desk, bool has_buckets)
{
	struct ints_column about = {.column = desk->column,
				    .part = PART,
				    .count = desk->count,
				    .bucket = has_buckets ? desk->bucket : NULL};
	int result = ints_put(desk->writer, &about, desk->value);
	assert(result == 0);
	(void)result; /* asserted */
	say(desk, "ints", has_buckets);
	for (size_t i = 0; i < desk->count; i++) {
		buf_putf(&desk->said, " %lld", (long long)desk->value[i]);
	}
	buf_put_byte(&desk->said, '\n');
	desk->column++;
}

static void put_ranks(struct desk *desk, bool has_buckets)
{
	struct ranks_column about = {.column = desk->column,
				     .part = PART,
				     .count = desk->count,
				     .context = has_buckets ? desk->bucket : NULL};
	int result = ranks_put(desk->writer, &about, desk->code);
	assert(result == 0);
	(void)result; /* asserted */
	say(desk, "ranks", has_buckets);
	for (size_t i = 0; i < desk->count; i++) {
		buf_putf(&desk->said, " %u", desk->code[i]);
	}
	buf_put_byte(&desk->said, '\n');
	desk->column++;
}

static void put_list(struct desk *desk)
{
	const char *at = desk->bytes.ptr; /* texts end with a line end */
	for (size_t i = 0; i < desk->count; i++) {
		const char *end = memchr(at, '\n', desk->bytes.len);
		assert(end != NULL);
		desk->text[i] = str_make(at, (size_t)(end - at));
		at = end + 1;
	}
	int result = wordlist_put(desk->writer, desk->column, PART, desk->text, desk->count);
	assert(result == 0);
	(void)result; /* asserted */
	say(desk, "list", false);
	for (size_t i = 0; i < desk->count; i++) {
		buf_put_text(&desk->said, " x");
		buf_put_hex(&desk->said, desk->text[i]);
	}
	buf_put_byte(&desk->said, '\n');
	buf_clear(&desk->bytes);
	desk->column++;
}

/* Columns of integers, one of each kind that the writer tells apart. */
static int64_t number(struct desk *desk, unsigned kind, size_t i)
{
	int64_t before = i > 0 ? desk->value[i - 1] : -5;
	switch (kind) {
	case 0:
		return 0;
	case 1:
		return -77;
	case 2:
		return 1700000000000 + (int64_t)(draw(desk) % 1000) * 1000;
	case 3:
		return before + (int64_t)(draw(desk) % 100);
	case 4:
		return before - 50 + (int64_t)(draw(desk) % 100);
	case 5:
		return (int64_t)(draw(desk) >> draw(desk) % 64);
	default:
		return (int64_t)(draw(desk) % 9) * 1234567891;
	}
}

#define KINDS 7

static void write_ints(struct desk *desk)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i < desk->count; i++) {
			desk->value[i] = number(desk, kind, i);
		}
		put_ints(desk, false);
	}
	for (size_t i = 0; i < desk->count; i++) {
		desk->bucket[i] = (uint32_t)(draw(desk) % 40) * 99999999u;
	}
	for (unsigned spread = 0; spread < SPREADS; spread++) { /* what buckets decide */
		for (size_t i = 0; i < desk->count; i++) {
			uint32_t bucket = desk->bucket[i];
			desk->value[i] =
				spread == 0       ? (int64_t)(draw(desk) & ((4u << bucket % 9) - 1))
				: spread == 1     ? (int64_t)(draw(desk) & ((2u << bucket % 4) - 1))
				: bucket % 2 != 0 ? bucket
						  : 1000000 * (int64_t)(draw(desk) % 4);
		}
		put_ints(desk, true);
	}
}

static void write_ranks(struct desk *desk)
{
	for (size_t i = 0; i < desk->count; i++) {
		desk->code[i] = desk->bucket[i] / 3 + (draw(desk) % 9 == 0);
	}
	put_ranks(desk, true);
	for (size_t i = 0; i < desk->count; i++) {
		desk->code[i] = desk->bucket[i] % 40 * 2 +
				(uint32_t)(draw(desk) % (1 + desk->bucket[i] % 3));
	}
	put_ranks(desk, true);
	for (size_t i = 0; i < desk->count; i++) {
		desk->code[i] = (uint32_t)(draw(desk) % 240);
	}
	put_ranks(desk, false);
	for (size_t i = 0; i < desk->count; i++) {
		bool is_same = i > 0 && draw(desk) % 9 != 0;
		desk->code[i] = is_same ? desk->code[i - 1] : (uint32_t)(draw(desk) % 500);
	}
	put_ranks(desk, false);
}

static void write_lists(struct desk *desk)
{
	for (size_t i = 0; i < desk->count; i++) {
		buf_putf(&desk->bytes, "user%05zu@corp\n", i * 3);
	}
	put_list(desk);
	for (size_t i = 0; i < desk->count; i++) {
		buf_putf(&desk->bytes, "10.%zu.%zu.%u\n", i >> 12, i >> 4 & 255,
			 (unsigned)(draw(desk) % 256));
	}
	put_list(desk);
	for (size_t i = 0; i < desk->count; i++) {
		buf_putf(&desk->bytes, "%c%c\002 n\001%c\n", (char)('a' + draw(desk) % 26),
			 (char)('a' + draw(desk) % 26), (char)('a' + draw(desk) % 26));
	}
	put_list(desk);
}

static void write_block(struct desk *desk, const uint8_t *with_key)
{
	static const size_t counts[] = {1, 5, 60, 900, 1500, 3000, 9000, MANY};
	desk->seed = 1;
	desk->column = 1;
	buf_clear(&desk->said);
	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		desk->count = counts[k];
		write_ints(desk);
		write_ranks(desk);
		write_lists(desk);
	}
	int result = streams_finish(desk->writer, NUMBER, with_key, &desk->bytes, NULL);
	assert(result == 0 && !desk->said.failed);
	(void)result; /* asserted */
}

static int save(const char *folder, const char *name, struct buf *bytes)
{
	struct buf path;
	buf_init(&path, 4096);
	buf_putf(&path, "%s/%s", folder, name);
	FILE *file IO_FCLOSE = fopen(path.ptr, "wb");
	int result = file != NULL && fwrite(bytes->ptr, 1, bytes->len, file) == bytes->len ? 0 : 1;
	buf_done(&path);
	return result;
}

int main(int argc, char **argv)
{
	struct desk *desk = argc == 2 ? calloc(1, sizeof(*desk)) : NULL;
	if (desk == NULL || (desk->writer = streams_writer_new()) == NULL) {
		fprintf(stderr, "usage: block-format FOLDER\n");
		return 2;
	}
	buf_init(&desk->said, 0);
	buf_init(&desk->bytes, 0);
	write_block(desk, NULL);
	int result = save(argv[1], "plain", &desk->bytes);
	buf_clear(&desk->bytes);
	write_block(desk, key);
	result |= save(argv[1], "sealed", &desk->bytes);
	result |= save(argv[1], "values", &desk->said);
	buf_done(&desk->said);
	buf_done(&desk->bytes);
	streams_writer_free(desk->writer);
	free(desk);
	return result;
}
