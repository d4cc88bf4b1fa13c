#include "store/block/streams.h"

#include "base/wire.h"
#include "store/block/streams-frame.h"
#include "store/checksum.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define FIRST_READ   4096  /* header and directory of most blocks */
#define WINDOW_BYTES 32768 /* small streams that stand together are read together */

struct entry {
	uint32_t name;
	uint8_t packing;
	uint32_t stored, unpacked;
	uint32_t crc;
	uint64_t offset;    /* in the file; of an inline stream in the directory */
	uint32_t own_bytes; /* of the entry itself, for status */
	char *bytes;        /* unpacked, when it was asked for and does not stand elsewhere */
};

struct streams {
	struct streams_place place;
	uint64_t size; /* of the file */
	char *directory;
	struct entry *entries;
	size_t count;
	ZSTD_DCtx *zstd; /* made at the first need */
	struct buf scratch;
	char *window; /* WINDOW_BYTES of the file from window_start on */
	uint64_t window_start;
	size_t window_len;
};

int streams_blame(const struct streams *streams, uint16_t column, const char *what,
		  struct error *err)
{
	return error_set(err, ERR_CORRUPT, "%s: column %u is damaged: %s", streams->place.name,
			 column, what);
}

static int blame_file(const struct streams *streams, const char *what, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "%s is damaged: %s", streams->place.name, what);
}

/* Reads bytes that lie within streams->size. */
static int read_file(const struct streams *streams, uint64_t offset, size_t len, char *out,
		     struct error *err)
{
	size_t done = 0;
	while (done < len) {
		ssize_t got =
			pread(streams->place.fd, out + done, len - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return error_errno(err, "read %s", streams->place.name);
		}
		if (got == 0) {
			return blame_file(streams, "it was cut while it was read", err);
		}
		done += (size_t)got;
	}
	return 0;
}

/* The place in memory of stored bytes: borrowed until the next call. */
static int view(struct streams *streams, uint64_t offset, size_t len, const char **out,
		struct error *err)
{
	if (streams->place.fd < 0) {
		*out = streams->place.bytes.ptr + offset;
		return 0;
	}
	if (len > WINDOW_BYTES) {
		buf_clear(&streams->scratch);
		if (buf_reserve(&streams->scratch, len) != 0) {
			return error_set(err, ERR_NOMEM, "no memory to read %s",
					 streams->place.name);
		}
		*out = streams->scratch.ptr;
		return read_file(streams, offset, len, streams->scratch.ptr, err);
	}
	if (streams->window == NULL && (streams->window = malloc(WINDOW_BYTES)) == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read %s", streams->place.name);
	}
	if (offset < streams->window_start ||
	    offset - streams->window_start + len > streams->window_len) {
		uint64_t left = streams->size - offset;
		size_t want = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		streams->window_len = 0;
		int result = read_file(streams, offset, want, streams->window, err);
		if (result != 0) {
			return result;
		}
		streams->window_start = offset;
		streams->window_len = want;
	}
	*out = streams->window + (offset - streams->window_start);
	return 0;
}

/* Opening. */

struct header {
	uint64_t number;
	uint32_t directory_bytes, directory_crc;
};

static int parse_header(const struct streams *streams, struct str bytes, struct header *out,
			struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	struct str magic = wire_bytes(&reader, 4);
	uint8_t version = wire_u8(&reader);
	uint8_t flags = wire_u8(&reader);
	uint16_t rest = wire_u16(&reader);
	out->number = wire_u64(&reader);
	out->directory_bytes = wire_u32(&reader);
	out->directory_crc = wire_u32(&reader);
	uint32_t zero = wire_u32(&reader);
	uint32_t crc = wire_u32(&reader);
	if (reader.failed || !str_is(magic, STREAMS_MAGIC)) {
		return blame_file(streams, "it does not begin as a block does", err);
	}
	if (crc != checksum_crc32c(str_slice(bytes, 0, STREAMS_HEADER_BYTES - 4))) {
		return blame_file(streams, "the checksum of its header is wrong", err);
	}
	if (version != STREAMS_VERSION || flags != 0 || rest != 0 || zero != 0) {
		return blame_file(streams, "it has a version that is not known", err);
	}
	if (out->number != streams->place.number) {
		return error_set(err, ERR_CORRUPT, "%s is damaged: it holds block %llu, not %llu",
				 streams->place.name, (unsigned long long)out->number,
				 (unsigned long long)streams->place.number);
	}
	if (out->directory_bytes > STREAM_DIRECTORY_MAX ||
	    out->directory_bytes > streams->size - STREAMS_HEADER_BYTES) {
		return blame_file(streams, "its directory is longer than it can be", err);
	}
	return 0;
}

