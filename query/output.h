/* output - where an answer goes, and what that place can show.
 *
 * Shape:   text is gathered in a buf and written in large pieces.
 * Errors:  the first failed write is kept; later ones are ignored: check output_finish once.
 * Threads: one per thread. Blocking: writes.
 * Tests:   tests/unit/output.c
 */
#ifndef QUERY_OUTPUT_H
#define QUERY_OUTPUT_H

#include "base/buf.h"
#include "query/zone.h"

struct output {
	int fd;
	struct buf text;
	struct error failure; /* code 0: none */
	bool is_terminal;     /* control characters in values would be obeyed */
	bool color;
	size_t width; /* columns; 0: as wide as it takes */
	const struct zone *zone;
};

/* Prepares; fd and zone are borrowed. */
void output_init(struct output *output, int fd, const struct zone *zone);

/* Frees; what was not flushed is lost. */
void output_done(struct output *output);

/* Writes out what was gathered when it is much; call it after each row. */
void output_row_done(struct output *output);

/* Writes out everything. Returns 0 or the first failure: ERR_GONE when the reader is gone, ERR_IO. */
int output_flush(struct output *output, struct error *err);

/* A style before and behind a text, only where colours are shown. */
enum style { STYLE_NONE, STYLE_GOOD, STYLE_DOUBT, STYLE_BAD, STYLE_DIM, STYLE_TITLE };
void output_style(struct output *output, enum style style);

/* Appends text from a log, safe for a terminal and on one line: see utf8_put_printable. */
void output_safe(struct output *output, struct str text);

#endif
