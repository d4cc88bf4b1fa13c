/* regexliteral - a text that every match of a regular expression holds.
 *
 * Shape:   ASCII letters, digits and marks that stand outside of groups, classes and alternatives, and are not optional; letters as
 *          written. Nothing is found in doubt.
 * Threads: pure. Blocking: never. Source: pcre2pattern(3). Tests: tests/unit/regexliteral.c
 */
#ifndef CORRELATOR_RULES_REGEXLITERAL_H
#define CORRELATOR_RULES_REGEXLITERAL_H

#include "base/str.h"

/* Writes the longest such text into out, which has room for pattern.len bytes. Returns its length; 0: there is none. */
size_t regexliteral_find(struct str pattern, char *out);

#endif
