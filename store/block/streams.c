#include "store/block/streams.h"

#include "base/wire.h"
#include "store/block/streams-frame.h"
#include "store/checksum.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define WINDOW_BYTES 32768 /* small streams that stand together are read together */

struct entry {
	uint32_t name;
	uint8_t packing;
	uint32_t stored, unpacked;
	uint64_t offset;    /* in the file; of an inline stream in the directory */
	size_t check;       /* where its checksum or tag stands in the directory */
	uint32_t own_bytes; /* of the entry itself, for status */
	char *bytes;        /* unpacked, when it was asked for and does not stand elsewhere */
};

struct streams {
	struct streams_place place;
	uint64_t size; /* of the file */
	char *directory;
	struct entry *entries;
	size_t count;
	struct sealed *sealed; /* when it is encrypted */
	ZSTD_DCtx *zstd;       /* made at the first need */
	struct buf frame;      /* the stream that is unpacked, behind the magic of zstd */
	char *window;          /* WINDOW_BYTES of the file from window_start on */
	uint64_t window_start;
	size_t window_len;
	struct gauge *gauge;
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

static int no_memory(const struct streams *streams, struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory to read %s", streams->place.name);
}

/* Puts the window over bytes that are few. */
static int move_window(struct streams *streams, uint64_t offset, struct error *err)
{
	uint64_t left = streams->size - offset;
	size_t want = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
	if (streams->window == NULL && (streams->window = malloc(WINDOW_BYTES)) == NULL) {
		return no_memory(streams, err);
	}
	streams->window_len = 0;
	int result = read_file(streams, offset, want, streams->window, err);
	if (result == 0) {
		streams->window_start = offset;
		streams->window_len = want;
	}
	return result;
}

/* Copies stored bytes, which lie within streams->size. */
static int fetch(struct streams *streams, uint64_t offset, size_t len, char *out, struct error *err)
{
	if (streams->place.fd < 0) {
		memcpy(out, streams->place.bytes.ptr + offset, len);
		return 0;
	}
	if (len > WINDOW_BYTES / 2) {
		return read_file(streams, offset, len, out, err);
	}
	if (offset < streams->window_start ||
	    offset - streams->window_start + len > streams->window_len) {
		int result = move_window(streams, offset, err);
		if (result != 0) {
			return result;
		}
	}
	memcpy(out, streams->window + (offset - streams->window_start), len);
	return 0;
}

/* Opening. */

struct header {
	uint8_t flags;
	uint64_t number;
	uint32_t directory_bytes, directory_crc;
	uint64_t directory_start;
};

static int parse_header(const struct streams *streams, struct str bytes, struct header *out,
			struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	struct str magic = wire_bytes(&reader, 4);
	uint8_t version = wire_u8(&reader);
	out->flags = wire_u8(&reader);
	uint16_t rest = wire_u16(&reader);
	out->number = wire_u64(&reader);
	out->directory_bytes = wire_u32(&reader);
	out->directory_crc = wire_u32(&reader);
	uint32_t zero = wire_u32(&reader);
	uint32_t crc = wire_u32(&reader);
	bool is_sealed = (out->flags & STREAMS_FLAG_SEALED) != 0;
	out->directory_start = STREAMS_HEADER_BYTES + (is_sealed ? STREAMS_SEALED_BYTES : 0);
	if (reader.failed || !str_is(magic, STREAMS_MAGIC)) {
		return blame_file(streams, "it does not begin as a block does", err);
	}
	if (crc != checksum_crc32c(str_slice(bytes, 0, STREAMS_HEADER_BYTES - 4))) {
		return blame_file(streams, "the checksum of its header is wrong", err);
	}
	if (version != STREAMS_VERSION || out->flags > STREAMS_FLAG_SEALED || rest != 0 ||
	    zero != 0) {
		return blame_file(streams, "it has a version that is not known", err);
	}
	if (out->number != streams->place.number) {
		return error_set(err, ERR_CORRUPT, "%s is damaged: it holds block %llu, not %llu",
				 streams->place.name, (unsigned long long)out->number,
				 (unsigned long long)streams->place.number);
	}
	if (out->directory_bytes > STREAM_DIRECTORY_MAX ||
	    out->directory_start + out->directory_bytes > streams->size) {
		return blame_file(streams, "its directory is longer than it can be", err);
	}
	return 0;
}

/* One entry; moves *offset behind its stream. False: it can't be. */
static bool parse_entry(struct wire_reader *reader, size_t check_bytes, uint64_t *next,
			uint64_t *offset, struct entry *out)
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
		out->check = reader->pos;
		(void)wire_bytes(reader, check_bytes); /* likewise */
		out->offset = *offset;
		*offset += stored;
		out->own_bytes = (uint32_t)(reader->pos - start);
	}
	return !reader->failed;
}

