/* skeleton - a text without its numbers: what a wordlist writes once for many texts.
 *
 * Shape:   the bytes of the text, in which a run of digits is PLACE_PLAIN (a number without leading zeros) or PLACE_WIDE and a byte
 *          0x20 + width (1..18 digits, with leading zeros). A byte 0..3 of the text is ESCAPE and the byte + 0x40, so that no skeleton holds a
 *          NUL. docs/format.md section 9.4.
 * Threads: pure. Blocking: never. Tests: tests/unit/wordlist.c
 */
#ifndef STORE_BLOCK_SKELETON_H
#define STORE_BLOCK_SKELETON_H

#include "base/buf.h"

#define PLACE_PLAIN      1
#define PLACE_WIDE       2
#define SKELETON_ESCAPE  3
#define SKELETON_DIGITS  18 /* a longer run is not cut */
#define SKELETON_SHIFT   0x40
#define SKELETON_WIDTH_0 0x20

enum skeleton_cut { SKELETON_WHOLE, SKELETON_PLAIN, SKELETON_WIDE };

/* Appends the skeleton of a text to out, and its numbers (int64_t each) to out_numbers.
 *   cut  WHOLE: digits stay; PLAIN: runs with leading zeros stay; WIDE: all places have a width */
void skeleton_split(struct str text, enum skeleton_cut cut, struct buf *out,
		    struct buf *out_numbers);

/* Whether a run of digits in text begins with a zero and goes on. */
bool skeleton_has_wide(struct str text);

/* Reads a skeleton: how many places it has. False: it can't be one. */
bool skeleton_check(struct str skeleton, size_t *out_places);

/* The length of the text with these numbers, one for each place; SIZE_MAX: a number does not fit its place. */
size_t skeleton_length(struct str skeleton, const int64_t *numbers);

/* Writes that text; out has room for it. */
void skeleton_fill(struct str skeleton, const int64_t *numbers, char *out);

#endif
