/* Any bytes as a columns blob and as a chunk: answers or ERR_CORRUPT, never a bad access. To get past the checksums, the first
 * byte of the input may ask to have them put right. */
#include "store/columns.h"
#include "store/checksum.h"
#include "store/chunk.h"

#include <endian.h>
#include <stdlib.h>

#define ROWS_MAX 2048

static void put_u32(char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof value);
}

static uint32_t get_u32(const char *at)
{
	uint32_t value = 0;
	memcpy(&value, at, sizeof value);
	return le32toh(value);
}

/* Puts all checksums right that lie inside the blob. */
static void mend(char *bytes, size_t len)
{
	if (len < COLUMNS_HEADER_BYTES) {
		return;
	}
	put_u32(bytes, COLUMNS_MAGIC);
	size_t count = get_u32(bytes + 8) % COLUMNS_SECTIONS_MAX;
	put_u32(bytes + 8, (uint32_t)count);
	size_t front = COLUMNS_HEADER_BYTES + count * COLUMNS_ENTRY_BYTES;
	if (front > len) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		char *entry = bytes + COLUMNS_HEADER_BYTES + i * COLUMNS_ENTRY_BYTES;
		size_t offset = get_u32(entry + 8);
		size_t size = get_u32(entry + 12);
		if (offset <= len && size <= len - offset && offset >= front) {
			put_u32(entry + 16, checksum_crc32c(str_make(bytes + offset, size)));
		}
	}
	put_u32(bytes + 12, 0);
	put_u32(bytes + 12, checksum_crc32c(str_make(bytes, front)));
}

static int ignore(void *owner, size_t row)
{
	(void)owner;
	(void)row;
	return 0;
}

static void read_columns(struct str blob)
{
	static uint8_t kinds[ROWS_MAX];
	static int64_t numbers[ROWS_MAX];
	static uint32_t codes[ROWS_MAX];
	struct columns_directory directory;
	struct columns_codes text = {.codes = codes};
	if (columns_directory_read(str_slice(blob, 0, COLUMNS_FRONT_BYTES), blob.len, &directory,
				   NULL) < 0 ||
	    directory.row_count > ROWS_MAX) {
		return;
	}
	for (size_t row = 0; row < directory.row_count; row++) {
		kinds[row] = (uint8_t)(1 + row % (RECORD_KIND_COUNT - 1));
	}
	struct columns_rows rows = columns_rows(kinds, directory.row_count);
	struct columns_wanted wanted = {.hash = 1, .each = ignore};
	for (size_t i = 0; i < directory.section_count; i++) {
		const struct columns_section *section = &directory.sections[i];
		struct str bytes = str_slice(blob, section->offset, section->length);
		if (columns_read_kinds(section, bytes, rows.row_count, (uint8_t *)codes, NULL) ==
		    0) {
			memcpy(kinds, codes, rows.row_count);
			rows = columns_rows(kinds, rows.row_count);
		}
		(void)columns_read_numbers(section, bytes, &rows, numbers, NULL);
		(void)columns_read_codes(section, bytes, &rows, &text, NULL);
		(void)columns_find_id(section, bytes, &rows, &wanted, NULL);
	}
	free(text.texts);
}

static void read_chunk(struct str bytes)
{
	struct chunk chunk;
	struct str encoded;
	if (chunk_open(bytes, &chunk, NULL) == 0) {
		for (size_t i = 0; i < chunk.record_count; i++) {
			(void)chunk_record(&chunk, i, &encoded, NULL);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	char *copy = malloc(size);
	if (copy == NULL) {
		return 0;
	}
	memcpy(copy, data + 1, size - 1);
	if ((data[0] & 1) != 0) {
		mend(copy, size - 1);
	}
	read_columns(str_make(copy, size - 1));
	if ((data[0] & 2) != 0 && size > 9) {
		size_t count = get_u32(copy + size - 1 - 8);
		size_t directory = count * 8 + 4;
		if (directory + 4 <= size - 1) {
			put_u32(copy + size - 1 - 4,
				checksum_crc32c(
					str_make(copy + size - 1 - 4 - directory, directory)));
		}
	}
	read_chunk(str_make(copy, size - 1));
	free(copy);
	return 0;
}
