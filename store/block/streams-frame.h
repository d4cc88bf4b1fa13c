/* streams-frame - what writer and reader of streams share: the header's places and the words of a directory entry.
 *
 * Shape:   docs/format.md section 9.1.
 * Threads: constants. Blocking: never. Tests: tests/unit/streams.c
 */
#ifndef STORE_BLOCK_STREAMS_FRAME_H
#define STORE_BLOCK_STREAMS_FRAME_H

#include <stdint.h>

#define STREAMS_MAGIC        "QTB1"
#define STREAMS_VERSION      1
#define STREAMS_FLAG_SEALED  1u
#define STREAMS_HEADER_BYTES 32

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

#endif
