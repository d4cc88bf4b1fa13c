/* Texts come back as they were put and are found where they stand; with bytes of their streams changed, each gives a text or
 * ERR_CORRUPT. Input: flags (1: statements, 2: no families), the number of changes, each a part, two bytes offset and what is xored; then texts,
 * one a line; a line that begins with ! is absent. */
#include "store/block/texts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMN      3
#define TEXTS_MAX   64
#define CHANGES_MAX 32
#define NEEDLE_MAX  70

static void check(bool is_so)
{
	if (!is_so) {
		__builtin_trap();
	}
}

struct desk {
	struct texts_column about;
	struct str texts[TEXTS_MAX];
	uint32_t family[TEXTS_MAX];
	struct buf block;
	struct streams *streams;
	struct buf text;
	struct error err;
};

/* The first line of a family's texts holds its ids; the second one its number. */
static size_t ids_of(void *owner, uint32_t family, struct str out_ids[TEXTS_IDS_MAX],
		     int64_t *out_seed)
{
	const struct desk *desk = owner;

	out_ids[0] = STR_LIT("0f8fad5b-d9cb-469f-a165-70867728950e");
	out_ids[1] = str_slice(desk->texts[(size_t)family * 4], 0, 12);
	*out_seed = family % 2 == 0 ? INT64_MIN : 12345;
	return 2;
}

static void take_texts(struct desk *desk, unsigned flags, struct str lines)
{
	while (lines.ptr != NULL && desk->about.count < TEXTS_MAX) {
		struct str line = str_split(&lines, '\n');
		size_t row = desk->about.count++;

		desk->family[row] = row % 7 == 3 ? TEXTS_NO_FAMILY : (uint32_t)row / 4;
		desk->texts[row] = line;
		if (line.len > 0 && line.ptr[0] == '!') {
			desk->texts[row] = (struct str){NULL, 0};
		}
	}
	desk->about.column = COLUMN;
	desk->about.is_tsql = (flags & 1) != 0;
	desk->about.family = (flags & 2) != 0 ? NULL : desk->family;
	desk->about.ids_of = ids_of;
	desk->about.owner = desk;
}

static void open_block(struct desk *desk, struct streams_writer *writer)
{
	struct streams_place place = {.fd = -1, .name = "fuzz", .number = 1};

	check(streams_finish(writer, 1, NULL, &desk->block, &desk->err) == 0);
	place.bytes = buf_str(&desk->block);
	check(streams_open(&place, &desk->streams, &desk->err) == 0);
}

/* Reads all rows, the last one first; equal: they must be what was put. */
static void read_all(struct desk *desk, struct texts *texts, bool equal)
{
	for (size_t i = 2 * desk->about.count; i-- > 0;) {
		size_t row = i % desk->about.count;
		int result;

		buf_clear(&desk->text);
		result = texts_put_text(texts, row, &desk->text, &desk->err);
		if (equal && desk->texts[row].ptr != NULL) {
			check(result == 0 && str_equal(buf_str(&desk->text), desk->texts[row]));
		} else if (equal) {
			check(result == -ERR_GONE && !texts_has(texts, row));
		} else {
			check(result == 0 || result == -ERR_CORRUPT || result == -ERR_GONE ||
			      result == -ERR_LIMIT);
		}
	}
}

/* Looks for a part of a text. */
static void find_part(struct desk *desk, struct texts *texts, size_t seed, bool equal)
{
	struct str text = desk->texts[seed % desk->about.count];
	struct texts_needle needle = {.ignore_case = seed % 3 == 0};
	uint64_t rows = 0;
	int result;

	needle.needle = str_slice(text, seed * 7 % (text.len + 1), seed % NEEDLE_MAX);
	result = texts_find(texts, &needle, &rows, &desk->err);
	check(result == 0 || (!equal && (result == -ERR_CORRUPT || result == -ERR_LIMIT)));
	for (size_t row = 0; row < desk->about.count && equal; row++) {
		ptrdiff_t at = needle.ignore_case
				       ? str_find_fold(desk->texts[row], needle.needle, 0)
				       : str_find(desk->texts[row], needle.needle, 0);

		check((rows >> row & 1) == (desk->texts[row].ptr != NULL && at >= 0));
	}
}

static void use(struct desk *desk, size_t seed, bool equal)
{
	struct texts *texts;
	int result = texts_open(desk->streams, &desk->about, &texts, &desk->err);

	check(result == 0 || (!equal && result == -ERR_CORRUPT));
	if (result != 0) {
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		find_part(desk, texts, seed + i * 31, equal);
	}
	read_all(desk, texts, equal);
	find_part(desk, texts, seed * 5, equal);
	texts_close(texts);
}

/* Writes the streams again, with bytes of them changed. */
static void change(struct desk *desk, const uint8_t *changes, size_t count)
{
	struct streams_writer *writer = streams_writer_new();

	check(writer != NULL);
	for (unsigned part = 0; part < TEXTS_PARTS; part++) {
		struct str bytes;
		struct buf copy;

		check(streams_get(desk->streams, COLUMN, (uint8_t)part, &bytes, &desk->err) == 0);
		buf_init(&copy, 0);
		buf_put_str(&copy, bytes);
		for (size_t i = 0; i < count; i++) {
			const uint8_t *at = changes + 4 * i;
			size_t offset = (size_t)at[1] | (size_t)at[2] << 8;

			if (at[0] != part) {
				continue;
			}
			if (offset < copy.len) {
				copy.ptr[offset] = (char)(copy.ptr[offset] ^ at[3]);
			} else {
				buf_put_byte(&copy, at[3]);
			}
		}
		streams_put(writer, COLUMN, (uint8_t)part, buf_str(&copy), 0);
		buf_done(&copy);
	}
	streams_close(desk->streams);
	open_block(desk, writer);
	streams_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct desk desk = {.about = {.count = 0}};
	struct streams_writer *writer = streams_writer_new();
	size_t change_count = size > 1 ? data[1] % CHANGES_MAX : 0;
	size_t head = 2 + 4 * change_count;

	check(writer != NULL);
	if (size <= head) {
		streams_writer_free(writer);
		return 0;
	}
	buf_init(&desk.block, 0);
	buf_init(&desk.text, 1u << 20);
	take_texts(&desk, data[0], str_make(data + head, size - head));
	check(texts_put(writer, &desk.about, desk.texts) == 0);
	open_block(&desk, writer);
	use(&desk, size, true);
	if (change_count > 0) {
		change(&desk, data + 2, change_count);
		use(&desk, size, false);
	}
	streams_close(desk.streams);
	streams_writer_free(writer);
	buf_done(&desk.block);
	buf_done(&desk.text);
	return 0;
}
