#include "base/wire.h"
#include "store/block/streams-frame.h"
#include "store/block/streams.h"
#include "store/checksum.h"

#include <assert.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL_USUAL 3
#define NOT_PACKED  SIZE_MAX /* zstd gained nothing */

/* A stream as it waits for finish: its packed bytes stand in writer->bytes. */
struct put {
	uint32_t name;
	uint32_t packing;
	size_t start, stored, unpacked;
	uint8_t tag[SEALED_TAG_BYTES]; /* when it is encrypted */
};

struct streams_writer {
	ZSTD_CCtx *zstd;
	int level; /* that the context is set to */
	struct buf bytes;
	struct buf scratch;
	struct put *puts;
	size_t put_count, put_room;
	int failure; /* the first one, an error code; 0: none */
};

struct streams_writer *streams_writer_new(void)
{
	struct streams_writer *writer = calloc(1, sizeof(*writer));
	if (writer == NULL) {
		return NULL;
	}
	buf_init(&writer->bytes, 0);
	buf_init(&writer->scratch, 0);
	writer->zstd = ZSTD_createCCtx();
	if (writer->zstd == NULL) {
		streams_writer_free(writer);
		return NULL;
	}
	/* Lengths stand in the directory. */
	(void)ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_contentSizeFlag, 0);
	return writer;
}

void streams_writer_free(struct streams_writer *writer)
{
	if (writer != NULL) {
		ZSTD_freeCCtx(writer->zstd);
		buf_done(&writer->bytes);
		buf_done(&writer->scratch);
		free(writer->puts);
		free(writer);
	}
}

static void fail(struct streams_writer *writer, int code)
{
	if (writer->failure == 0) {
		writer->failure = code;
	}
}

/* Packs bytes into the end of out, magic left out. Returns the packed length, NOT_PACKED when that gains nothing, and 0 without memory. */
static size_t pack(struct streams_writer *writer, struct str bytes, int level, struct buf *out)
{
	if (level < 0 || bytes.len < 8) {
		return NOT_PACKED;
	}
	level = level == 0 ? LEVEL_USUAL : level;
	if (level != writer->level) {
		(void)ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, level);
		writer->level = level;
	}
	if (buf_reserve(out, ZSTD_compressBound(bytes.len)) != 0) {
		return 0;
	}
	char *at = out->ptr + out->len;
	size_t size = ZSTD_compress2(writer->zstd, at, ZSTD_compressBound(bytes.len), bytes.ptr,
				     bytes.len);
	if (ZSTD_isError(size)) {
		return 0;
	}
	size -= STREAM_ZSTD_MAGIC_SIZE;
	if (size + 1 >= bytes.len) {
		return NOT_PACKED;
	}
	memmove(at, at + STREAM_ZSTD_MAGIC_SIZE, size);
	return size;
}

static struct put *add_put(struct streams_writer *writer)
{
	if (writer->put_count == writer->put_room) {
		size_t room = writer->put_room == 0 ? 64 : writer->put_room * 2;
		struct put *grown = realloc(writer->puts, room * sizeof(*grown));
		if (grown == NULL) {
			return NULL;
		}
		writer->puts = grown;
		writer->put_room = room;
	}
	return &writer->puts[writer->put_count++];
}

void streams_put(struct streams_writer *writer, uint16_t column, uint8_t part, struct str bytes,
		 int level)
{
	if (bytes.len == 0 || writer->failure != 0) {
		return;
	}
	if (bytes.len > STREAM_BYTES_MAX || writer->put_count == STREAMS_MAX) {
		fail(writer, ERR_LIMIT);
		return;
	}
	size_t start = writer->bytes.len;
	size_t size = pack(writer, bytes, level, &writer->bytes);
	if (size == 0) {
		fail(writer, ERR_NOMEM);
		return;
	}
	uint32_t packing = size == NOT_PACKED ? 0 : STREAM_ZSTD;
	if (size == NOT_PACKED) {
		buf_put_str(&writer->bytes, bytes);
		size = bytes.len;
	} else {
		writer->bytes.len += size; /* packed in place */
	}
	struct put *put = add_put(writer);
	if (put == NULL || writer->bytes.failed) {
		fail(writer, ERR_NOMEM);
		return;
	}
	*put = (struct put){.name = stream_name(column, part),
			    .packing = packing | (size <= STREAM_INLINE_MAX ? STREAM_INLINE : 0),
			    .start = start,
			    .stored = size,
			    .unpacked = bytes.len};
}

size_t streams_cost(struct streams_writer *writer, struct str bytes, int level)
{
	if (bytes.len == 0) {
		return 0;
	}
	buf_clear(&writer->scratch);
	size_t size = pack(writer, bytes, level, &writer->scratch);
	if (size == 0) {
		return SIZE_MAX;
	}
	size = size == NOT_PACKED ? bytes.len : size;
	return size + (size <= STREAM_INLINE_MAX ? 3 : 9);
}

static int by_name(const void *a, const void *b)
{
	uint32_t left = ((const struct put *)a)->name, right = ((const struct put *)b)->name;
	return left < right ? -1 : left > right;
}

