#include "base/wire.h"

struct wire_reader wire_reader(struct str bytes)
{
	return (struct wire_reader){.ptr = (const uint8_t *)bytes.ptr, .len = bytes.len};
}

/* Moves over count bytes and says whether they were there. */
static const uint8_t *step(struct wire_reader *reader, size_t count)
{
	if (reader->failed || count > reader->len - reader->pos) {
		reader->failed = true;
		return NULL;
	}
	const uint8_t *at = reader->ptr + reader->pos;
	reader->pos += count;
	return at;
}

uint16_t wire_u16(struct wire_reader *reader)
{
	const uint8_t *at = step(reader, 2);
	if (at == NULL) {
		return 0;
	}
	unsigned value = (unsigned)at[0] | (unsigned)at[1] << 8;
	return (uint16_t)value;
}

uint32_t wire_u32(struct wire_reader *reader)
{
	const uint8_t *at = step(reader, 4);
	if (at == NULL) {
		return 0;
	}
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

uint64_t wire_u64(struct wire_reader *reader)
{
	uint64_t low = wire_u32(reader);
	uint64_t high = wire_u32(reader);
	return reader->failed ? 0 : low | high << 32;
}

uint64_t wire_varint(struct wire_reader *reader)
{
	uint64_t value = 0;
	size_t start = reader->pos;
	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t byte = wire_u8(reader);
		if (reader->failed) {
			reader->pos = start;
			return 0;
		}
		if (shift == 63 && byte > 1) {
			break;
		}
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			if (byte == 0 && shift != 0) {
				break; /* not the shortest form */
			}
			return value;
		}
	}
	reader->failed = true;
	reader->pos = start;
	return 0;
}

int64_t wire_zigzag(struct wire_reader *reader)
{
	uint64_t value = wire_varint(reader);
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

struct str wire_bytes(struct wire_reader *reader, size_t len)
{
	const uint8_t *at = step(reader, len);
	return at != NULL ? str_make(at, len) : (struct str){.ptr = NULL, .len = 0};
}

struct str wire_block(struct wire_reader *reader, size_t max_bytes)
{
	size_t start = reader->pos;
	uint64_t len = wire_varint(reader);
	if (reader->failed || len > max_bytes || len > reader->len - reader->pos) {
		reader->failed = true;
		reader->pos = start;
		return (struct str){.ptr = NULL, .len = 0};
	}
	return wire_bytes(reader, (size_t)len);
}

size_t wire_left(const struct wire_reader *reader)
{
	return reader->failed ? 0 : reader->len - reader->pos;
}

void wire_put_u8(struct buf *buf, uint8_t value)
{
	buf_put_byte(buf, value);
}

void wire_put_u16(struct buf *buf, uint16_t value)
{
	uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
	buf_put(buf, bytes, sizeof(bytes));
}

void wire_put_u32(struct buf *buf, uint32_t value)
{
	uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
			    (uint8_t)(value >> 24)};
	buf_put(buf, bytes, sizeof(bytes));
}

void wire_put_u64(struct buf *buf, uint64_t value)
{
	wire_put_u32(buf, (uint32_t)value);
	wire_put_u32(buf, (uint32_t)(value >> 32));
}

void wire_put_varint(struct buf *buf, uint64_t value)
{
	uint8_t bytes[10];
	size_t len = 0;
	while (value >= 0x80) {
		bytes[len++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes[len++] = (uint8_t)value;
	buf_put(buf, bytes, len);
}

void wire_put_zigzag(struct buf *buf, int64_t value)
{
	wire_put_varint(buf, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

void wire_put_block(struct buf *buf, struct str bytes)
{
	wire_put_varint(buf, bytes.len);
	buf_put_str(buf, bytes);
}