/* One entry; moves *offset behind its stream. False: it can't be. */
static bool parse_entry(struct wire_reader *reader, uint64_t *next, uint64_t *offset,
			struct entry *out)
{
	size_t start = reader->pos;
	uint64_t first = wire_varint(reader);
	uint64_t name = *next + (first >> 2);
	uint64_t stored = wire_varint(reader);
	uint64_t more = (first & STREAM_ZSTD) != 0 ? wire_varint(reader) : 0;
	if (reader->failed || first >> 2 > 0xffffff || name > 0xffffff || stored == 0 ||
	    stored > STREAM_BYTES_MAX || more > STREAM_BYTES_MAX - stored) {
		return false;
	}
	*next = name + 1;
	*out = (struct entry){.name = (uint32_t)name,
			      .packing = (uint8_t)(first & 3),
			      .stored = (uint32_t)stored,
			      .unpacked = (uint32_t)(stored + more)};
	if ((first & STREAM_INLINE) != 0) {
		out->offset = reader->pos;
		(void)wire_bytes(reader, (size_t)stored); /* failed is looked at below */
		out->own_bytes = (uint32_t)(reader->pos - start - stored);
	} else {
		out->crc = wire_u32(reader);
		out->offset = *offset;
		*offset += stored;
		out->own_bytes = (uint32_t)(reader->pos - start);
	}
	return !reader->failed;
}

static int parse_directory(struct streams *streams, size_t len, struct error *err)
{
	struct wire_reader reader = wire_reader(str_make(streams->directory, len));
	uint64_t count = wire_varint(&reader);
	uint64_t next = 0;
	uint64_t offset = STREAMS_HEADER_BYTES + len;
	if (reader.failed || count > STREAMS_MAX || count > len / 2) {
		return blame_file(streams, "its directory can't be read", err);
	}
	streams->entries = malloc((count + 1) * sizeof(*streams->entries));
	if (streams->entries == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read %s", streams->place.name);
	}
	while (streams->count < count) {
		struct entry *entry = &streams->entries[streams->count];
		if (!parse_entry(&reader, &next, &offset, entry) || offset > streams->size) {
			return blame_file(streams, "its directory can't be read", err);
		}
		streams->count++;
	}
	if (wire_left(&reader) != 0 || offset != streams->size) {
		return blame_file(streams, "its length is not what its directory says", err);
	}
	return 0;
}

static int file_size(struct streams *streams, struct error *err)
{
	if (streams->place.fd < 0) {
		streams->size = streams->place.bytes.len;
		return 0;
	}
	struct stat about;
	if (fstat(streams->place.fd, &about) != 0) {
		return error_errno(err, "look at %s", streams->place.name);
	}
	streams->size = about.st_size < 0 ? 0 : (uint64_t)about.st_size;
	return 0;
}

static int open_directory(struct streams *streams, struct error *err)
{
	struct header header;
	const char *at = NULL;
	size_t first = streams->size < FIRST_READ ? (size_t)streams->size : FIRST_READ;
	int result = view(streams, 0, first, &at, err);
	if (result == 0) {
		struct str bytes = str_make(at, first);
		result = parse_header(streams, str_slice(bytes, 0, STREAMS_HEADER_BYTES), &header,
				      err);
	}
	if (result != 0) {
		return result;
	}
	size_t len = header.directory_bytes;
	streams->directory = malloc(len + 1);
	if (streams->directory == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read %s", streams->place.name);
	}
	result = view(streams, STREAMS_HEADER_BYTES, len, &at, err);
	if (result != 0) {
		return result;
	}
	memcpy(streams->directory, at, len);
	if (checksum_crc32c(str_make(streams->directory, len)) != header.directory_crc) {
		return blame_file(streams, "the checksum of its directory is wrong", err);
	}
	return parse_directory(streams, len, err);
}

int streams_open(const struct streams_place *place, struct streams **out_streams, struct error *err)
{
	struct streams *streams = calloc(1, sizeof(*streams));
	if (streams == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read %s", place->name);
	}
	streams->place = *place;
	buf_init(&streams->scratch, 0);
	int result = file_size(streams, err);
	if (result == 0 && streams->size < STREAMS_HEADER_BYTES) {
		result = blame_file(streams, "it is shorter than a block can be", err);
	}
	if (result == 0) {
		result = open_directory(streams, err);
	}
	if (result != 0) {
		streams_close(streams);
		return result;
	}
	*out_streams = streams;
	return 0;
}

