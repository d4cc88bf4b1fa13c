/* automaton - many strings looked for in one pass: Aho-Corasick, with a filter that skips where none can begin.
 *
 * Shape:   a trie in breadth-first order (children of a state stand together, 17 bytes a state) with failure and output links; where
 *          the search is at the root, a bitmap of the first three bytes says whether a string may begin.
 * Speed:   one look per byte where nothing begins; never more than two steps and the outputs of a state per byte.
 * Limits:  AUTOMATON_LITERAL_MAX bytes a string; 2^24 states.
 * Life:    its own memory; strings are copied. Threads: read-only once made. Blocking: never.
 * Source:  Aho, Corasick: "Efficient string matching" (1975). Tests: tests/unit/automaton.c
 */
#ifndef CORRELATOR_RULES_AUTOMATON_H
#define CORRELATOR_RULES_AUTOMATON_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

#define AUTOMATON_LITERAL_MAX 64

struct automaton;

struct automaton_literal {
	struct str text; /* 1..AUTOMATON_LITERAL_MAX bytes; equal ones may repeat */
	uint32_t id;
};

/* Makes one of count >= 1 strings. Returns 0, ERR_NOMEM or ERR_LIMIT. */
int automaton_new(const struct automaton_literal *literals, size_t count,
		  struct automaton **out_automaton, struct error *err);
void automaton_free(struct automaton *automaton);

/* Calls found for each place where a string ends; equal strings give each of their ids. */
typedef void automaton_found_fn(void *owner, uint32_t id);
void automaton_scan(const struct automaton *automaton, struct str text, automaton_found_fn *found,
		    void *owner);

/* What it takes. */
size_t automaton_bytes(const struct automaton *automaton);
size_t automaton_states(const struct automaton *automaton);

#endif
