/* expression - a regular expression of a filter: PCRE2, letters folded, with what its matches must hold.
 *
 * Shape:   found anywhere in a text. (?-i) at its beginning lets case count. Of the expression alone follow texts one of which every match holds
 *          (must), so that a store can be searched for those first.
 * Limits:  the work for one text is bounded, whatever text and expression are: past it the text counts as one that does not match, and
 *          is counted (given_up). EXPRESSION_GIVEN_UP_MAX of them, and no more texts are searched.
 * Life:    in an arena, until that is emptied. Threads: one per thread. Blocking: never.
 * Source:  docs/query.md, pcre2pattern(3). Tests: tests/unit/expression.c, tests/fuzz/expression.c
 */
#ifndef QUERY_EXPRESSION_H
#define QUERY_EXPRESSION_H

#include "base/arena.h"
#include "base/byteset.h"
#include "base/dfa.h"
#include "base/error.h"

#include <stdint.h>

#define EXPRESSION_MUST_MAX     16
#define EXPRESSION_GIVEN_UP_MAX 20
#define EXPRESSION_CLASSES_MAX  63

struct expression {
	struct str text;
	struct str must
		[EXPRESSION_MUST_MAX]; /* none: a match may hold anything; letters of either case */
	size_t must_count;
	struct byteset classes
		[EXPRESSION_CLASSES_MAX]; /* none; or a match holds a byte of each, one after another, or else a text of must */
	size_t class_count;
	struct dfa *automaton; /* NULL: it needs more than one can do */
	uint64_t given_up;     /* texts that took too much work */
	struct regex *regex;
	struct regex_scratch *scratch;
};

/* Compiles. Returns 0; ERR_CONFIG: err says what is wrong at byte *out_offset; ERR_LIMIT (the arena) or ERR_NOMEM. */
int expression_new(struct str text, struct arena *arena, struct expression **out_expression,
		   size_t *out_offset, struct error *err);

/* Whether a text matches. */
bool expression_matches(struct expression *expression, struct str text);

#endif
