/* filter - a filter of the command line as a tree.
 *
 * Grammar: query = [or]; or = and {"OR" and}; and = unary {["AND"] unary}; unary = {"NOT" | "-"} (term | "(" or ")").
 *          term = field operator value | word | "phrase". a!=b is NOT a=b, a!~b is NOT a~b.
 * Limits:  LEXER_TEXT_MAX bytes, QUERY_TERMS_MAX terms, depth QUERY_DEPTH_MAX.
 * Life:    the tree lives in the arena and borrows from the input.
 * Threads: pure. Blocking: never.
 * Source:  docs/query.md. Tests: tests/unit/filter.c, tests/fuzz/filter.c
 */
#ifndef QUERY_FILTER_H
#define QUERY_FILTER_H

#include "query/filter-lexer.h"
#include "query/word.h"

#define QUERY_TERMS_MAX 48
#define QUERY_DEPTH_MAX 32

enum node_type {
	NODE_ALL, /* the empty filter: everything */
	NODE_AND,
	NODE_OR,
	NODE_NOT, /* left only */
	NODE_TERM,
};

struct term {
	struct word word;
	enum compare_op op;
	struct str value;
	size_t value_offset;
	bool is_quoted;
};

struct node {
	enum node_type type;
	struct node *left, *right;
	struct term *term;
	unsigned index; /* NODE_TERM: counted from 0 in order of appearance */
};

struct query {
	struct str text;
	struct node *root;
	unsigned term_count;
	struct arena *arena; /* that the tree lives in */
};

/* Reads a filter.
 * Returns 0 and *out_query, or
 *   ERR_USAGE  err is "query:LINE:COLUMN: ..."; unknown fields come with "did you mean"
 *   ERR_LIMIT  too long, too deep, too many terms */
int query_parse(struct str text, struct arena *arena, struct query *out_query, struct error *err);

/* Appends the filter in normal form: full words, explicit parentheses and operators, values quoted. Parsing it gives the same
 * tree. */
void query_put(const struct query *query, struct buf *out);

#endif
