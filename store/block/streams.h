/* streams - the bytes of a block: named streams behind a directory, each compressed, checked and, when asked, encrypted on its own.
 *
 * Shape:   header (magic "QTB1", version, flags, block number, length and checksum of the directory), directory, streams. A stream is named by a
 *          column number and a part; its entry tells stored and unpacked length, how it is packed (as it is, zstd) and a CRC-32C; one
 *          that packs to few bytes stands in the directory itself. An empty stream has no entry. docs/format.md section 9.1.
 * Sealed:  with a key each stream is AES-256-GCM under a key derived for the block (HKDF-SHA256 over the key, the block number and a
 *          random salt in the header); the nonce is the stream's number, the additional data block number, column and part. The directory
 *          is sealed likewise.
 * Packing: zstd level 3 unless the stream says otherwise; kept as it is when that is not smaller.
 * Limits:  STREAMS_MAX streams, each <= STREAM_BYTES_MAX unpacked.
 * Errors:  ERR_CORRUPT names the block's file and the stream.
 * Threads: one per thread. Blocking: disk. Source: docs/format.md section 9.1. Tests: tests/unit/streams.c, tests/fuzz/streams.c
 */
#ifndef STORE_BLOCK_STREAMS_H
#define STORE_BLOCK_STREAMS_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

#define STREAMS_MAX       65536
#define STREAM_BYTES_MAX  (256u << 20)
#define STREAMS_KEY_BYTES 32

/* Writer. */
struct streams_writer;

/* Returns NULL without memory. */
struct streams_writer *streams_writer_new(void);
void streams_writer_free(struct streams_writer *writer);

/* Adds a stream; bytes are packed at once and not borrowed. A failure is remembered and told by finish.
 *   column, part  not used before
 *   level         of zstd; 0: the usual; -1: do not try (random bytes) */
void streams_put(struct streams_writer *writer, uint16_t column, uint8_t part, struct str bytes,
		 int level);

/* How many bytes a stream would take in the block, its entry included; to choose among forms. SIZE_MAX without memory. */
size_t streams_cost(struct streams_writer *writer, struct str bytes, int level);

/* Writes the block and empties the writer. Returns 0, ERR_LIMIT or ERR_NOMEM.
 *   key  STREAMS_KEY_BYTES bytes, or NULL: not encrypted
 *   out  cleared first */
int streams_finish(struct streams_writer *writer, uint64_t number, const uint8_t *key,
		   struct buf *out, struct error *err);

/* Reader. */
struct streams;
struct streams_place { /* as struct block_place */
	int fd;
	struct str bytes;
	const char *name;
	uint64_t number;
	const uint8_t *key;
};

/* Reads header and directory. Returns 0, ERR_CORRUPT, ERR_CONFIG (no key), ERR_IO or ERR_NOMEM. */
int streams_open(const struct streams_place *place, struct streams **out_streams,
		 struct error *err);
void streams_close(struct streams *streams);

/* A stream, unpacked; borrowed until streams_close or streams_drop. One that does not exist is empty. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int streams_get(struct streams *streams, uint16_t column, uint8_t part, struct str *out,
		struct error *err);

/* Its unpacked length as the directory tells it, without reading it; 0: it does not exist. */
size_t streams_length(const struct streams *streams, uint16_t column, uint8_t part);

/* Frees the unpacked bytes of one part, or of all parts of a column; a later get unpacks again. */
void streams_forget(struct streams *streams, uint16_t column, uint8_t part);
void streams_drop(struct streams *streams, uint16_t column);

/* Frees what reading needs besides (about 150 KB: window, zstd's context); unpacked streams stay. For blocks that are kept open. */
void streams_rest(struct streams *streams);

/* For status: stored (entries included) and unpacked bytes of a column over all parts. */
void streams_size(const struct streams *streams, uint16_t column, uint64_t *out_stored,
		  uint64_t *out_unpacked);

/* Stored bytes of parts of a column, entries included. */
uint64_t streams_part_size(const struct streams *streams, uint16_t column, uint8_t part,
			   size_t parts);

/* What numbers are told to while they are read (store/block/gauge.h); NULL, as at first: nothing. Borrowed. */
struct gauge;
void streams_use_gauge(struct streams *streams, struct gauge *gauge);
struct gauge *streams_gauge(const struct streams *streams);

/* Sets an ERR_CORRUPT that names file and column: "blocks/..: column 12 is damaged: what". Returns -ERR_CORRUPT. */
int streams_blame(const struct streams *streams, uint16_t column, const char *what,
		  struct error *err);

#endif