void streams_close(struct streams *streams)
{
	if (streams == NULL) {
		return;
	}
	for (size_t i = 0; i < streams->count; i++) {
		free(streams->entries[i].bytes);
	}
	ZSTD_freeDCtx(streams->zstd);
	buf_done(&streams->scratch);
	free(streams->window);
	free(streams->directory);
	free(streams->entries);
	free(streams);
}

/* Reading. */

/* The first entry whose name is not below; streams->count when there is none. */
static size_t lower(const struct streams *streams, uint32_t name)
{
	size_t low = 0, high = streams->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (streams->entries[middle].name < name) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static struct entry *find(const struct streams *streams, uint16_t column, uint8_t part)
{
	uint32_t name = stream_name(column, part);
	size_t at = lower(streams, name);
	return at < streams->count && streams->entries[at].name == name ? &streams->entries[at]
									: NULL;
}

static int unpack(struct streams *streams, struct entry *entry, const char *stored,
		  struct error *err)
{
	struct buf frame;
	buf_init(&frame, 0);
	buf_put(&frame, STREAM_ZSTD_MAGIC, STREAM_ZSTD_MAGIC_SIZE);
	buf_put(&frame, stored, entry->stored);
	if (streams->zstd == NULL) {
		streams->zstd = ZSTD_createDCtx();
	}
	entry->bytes = malloc(entry->unpacked);
	int result = 0;
	if (frame.failed || streams->zstd == NULL || entry->bytes == NULL) {
		result = error_set(err, ERR_NOMEM, "no memory to read %s", streams->place.name);
	} else {
		size_t size = ZSTD_decompressDCtx(streams->zstd, entry->bytes, entry->unpacked,
						  frame.ptr, frame.len);
		if (size != entry->unpacked) {
			result = streams_blame(streams, (uint16_t)(entry->name >> 8),
					       "it can't be unpacked", err);
		}
	}
	buf_done(&frame);
	if (result != 0) {
		free(entry->bytes);
		entry->bytes = NULL;
	}
	return result;
}

static int keep(struct streams *streams, struct entry *entry, const char *stored, struct error *err)
{
	entry->bytes = malloc(entry->stored);
	if (entry->bytes == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read %s", streams->place.name);
	}
	memcpy(entry->bytes, stored, entry->stored);
	return 0;
}

int streams_get(struct streams *streams, uint16_t column, uint8_t part, struct str *out,
		struct error *err)
{
	struct entry *entry = find(streams, column, part);
	*out = (struct str){.ptr = NULL, .len = 0};
	if (entry == NULL) {
		return 0;
	}
	bool in_directory = (entry->packing & STREAM_INLINE) != 0;
	bool is_packed = (entry->packing & STREAM_ZSTD) != 0;
	const char *stored = streams->directory + entry->offset;
	if (entry->bytes == NULL && !in_directory) {
		int result = view(streams, entry->offset, entry->stored, &stored, err);
		if (result == 0 && checksum_crc32c(str_make(stored, entry->stored)) != entry->crc) {
			result = streams_blame(streams, column, "its checksum is wrong", err);
		}
		if (result != 0) {
			return result;
		}
	}
	int result = 0;
	if (entry->bytes == NULL && is_packed) {
		result = unpack(streams, entry, stored, err);
	} else if (entry->bytes == NULL && !in_directory && streams->place.fd >= 0) {
		result = keep(streams, entry, stored, err);
	}
	if (result == 0) {
		*out = str_make(entry->bytes != NULL ? entry->bytes : stored, entry->unpacked);
	}
	return result;
}

size_t streams_length(const struct streams *streams, uint16_t column, uint8_t part)
{
	const struct entry *entry = find(streams, column, part);
	return entry != NULL ? entry->unpacked : 0;
}

void streams_forget(struct streams *streams, uint16_t column, uint8_t part)
{
	struct entry *entry = find(streams, column, part);
	if (entry != NULL) {
		free(entry->bytes);
		entry->bytes = NULL;
	}
}

void streams_drop(struct streams *streams, uint16_t column)
{
	for (size_t i = lower(streams, stream_name(column, 0));
	     i < streams->count && streams->entries[i].name >> 8 == column; i++) {
		free(streams->entries[i].bytes);
		streams->entries[i].bytes = NULL;
	}
}

void streams_size(const struct streams *streams, uint16_t column, uint64_t *out_stored,
		  uint64_t *out_unpacked)
{
	*out_stored = 0;
	*out_unpacked = 0;
	for (size_t i = lower(streams, stream_name(column, 0));
	     i < streams->count && streams->entries[i].name >> 8 == column; i++) {
		*out_stored += streams->entries[i].stored + streams->entries[i].own_bytes;
		*out_unpacked += streams->entries[i].unpacked;
	}
}
