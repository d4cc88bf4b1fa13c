/* ledger-line - one line of the ledger of erasures, read and written.
 *
 * Shape:   {"ledger":1,"prev":"..","erasure":"..","store":"..","time":"..","kind":"erased","by":"..","reason":"..","leaves":"..","records":".."}, a space,
 *          and the first LEDGER_LINE_DIGITS hexadecimal digits of the SHA-256 of the object. Members may come in any order when read; unknown
 *          ones are passed over. docs/format.md section 10.2.
 * Threads: a value. Blocking: never. Source: docs/format.md section 10.2. Tests: tests/unit/ledger.c
 */
#ifndef CORRELATOR_LEDGER_LINE_H
#define CORRELATOR_LEDGER_LINE_H

#include "correlator/ledger.h"

#define LEDGER_LINE_DIGITS 16

struct ledger_line {
	char prev[LEDGER_LINE_DIGITS + 1];
	char id[LEDGER_ID_DIGITS + 1];
	char store[LEDGER_ID_DIGITS + 1];
	enum ledger_kind kind;
	int64_t time_ns;
	struct buf digests; /* LEDGER_DIGEST_BYTES each */
};

/* Prepares an empty line; frees one. */
void ledger_line_init(struct ledger_line *line);
void ledger_line_done(struct ledger_line *line);

/* Reads a line without its end. Returns NULL, or what is wrong with it as a static phrase; then the line says nothing. */
const char *ledger_line_read(struct str text, struct ledger_line *line);

/* The digits that the line after this one names, whatever this one is. */
void ledger_line_digest_of(struct str text, char out[LEDGER_LINE_DIGITS + 1]);

/* What all lines of an entry have in common. */
void ledger_line_begin(struct ledger_line *line, const struct ledger_append *entry);

/* Appends the line with its end; its digits become the prev of the next.
 *   first  also by whom, why, and the leaves */
void ledger_line_put(struct ledger_line *line, const struct ledger_append *entry, bool first,
		     struct buf *out);

#endif
