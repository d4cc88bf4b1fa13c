/* expression-must - texts one of which every match of a regular expression holds, whatever its case.
 *
 * Shape:   the longest run of fixed ASCII bytes; or, where that is short, one of each alternative of the expression or of a group that must
 *          match. Where letters are folded, k and s have each a third form beyond ASCII (K, the Kelvin sign, and the long s): these are
 *          texts of their own then. Nothing is said in doubt.
 * Threads: pure. Blocking: never. Source: pcre2pattern(3). Tests: tests/unit/expression.c
 */
#ifndef QUERY_EXPRESSION_MUST_H
#define QUERY_EXPRESSION_MUST_H

#include "query/expression.h"

/* Fills in must of the expression from its text; their bytes lie in the arena. Without memory there are none. */
void expression_find_must(struct expression *expression, struct arena *arena);

#endif
