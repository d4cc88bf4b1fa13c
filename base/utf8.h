/* utf8 - check, cut and convert Unicode text.
 *
 * Source:  RFC 3629 (UTF-8), Unicode 15 chapter 3.9 (UTF-16, replacement of maximal subparts).
 * Errors:  none: bad input is replaced or reported by a return value, never fatal.
 * Threads: pure functions. Blocking: never.
 * Tests:   tests/unit/utf8.c, tests/fuzz/utf8.c
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/* The offset of the first byte that is not valid UTF-8 (no surrogates, no overlong forms, <= U+10FFFF), or -1. */
ptrdiff_t utf8_invalid(struct str s);

/* Decodes the code point at *pos (which must be < s.len) and moves *pos behind it. An invalid byte gives U+FFFD and moves
 * one maximal subpart. */
uint32_t utf8_next(struct str s, size_t *pos);

/* Appends code point cp (a surrogate or too large a value is written as U+FFFD). */
void utf8_put(struct buf *buf, uint32_t cp);

/* Appends s with every invalid part replaced by U+FFFD. */
void utf8_put_clean(struct buf *buf, struct str s);

/* Appends UTF-16LE bytes as UTF-8. Lone surrogates and an odd last byte become U+FFFD.
 * Returns how many code units (or odd bytes) were replaced. */
size_t utf8_put_utf16le(struct buf *buf, struct str utf16le);

/* Appends UTF-8 as UTF-16LE; invalid parts become U+FFFD. */
void utf8_put_as_utf16le(struct buf *buf, struct str utf8);

/* Appends s made safe for a terminal or a log line: control characters (C0, DEL, C1), bidi controls, zero-width and line
 * separators, and invalid bytes become \n \t \r or \u{hex} or \xNN; a backslash stays as it is; all else is itself. */
void utf8_put_printable(struct buf *buf, struct str s);

/* Columns that s takes on a terminal (wide characters 2, combining 0; unprintable ones count as utf8_put_printable writes
 * them). */
size_t utf8_width(struct str s);

/* The longest prefix of s that takes at most columns, cut at a character border. */
struct str utf8_fit(struct str s, size_t columns);

#endif
