/* streams-frame - what writer and reader of streams share: the header's places and the words of a directory entry.
 *
 * Shape:   docs/format.md section 9.1.
 * Threads: constants. Blocking: never. Tests: tests/unit/streams.c
 */
#ifndef STORE_BLOCK_STREAMS_FRAME_H
#define STORE_BLOCK_STREAMS_FRAME_H

#include "store/block/sealed.h"

#include <stdint.h>

#define STREAMS_MAGIC        "QTB1"
#define STREAMS_VERSION      1
#define STREAMS_FLAG_SEALED  1u
#define STREAMS_HEADER_BYTES 32
#define STREAMS_SEALED_BYTES 40 /* key id, salt and tag of the directory, after the header */
#define STREAMS_DIRECTORY    UINT32_MAX /* its ordinal; streams have theirs in order */

/* Low bits of an entry's first number. */
#define STREAM_ZSTD   1u /* else as it is */
#define STREAM_INLINE 2u /* the bytes stand in the directory */

#define STREAM_INLINE_MAX      64
#define STREAM_DIRECTORY_MAX   (16u << 20)
#define STREAM_ZSTD_MAGIC      "\x28\xb5\x2f\xfd" /* begins every frame; not stored */
#define STREAM_ZSTD_MAGIC_SIZE 4

/* Column and part as one rising number. */
static inline uint32_t stream_name(uint16_t column, uint8_t part)
{
	return (uint32_t)column << 8 | part;
}

/* What an encrypted stream is bound to. */
#define STREAM_BOUND_BYTES 11

static inline struct str stream_bound(uint64_t number, uint32_t name,
				      uint8_t out[STREAM_BOUND_BYTES])
{
	for (unsigned i = 0; i < 8; i++) {
		out[i] = (uint8_t)(number >> 8 * i);
	}
	out[8] = (uint8_t)(name >> 8);
	out[9] = (uint8_t)(name >> 16);
	out[10] = (uint8_t)name;
	return str_make(out, STREAM_BOUND_BYTES);
}

#endif
