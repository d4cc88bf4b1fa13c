/* expression-automaton - the automaton (base/dfa.h) of an expression, for the many that need nothing that one can't do.
 *
 * Rule:    fixed bytes, classes, groups, alternatives, repetitions, ^ $ \A \z \Z \b \B. Anything else (back-references, lookaround, possessive
 *          repetitions, options within, bytes beyond ASCII), or more than 64 bytes' places: there is none, and PCRE2 is asked.
 * Threads: pure. Source: pcre2pattern(3). Tests: tests/unit/expression-automaton.c
 */
#ifndef QUERY_EXPRESSION_AUTOMATON_H
#define QUERY_EXPRESSION_AUTOMATON_H

#include "base/dfa.h"

/* Of an expression that PCRE2 took; for dfa_free. NULL: there is none (or no memory). */
struct dfa *expression_automaton(struct str text);

#endif
