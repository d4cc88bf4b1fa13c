/* expression-classes - bytes that stand one after another in every match of a regular expression, each one of a few.
 *
 * Shape:   the run of fixed bytes, classes and repetitions of them that says most; nothing is said in doubt, nor where the fixed texts that
 *          every match holds (query/expression-must.h) say more.
 * Threads: pure. Blocking: never. Source: pcre2pattern(3). Tests: tests/unit/expression.c, tests/unit/block-search.c
 */
#ifndef QUERY_EXPRESSION_CLASSES_H
#define QUERY_EXPRESSION_CLASSES_H

#include "query/expression.h"

/* Fills in the classes of an expression from its text; its must is known. */
void expression_find_classes(struct expression *expression);

#endif
