#include "store/chunk.h"

#include "base/wire.h"
#include "store/checksum.h"

#include <assert.h>
#include <endian.h>

#define ENTRY_BYTES   8
#define TRAILER_BYTES 8

void chunk_builder_begin(struct chunk_builder *builder, struct buf *out)
{
	builder->record_count = 0;
	builder->start = out->len;
	builder->out = out;
}

bool chunk_builder_fits(const struct chunk_builder *builder, size_t size)
{
	if (builder->record_count == 0) {
		return true;
	}
	size_t used = builder->out->len - builder->start + TRAILER_BYTES +
		      (builder->record_count + 1) * ENTRY_BYTES;
	return builder->record_count < CHUNK_RECORDS_MAX && used + size <= CHUNK_BYTES;
}

void chunk_builder_add(struct chunk_builder *builder, struct str encoded)
{
	assert(chunk_builder_fits(builder, encoded.len));
	buf_put_str(builder->out, encoded);
	builder->ends[builder->record_count] = (uint32_t)(builder->out->len - builder->start);
	builder->checks[builder->record_count] = checksum_crc32c(encoded);
	builder->record_count++;
}

void chunk_builder_finish(struct chunk_builder *builder)
{
	struct buf *out = builder->out;
	size_t directory = out->len;
	for (size_t i = 0; i < builder->record_count; i++) {
		wire_put_u32(out, builder->ends[i]);
		wire_put_u32(out, builder->checks[i]);
	}
	wire_put_u32(out, (uint32_t)builder->record_count);
	if (!out->failed) {
		wire_put_u32(out,
			     checksum_crc32c(str_make(out->ptr + directory, out->len - directory)));
	}
}

struct str chunk_builder_record(const struct chunk_builder *builder, size_t index)
{
	assert(index < builder->record_count);
	size_t start = index > 0 ? builder->ends[index - 1] : 0;
	return str_make(builder->out->ptr + builder->start + start, builder->ends[index] - start);
}

static uint32_t u32_at(const char *at)
{
	uint32_t value = 0;
	memcpy(&value, at, sizeof value);
	return le32toh(value);
}

int chunk_open(struct str bytes, struct chunk *out_chunk, struct error *err)
{
	if (bytes.len < TRAILER_BYTES + ENTRY_BYTES) {
		return error_set(err, ERR_CORRUPT, "a chunk of records has only %zu bytes",
				 bytes.len);
	}
	size_t count = u32_at(bytes.ptr + bytes.len - TRAILER_BYTES);
	size_t room = bytes.len - TRAILER_BYTES;
	if (count == 0 || count > CHUNK_RECORDS_MAX || count * ENTRY_BYTES > room) {
		return error_set(err, ERR_CORRUPT, "a chunk of records claims to hold %zu", count);
	}
	size_t records_bytes = room - count * ENTRY_BYTES;
	struct str directory = str_make(bytes.ptr + records_bytes, bytes.len - records_bytes - 4);
	if (checksum_crc32c(directory) != u32_at(bytes.ptr + bytes.len - 4)) {
		return error_set(err, ERR_CORRUPT,
				 "the directory of a chunk of records is damaged");
	}
	*out_chunk = (struct chunk){
		.bytes = bytes, .record_count = count, .records_bytes = records_bytes};
	return 0;
}

int chunk_record(const struct chunk *chunk, size_t index, struct str *out_encoded,
		 struct error *err)
{
	assert(index < chunk->record_count);
	const char *entry = chunk->bytes.ptr + chunk->records_bytes + index * ENTRY_BYTES;
	size_t start = index > 0 ? u32_at(entry - ENTRY_BYTES) : 0;
	size_t end = u32_at(entry);
	if (start > end || end > chunk->records_bytes) {
		return error_set(err, ERR_CORRUPT, "record %zu of a chunk lies outside of it",
				 index);
	}
	struct str encoded = str_make(chunk->bytes.ptr + start, end - start);
	if (checksum_crc32c(encoded) != u32_at(entry + 4)) {
		return error_set(err, ERR_CORRUPT, "record %zu of a chunk is damaged", index);
	}
	*out_encoded = encoded;
	return 0;
}
