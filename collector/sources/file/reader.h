/* reader - a plain or gzip file as a stream of pieces, with the offset of each.
 *
 * Shape:   offsets count unpacked bytes from the start of the file. A window of the file is in memory.
 * Limits:  the window <= SPLIT_PIECE_MAX + READER_CHUNK bytes.
 * Life:    a piece borrows from the window until the next call.
 * Threads: one per thread. Blocking: reads the file. Tests: tests/unit/file-source.c
 */
#ifndef COLLECTOR_SOURCES_FILE_READER_H
#define COLLECTOR_SOURCES_FILE_READER_H

#include "base/buf.h"
#include "collector/sources/file/split.h"

#include <stdint.h>

#define READER_CHUNK 65536u

struct reader {
	void *gz;         /* gzFile; NULL: closed */
	const char *path; /* borrowed */
	enum split_mode mode;
	bool rows; /* the file holds audit rows */
	bool follow; /* more may be appended: the end is not final, and a line without newline is not complete */
	bool eof;
	const char *
		problem; /* why the rest cannot be read, told once as READER_DAMAGED; NULL: it can */
	bool told;
	bool in_long; /* behind a part of a piece that is too long, which has not ended */
	struct buf window;
	size_t pos;           /* in the window */
	int64_t window_start; /* offset of the window's first byte */
};

enum reader_kind {
	READER_PIECE,
	READER_BLANK_PIECE, /* white space only */
	READER_LONG_PART, /* one of the parts of a piece that is too long, each of at most SPLIT_PIECE_MAX bytes */
	READER_DAMAGED, /* the rest of the file cannot be read; reason says why; END follows */
	READER_END,     /* nothing more now */
};

struct reader_item {
	enum reader_kind kind;
	struct str raw;
	int64_t offset;     /* of the first byte */
	int64_t next;       /* offset behind it */
	bool newline;       /* a newline followed */
	const char *reason; /* DAMAGED: a static phrase */
};

/* A closed reader. */
void reader_init(struct reader *reader);

/* Opens path at its start and finds out how it is cut into pieces.
 * Returns 0, ERR_CONFIG when it does not exist or may not be read, ERR_IO. */
int reader_open(struct reader *reader, const char *path, struct error *err);

/* Closes; may be opened again, for another file. */
void reader_close(struct reader *reader);
void reader_done(struct reader *reader);

/* The next piece; together they are all bytes of the file. Returns 0, or ERR_IO when the system refuses to read, ERR_LIMIT without memory. */
int reader_next(struct reader *reader, struct reader_item *out_item, struct error *err);

/* The offset behind the last piece given. */
int64_t reader_offset(const struct reader *reader);

#endif
