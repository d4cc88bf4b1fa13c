/* segments - the files that hold the bytes of the head: DIR/head/000001.qth, 000002.qth, ..; here they are read.
 *
 * Shape:   a segment begins with a header of SEGMENT_HEADER_BYTES that tells its number; the extents of committed batches follow one
 *          behind the other (store/extent.h). Only the catalog says what of it counts: bytes behind the last extent are the rest
 *          of a crash. docs/format.md section 5.2.
 * Life:    a segment that the catalog knows is never written again where it was read; only retention and sealing delete it, after the
 *          commit that takes its rows away. Who has it open then reads on; who opens it later gets ERR_CORRUPT with its name.
 * Reading: pread into the caller's memory, never a mapping: a file that is cut off must be an error, not a signal.
 * Errors:  ERR_CORRUPT (missing, too short, not a segment), ERR_IO; the sentence names the file.
 * Threads: one struct segments per thread. Blocking: disk.
 * Source:  docs/format.md section 5.2. Tests: tests/unit/segments.c
 */
#ifndef STORE_SEGMENTS_H
#define STORE_SEGMENTS_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

#define SEGMENT_FOLDER       "head"
#define SEGMENT_HEADER_BYTES 24
#define SEGMENT_BYTES        (64u << 20) /* a batch that would pass it begins the next segment */
#define SEGMENT_OPEN_MAX     8
#define SEGMENT_NAME_BYTES   32

/* "head/000001.qth", under the store's folder. */
void segment_name(uint32_t number, char out[SEGMENT_NAME_BYTES]);

/* The number of a file in head/ by its name, or 0 when it is no segment's. */
uint32_t segment_number(const char *file_name);

/* The header of a segment. */
void segment_header(uint32_t number, uint8_t out[SEGMENT_HEADER_BYTES]);

/* The segments of one store, the last used of them open. */
struct segments {
	const char *dir; /* borrowed */
	struct {
		uint32_t number; /* 0: none */
		int fd;
		uint64_t used; /* when, by uses */
	} open[SEGMENT_OPEN_MAX];
	uint64_t uses;
};

/* Prepares; opens nothing. dir is borrowed until segments_done. */
void segments_init(struct segments *segments, const char *dir);
void segments_done(struct segments *segments);

/* A run of bytes in a segment. */
struct segment_span {
	uint32_t number;
	uint64_t offset;
	size_t len;
	bool once; /* nobody will want it again soon: it need not stay in the page cache */
};

/* Reads a span, all of it, into out. Returns 0, ERR_CORRUPT or ERR_IO. */
int segments_read(struct segments *segments, const struct segment_span *span, char *out,
		  struct error *err);

/* The same into a buf, which is cleared first; ERR_NOMEM when it does not fit. */
int segments_read_buf(struct segments *segments, const struct segment_span *span, struct buf *out,
		      struct error *err);

/* Puts the name of a segment before the sentence. Returns rc. */
int segments_blame(const struct segments *segments, uint32_t number, struct error *err, int rc);

#endif