static int parse_directory(struct streams *streams, const struct header *header, struct error *err)
{
	size_t len = header->directory_bytes;
	struct wire_reader reader = wire_reader(str_make(streams->directory, len));
	uint64_t count = wire_varint(&reader);
	uint64_t next = 0;
	uint64_t offset = header->directory_start + len;
	size_t check_bytes = streams->sealed != NULL ? SEALED_TAG_BYTES : sizeof(uint32_t);
	if (reader.failed || count > STREAMS_MAX || count > len / 2) {
		return blame_file(streams, "its directory can't be read", err);
	}
	streams->entries = malloc((count + 1) * sizeof(*streams->entries));
	if (streams->entries == NULL) {
		return no_memory(streams, err);
	}
	while (streams->count < count) {
		struct entry *entry = &streams->entries[streams->count];
		if (!parse_entry(&reader, check_bytes, &next, &offset, entry) ||
		    offset > streams->size) {
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

/* Key id, salt and tag stand behind the header; the directory, which was fetched, is decrypted. */
static int unseal(struct streams *streams, const struct header *header, struct error *err)
{
	uint8_t about[STREAMS_SEALED_BYTES], id[SEALED_KEY_ID_BYTES];
	int result = fetch(streams, STREAMS_HEADER_BYTES, sizeof(about), (char *)about, err);
	if (result != 0) {
		return result;
	}
	if (streams->place.key == NULL) {
		return error_set(err, ERR_CONFIG, "%s is encrypted and no key is given",
				 streams->place.name);
	}
	sealed_key_id(streams->place.key, id);
	if (memcmp(id, about, sizeof(id)) != 0) {
		return error_set(err, ERR_CONFIG, "%s is encrypted with another key",
				 streams->place.name);
	}
	streams->sealed =
		sealed_new(streams->place.key, about + SEALED_KEY_ID_BYTES, header->number);
	if (streams->sealed == NULL) {
		return no_memory(streams, err);
	}
	struct sealed_piece piece = {STREAMS_DIRECTORY,
				     str_make(about, SEALED_KEY_ID_BYTES + SEALED_SALT_BYTES)};
	return sealed_open(streams->sealed, &piece, (uint8_t *)streams->directory,
			   header->directory_bytes, about + SEALED_KEY_ID_BYTES + SEALED_SALT_BYTES)
		       ? 0
		       : blame_file(streams, "its directory can't be decrypted", err);
}

static int open_directory(struct streams *streams, struct error *err)
{
	struct header header;
	char first[STREAMS_HEADER_BYTES];
	int result = fetch(streams, 0, sizeof(first), first, err);
	if (result == 0) {
		result = parse_header(streams, str_make(first, sizeof(first)), &header, err);
	}
	if (result != 0) {
		return result;
	}
	size_t len = header.directory_bytes;
	streams->directory = malloc(len + 1);
	if (streams->directory == NULL) {
		return no_memory(streams, err);
	}
	result = fetch(streams, header.directory_start, len, streams->directory, err);
	if (result == 0 &&
	    checksum_crc32c(str_make(streams->directory, len)) != header.directory_crc) {
		result = blame_file(streams, "the checksum of its directory is wrong", err);
	}
	if (result == 0 && (header.flags & STREAMS_FLAG_SEALED) != 0) {
		result = unseal(streams, &header, err);
	}
	return result == 0 ? parse_directory(streams, &header, err) : result;
}

int streams_open(const struct streams_place *place, struct streams **out_streams, struct error *err)
{
	struct streams *streams = calloc(1, sizeof(*streams));
	if (streams == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read %s", place->name);
	}
	streams->place = *place;
	buf_init(&streams->frame, 0);
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

void streams_rest(struct streams *streams)
{
	ZSTD_freeDCtx(streams->zstd);
	streams->zstd = NULL;
	buf_done(&streams->frame);
	buf_init(&streams->frame, 0);
	free(streams->window);
	streams->window = NULL;
	streams->window_len = 0;
}

void streams_close(struct streams *streams)
{
	if (streams == NULL) {
		return;
	}
	for (size_t i = 0; i < streams->count; i++) {
		free(streams->entries[i].bytes);
	}
	streams_rest(streams);
	sealed_free(streams->sealed);
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

/* Fetches the stored bytes of a stream that stands outside the directory, and looks whether they are whole. */
static int fetch_checked(struct streams *streams, const struct entry *entry, char *out,
			 struct error *err)
{
	const uint8_t *check = (const uint8_t *)streams->directory + entry->check;
	uint8_t bound[STREAM_BOUND_BYTES];
	int result = fetch(streams, entry->offset, entry->stored, out, err);
	if (result != 0) {
		return result;
	}
	if (streams->sealed != NULL) {
		struct sealed_piece piece = {
			(uint32_t)(entry - streams->entries),
			stream_bound(streams->place.number, entry->name, bound)};
		return sealed_open(streams->sealed, &piece, (uint8_t *)out, entry->stored, check)
			       ? 0
			       : streams_blame(streams, (uint16_t)(entry->name >> 8),
					       "it can't be decrypted", err);
	}
	struct wire_reader reader = wire_reader(str_make(check, sizeof(uint32_t)));
	if (checksum_crc32c(str_make(out, entry->stored)) != wire_u32(&reader)) {
		return streams_blame(streams, (uint16_t)(entry->name >> 8), "its checksum is wrong",
				     err);
	}
	return 0;
}

/* Stored bytes to `to`, wherever they stand. */
static int fetch_stored(struct streams *streams, const struct entry *entry, char *to,
			struct error *err)
{
	if ((entry->packing & STREAM_INLINE) == 0) {
		return fetch_checked(streams, entry, to, err);
	}
	memcpy(to, streams->directory + entry->offset, entry->stored);
	return 0;
}

static int unpack(struct streams *streams, struct entry *entry, struct error *err)
{
	struct buf *frame = &streams->frame;
	buf_clear(frame);
	if (streams->zstd == NULL) {
		streams->zstd = ZSTD_createDCtx();
	}
	size_t len = STREAM_ZSTD_MAGIC_SIZE + (size_t)entry->stored;
	if (streams->zstd == NULL || buf_reserve(frame, len) != 0) {
		return no_memory(streams, err);
	}
	memcpy(frame->ptr, STREAM_ZSTD_MAGIC, STREAM_ZSTD_MAGIC_SIZE);
	int result = fetch_stored(streams, entry, frame->ptr + STREAM_ZSTD_MAGIC_SIZE, err);
	if (result != 0) {
		return result;
	}
	entry->bytes = malloc(entry->unpacked);
	if (entry->bytes == NULL) {
		return no_memory(streams, err);
	}
	size_t size =
		ZSTD_decompressDCtx(streams->zstd, entry->bytes, entry->unpacked, frame->ptr, len);
	if (size != entry->unpacked) {
		free(entry->bytes);
		entry->bytes = NULL;
		result = streams_blame(streams, (uint16_t)(entry->name >> 8),
				       "it can't be unpacked", err);
	}
	return result;
}

static int keep(struct streams *streams, struct entry *entry, struct error *err)
{
	entry->bytes = malloc(entry->stored);
	if (entry->bytes == NULL) {
		return no_memory(streams, err);
	}
	int result = fetch_stored(streams, entry, entry->bytes, err);
	if (result != 0) {
		free(entry->bytes);
		entry->bytes = NULL;
	}
	return result;
}

int streams_get(struct streams *streams, uint16_t column, uint8_t part, struct str *out,
		struct error *err)
{
	struct entry *entry = find(streams, column, part);
	int result = 0;
	*out = (struct str){.ptr = NULL, .len = 0};
	if (entry != NULL && entry->bytes == NULL) {
		result = (entry->packing & STREAM_ZSTD) != 0 ? unpack(streams, entry, err)
							     : keep(streams, entry, err);
	}
	if (entry != NULL && result == 0) {
		*out = str_make(entry->bytes, entry->unpacked);
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

uint64_t streams_part_size(const struct streams *streams, uint16_t column, uint8_t part,
			   size_t parts)
{
	uint32_t end = stream_name(column, part) + (uint32_t)parts;
	uint64_t bytes = 0;
	for (size_t i = lower(streams, stream_name(column, part));
	     i < streams->count && streams->entries[i].name < end; i++) {
		bytes += streams->entries[i].stored + streams->entries[i].own_bytes;
	}
	return bytes;
}

void streams_use_gauge(struct streams *streams, struct gauge *gauge)
{
	streams->gauge = gauge;
}

struct gauge *streams_gauge(const struct streams *streams)
{
	return streams->gauge;
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
