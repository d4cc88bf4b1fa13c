/* wire - read and write binary fields, bounded, with one sticky error.
 *
 * Shape:   integers are little-endian; varints are unsigned LEB128 of at most 10 bytes, minimal form only; signed ones are
 *          zigzag; a block of bytes is a varint length and the bytes.
 * Errors:  a read past the end, a non-minimal or too long varint, or a length over its limit sets failed and every later
 *          read gives 0 or an empty str: check once at the end.
 * Life:    strs returned borrow from the input.
 * Threads: one reader per thread. Blocking: never.
 * Tests:   tests/unit/wire.c
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/buf.h"

struct wire_reader {
	const uint8_t *ptr;
	size_t len;
	size_t pos; /* next byte to read; after a failure, where it happened */
	bool failed;
};

/* A reader over bytes, which it borrows. */
struct wire_reader wire_reader(struct str bytes);

/* The next field; 0 or empty after a failure. */
static inline uint8_t wire_u8(struct wire_reader *reader)
{
	if (reader->failed || reader->pos == reader->len) {
		reader->failed = true;
		return 0;
	}
	return reader->ptr[reader->pos++];
}
uint16_t wire_u16(struct wire_reader *reader);
uint32_t wire_u32(struct wire_reader *reader);
uint64_t wire_u64(struct wire_reader *reader);
uint64_t wire_varint(struct wire_reader *reader);
int64_t wire_zigzag(struct wire_reader *reader);

/* The next len bytes, borrowed. */
struct str wire_bytes(struct wire_reader *reader, size_t len);

/* A varint length of at most max_bytes and its bytes, borrowed. */
struct str wire_block(struct wire_reader *reader, size_t max_bytes);

/* Bytes that are left to read; 0 after a failure. */
size_t wire_left(const struct wire_reader *reader);

/* Append one field to a buf (whose failed flag is the sticky error). */
void wire_put_u8(struct buf *buf, uint8_t value);
void wire_put_u16(struct buf *buf, uint16_t value);
void wire_put_u32(struct buf *buf, uint32_t value);
void wire_put_u64(struct buf *buf, uint64_t value);
void wire_put_varint(struct buf *buf, uint64_t value);
void wire_put_zigzag(struct buf *buf, int64_t value);
void wire_put_block(struct buf *buf, struct str bytes);

#endif