/* The directory of the sorted puts; tags instead of checksums when they are encrypted. */
static void write_directory(const struct streams_writer *writer, bool is_sealed, struct buf *out)
{
	uint32_t next = 0;
	wire_put_varint(out, writer->put_count);
	for (size_t i = 0; i < writer->put_count; i++) {
		const struct put *put = &writer->puts[i];
		struct str stored = str_make(writer->bytes.ptr + put->start, put->stored);
		assert(put->name >= next); /* else a name was used twice */
		wire_put_varint(out, (uint64_t)(put->name - next) << 2 | put->packing);
		next = put->name + 1;
		wire_put_varint(out, put->stored);
		if ((put->packing & STREAM_ZSTD) != 0) {
			wire_put_varint(out, put->unpacked - put->stored);
		}
		if ((put->packing & STREAM_INLINE) != 0) {
			buf_put_str(out, stored);
		} else if (is_sealed) {
			buf_put(out, put->tag, sizeof(put->tag));
		} else {
			wire_put_u32(out, checksum_crc32c(stored));
		}
	}
}

static void write_header(uint64_t number, uint8_t flags, struct str directory, struct buf *out)
{
	buf_put_text(out, STREAMS_MAGIC);
	wire_put_u8(out, STREAMS_VERSION);
	wire_put_u8(out, flags);
	wire_put_u16(out, 0);
	wire_put_u64(out, number);
	wire_put_u32(out, (uint32_t)directory.len);
	wire_put_u32(out, checksum_crc32c(directory));
	wire_put_u32(out, 0);
	if (!out->failed) {
		wire_put_u32(out, checksum_crc32c(buf_str(out)));
	}
}

static void write_streams(const struct streams_writer *writer, struct buf *out)
{
	for (size_t i = 0; i < writer->put_count; i++) {
		const struct put *put = &writer->puts[i];
		if ((put->packing & STREAM_INLINE) == 0) {
			buf_put(out, writer->bytes.ptr + put->start, put->stored);
		}
	}
}

static void write_plain(struct streams_writer *writer, uint64_t number, struct buf *out)
{
	write_directory(writer, false, &writer->scratch);
	write_header(number, 0, buf_str(&writer->scratch), out);
	buf_put_str(out, buf_str(&writer->scratch));
	write_streams(writer, out);
}

/* Encrypts the streams where they stand. */
static bool lock_streams(struct streams_writer *writer, uint64_t number, struct sealed *sealed)
{
	bool is_done = true;
	for (size_t i = 0; is_done && i < writer->put_count; i++) {
		struct put *put = &writer->puts[i];
		uint8_t bound[STREAM_BOUND_BYTES];
		struct sealed_piece piece = {(uint32_t)i, stream_bound(number, put->name, bound)};
		if ((put->packing & STREAM_INLINE) == 0) {
			is_done = sealed_lock(sealed, &piece,
					      (uint8_t *)writer->bytes.ptr + put->start,
					      put->stored, put->tag);
		}
	}
	return is_done;
}

/* Header with the checksum of the encrypted directory; the directory is bound to key id and salt. */
static void write_sealed(struct streams_writer *writer, uint64_t number, const uint8_t *key,
			 struct buf *out)
{
	uint8_t about[SEALED_KEY_ID_BYTES + SEALED_SALT_BYTES], tag[SEALED_TAG_BYTES];
	sealed_key_id(key, about);
	sealed_salt(about + SEALED_KEY_ID_BYTES);
	struct sealed *sealed = sealed_new(key, about + SEALED_KEY_ID_BYTES, number);
	struct sealed_piece piece = {STREAMS_DIRECTORY, str_make(about, sizeof(about))};
	bool is_done = sealed != NULL && lock_streams(writer, number, sealed);
	if (is_done) {
		write_directory(writer, true, &writer->scratch);
		is_done = !writer->scratch.failed &&
			  sealed_lock(sealed, &piece, (uint8_t *)writer->scratch.ptr,
				      writer->scratch.len, tag);
	}
	if (is_done) {
		write_header(number, STREAMS_FLAG_SEALED, buf_str(&writer->scratch), out);
		buf_put(out, about, sizeof(about));
		buf_put(out, tag, sizeof(tag));
		buf_put_str(out, buf_str(&writer->scratch));
		write_streams(writer, out);
	} else {
		fail(writer, ERR_NOMEM);
	}
	sealed_free(sealed);
}

int streams_finish(struct streams_writer *writer, uint64_t number, const uint8_t *key,
		   struct buf *out, struct error *err)
{
	buf_clear(out);
	buf_clear(&writer->scratch);
	if (writer->failure == 0) {
		if (writer->put_count > 1) {
			qsort(writer->puts, writer->put_count, sizeof(*writer->puts), by_name);
		}
		if (key != NULL) {
			write_sealed(writer, number, key, out);
		} else {
			write_plain(writer, number, out);
		}
		if (writer->scratch.failed || out->failed) {
			fail(writer, ERR_LIMIT);
		}
	}
	int failure = writer->failure;
	writer->failure = 0;
	writer->put_count = 0;
	buf_clear(&writer->bytes);
	buf_clear(&writer->scratch);
	if (failure != 0) {
		buf_clear(out);
	}
	if (failure == ERR_LIMIT) {
		return error_set(err, ERR_LIMIT,
				 "block %llu has more than %d streams or one of more than %u bytes",
				 (unsigned long long)number, STREAMS_MAX, STREAM_BYTES_MAX);
	}
	return failure == 0 ? 0
			    : error_set(err, ERR_NOMEM, "no memory to write block %llu",
					(unsigned long long)number);
}
