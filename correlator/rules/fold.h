/* fold - letters made alike, so that texts are compared without their case.
 *
 * Shape:   ASCII; Latin-1, Latin Extended-A, Greek, Cyrillic and Armenian by Unicode's simple case folding; full-width Latin.
 *          Other letters and bytes that are no UTF-8 stay as they are. A folded text is never longer than the text.
 * Threads: pure. Blocking: never.
 * Source:  Unicode 15 CaseFolding.txt, status C and S. Tests: tests/unit/fold.c
 */
#ifndef CORRELATOR_RULES_FOLD_H
#define CORRELATOR_RULES_FOLD_H

#include "base/str.h"

#include <stdint.h>

/* Writes the folded text into out, which has room for text.len bytes (and may be text itself). Returns its length. */
size_t fold_text(struct str text, char *out);

/* The folded form of one code point. */
uint32_t fold_point(uint32_t point);

#endif
