/* wrap - text on lines that end at the border of a word.
 *
 * Rules:   a line ends before a space, which is left out; in text without spaces behind one of , ; & behind its first quarter; else where
 *          it is full. No character is cut.
 * Threads: pure. Blocking: never. Tests: tests/unit/wrap.c
 */
#ifndef QUERY_WRAP_H
#define QUERY_WRAP_H

#include "query/output.h"

#define WRAP_NEVER SIZE_MAX

/* Takes the next line of at most width columns off *rest. A character wider than the line stands alone on it. */
struct str wrap_take(struct str *rest, size_t width);

/* What is left of the output's width behind an indent; WRAP_NEVER when that is too little to wrap in, or without a width. */
size_t wrap_width(const struct output *out, size_t indent);

/* Appends text from a log, made safe, behind an indent on each line; lines of the text stay lines. */
void wrap_put_safe(struct output *out, const char *indent, struct str text);

/* Appends text that is safe already and begins behind column used; further lines begin with indent spaces. */
void wrap_put_behind(struct output *out, size_t used, size_t indent, struct str text);

#endif
