/* split - cuts the bytes of a file into lines, objects or CSV rows.
 *
 * Shape:   pure: a window onto the file in, the next piece out. Lines end at \n; objects stand one behind the other with or without
 *          white space (Firehose writes }{); a CSV row ends at a \n outside quotes.
 * Limits:  a piece <= SPLIT_PIECE_MAX bytes; a longer one is SPLIT_TOO_LONG and the caller cuts it.
 * Safety:  a file of lines is never cut at }{ : a caller-set value could hold it and so forge a line of its own. Objects are only
 *          told apart in a file that has no newline in its first SPLIT_PROBE_BYTES (see split_probe).
 * Life:    pieces borrow from the window.
 * Threads: pure. Blocking: never. Tests: tests/unit/split.c, tests/fuzz/file-chunks.c
 */
#ifndef COLLECTOR_SOURCES_FILE_SPLIT_H
#define COLLECTOR_SOURCES_FILE_SPLIT_H

#include "base/str.h"

#define SPLIT_PIECE_MAX   (1u << 20)
#define SPLIT_PROBE_BYTES 65536u

enum split_mode {
	SPLIT_LINES,
	SPLIT_OBJECTS,
	SPLIT_CSV,
};

enum split_kind {
	SPLIT_PIECE,    /* one piece */
	SPLIT_BLANK,    /* white space only: nothing to read */
	SPLIT_TOO_LONG, /* the window begins with more than SPLIT_PIECE_MAX bytes that do not end */
	SPLIT_MORE,     /* the window ends before the piece does: read on */
	SPLIT_END,      /* the window is empty and the file ends */
};

struct split_piece {
	enum split_kind kind;
	struct str
		raw; /* PIECE, BLANK: without its newline, but with a carriage return before that */
	size_t size; /* bytes to move on by, newline included */
	bool newline; /* a newline followed */
};

/* What the file is, judged by its first bytes (SPLIT_PROBE_BYTES of them, or all).
 *   rows  the file holds audit rows, which may come as CSV
 *   eof   first holds the whole file */
enum split_mode split_probe(struct str first, bool rows, bool eof);

/* The next piece of the window; eof: the window reaches to the end of the file. */
struct split_piece split_next(enum split_mode mode, struct str window, bool eof);

#endif
