/* Any bytes opened as a block give streams of the length that the directory says, or an error; an encrypted block likewise. With the
 * checksums put right first, so that what stands behind them is reached. */
#include "store/block/streams.h"
#include "store/block/streams-frame.h"
#include "store/checksum.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NUMBER         7
#define UNPACKED_MAX   (1u << 22) /* of one stream here: larger ones take long, and no other path */
#define AT_DIRECTORY   16
#define AT_DIRECTORY_C 20
#define AT_HEADER_C    28

static const uint8_t key[STREAMS_KEY_BYTES] = "thirty-two bytes, to be kept se";

static void put_u32(char *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		at[i] = (char)(value >> 8 * i);
	}
}

/* Makes the first bytes a header whose checksums are right. */
static void mend(char *bytes, size_t size)
{
	bool is_sealed = (bytes[5] & 1) != 0;
	size_t start = STREAMS_HEADER_BYTES + (is_sealed ? STREAMS_SEALED_BYTES : 0);
	memcpy(bytes, STREAMS_MAGIC "\1", 5);
	bytes[5] &= 1;
	memset(bytes + 6, 0, 10);
	bytes[8] = NUMBER;
	memset(bytes + 24, 0, 4);
	size_t len = (uint8_t)bytes[AT_DIRECTORY] | (size_t)(uint8_t)bytes[AT_DIRECTORY + 1] << 8;
	put_u32(bytes + AT_DIRECTORY, (uint32_t)len);
	if (start + len <= size) {
		put_u32(bytes + AT_DIRECTORY_C, checksum_crc32c(str_make(bytes + start, len)));
	}
	put_u32(bytes + AT_HEADER_C, checksum_crc32c(str_make(bytes, AT_HEADER_C)));
}

static void read_all(const char *bytes, size_t size)
{
	struct streams_place place = {.fd = -1,
				      .bytes = str_make(bytes, size),
				      .name = "fuzz",
				      .number = NUMBER,
				      .key = key};
	struct streams *streams = NULL;
	struct error err;
	if (streams_open(&place, &streams, &err) != 0) {
		return;
	}
	for (unsigned name = 0; name < 1024; name++) {
		uint16_t column = (uint16_t)(name >> 6);
		uint8_t part = (uint8_t)(name & 63);
		struct str got;
		size_t len = streams_length(streams, column, part);
		if (len <= UNPACKED_MAX && streams_get(streams, column, part, &got, &err) == 0 &&
		    got.len != len) {
			__builtin_trap();
		}
	}
	streams_close(streams);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_all((const char *)data, size);
	if (size >= STREAMS_HEADER_BYTES) {
		char *copy = malloc(size);
		if (copy == NULL) {
			abort();
		}
		memcpy(copy, data, size);
		mend(copy, size);
		read_all(copy, size);
		free(copy);
	}
	return 0;
}
