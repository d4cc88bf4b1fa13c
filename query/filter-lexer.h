/* filter-lexer - the tokens of a filter, with their places.
 *
 * Shape:   words, "phrases", field operators (name followed by : = != < <= > >= ~ !~), ( ) - NOT OR AND. Behind a field operator
 *          comes a value: a phrase, or everything up to white space or a closing parenthesis.
 * Quotes:  in a phrase \" and \\ stand for " and \; every other backslash is itself.
 * Limits:  a filter <= LEXER_TEXT_MAX bytes.
 * Life:    token texts borrow from the input, or from the arena when a phrase held an escape.
 * Threads: one lexer per thread. Blocking: never.
 * Source:  docs/query.md. Tests: tests/unit/filter-lexer.c, tests/fuzz/filter.c
 */
#ifndef QUERY_FILTER_LEXER_H
#define QUERY_FILTER_LEXER_H

#include "base/arena.h"
#include "base/error.h"

#define LEXER_TEXT_MAX 16384

enum token_type {
	TOKEN_END,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_NOT, /* NOT, or a - that stands before a term */
	TOKEN_OR,
	TOKEN_AND,
	TOKEN_FIELD,  /* text is the name, op the operator; its value is read by lexer_value */
	TOKEN_WORD,   /* a bare word */
	TOKEN_PHRASE, /* text between quotes */
};

enum compare_op {
	COMPARE_HAS, /* : */
	COMPARE_EQUAL,
	COMPARE_NOT_EQUAL,
	COMPARE_LESS,
	COMPARE_AT_MOST,
	COMPARE_MORE,
	COMPARE_AT_LEAST,
	COMPARE_MATCH, /* ~: a regular expression */
	COMPARE_NO_MATCH,
};

struct token {
	enum token_type type;
	enum compare_op op;
	struct str text;
	size_t offset; /* of its first byte in the filter */
};

struct lexer {
	struct str input;
	size_t pos;
	struct arena *arena;
};

/* A lexer over input, which it borrows. */
struct lexer lexer_over(struct str input, struct arena *arena);

/* The next token. Returns 0; ERR_USAGE for a phrase without end; ERR_LIMIT for too long a filter or a full arena. */
int lexer_next(struct lexer *lexer, struct token *out_token, struct error *err);

/* The value behind a TOKEN_FIELD: a WORD or a PHRASE. Returns 0; ERR_USAGE when there is none or a phrase has no end. */
int lexer_value(struct lexer *lexer, const struct token *field, struct token *out_token,
		struct error *err);

/* Fills err with "query:LINE:COLUMN: " and the sentence; columns count characters from 1. Returns -ERR_USAGE. */
int lexer_error(struct str input, size_t offset, struct error *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The operator as it is written (":", ">="). Static text. */
const char *compare_op_text(enum compare_op op);

#endif
