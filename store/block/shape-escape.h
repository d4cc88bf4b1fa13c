/* shape-escape - the ways in which writers of JSON escape the same text.
 *
 * Shape:   style 0 is json_put_string; the others are in a table (docs/format.md section 9.6).
 * Threads: pure. Blocking: never. Tests: tests/unit/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_ESCAPE_H
#define STORE_BLOCK_SHAPE_ESCAPE_H

#include "base/buf.h"

#define ESCAPE_STYLES   9
#define ESCAPE_PLAIN    3 /* in the styles below it plain text stands for itself */
#define ESCAPE_CSV      7 /* quotes doubled */
#define ESCAPE_CSV_BARE 8 /* the same, without quotes where none are needed */

/* Whether each byte stands for itself in the styles below ESCAPE_PLAIN. */
bool escape_is_plain(struct str text);

/* Appends text in quotes, to a buf that has room: sixfold and two. Text that is no WTF-8 may come out as something else. */
void escape_put(unsigned style, struct str text, struct buf *out);

#endif
