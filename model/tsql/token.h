/* token - T-SQL text cut into tokens; every byte belongs to one.
 *
 * Shape:   words, variables, strings, quoted names, numbers, comments (which nest), white space, and marks of one to three bytes.
 *          Any bytes are taken: UTF-8 and WTF-8 make names, what is neither is TSQL_UNKNOWN. A backslash escapes nothing.
 *          The whole of all tokens, one behind the other, is the input.
 * Errors:  none: whatever is not closed runs to the end of the text and says so (closed = false).
 * Limits:  time is linear in the text.
 * Life:    tokens borrow from the input. Threads: one reader per thread. Blocking: never.
 * Source:  Microsoft "Transact-SQL syntax conventions", "Database identifiers", "Constants", "Slash star", "Backslash (line
 *          continuation)". Tests: tests/unit/token.c, tests/fuzz/tsql-lexer.c, tests/bench/tsql.c
 */
#ifndef MODEL_TSQL_TOKEN_H
#define MODEL_TSQL_TOKEN_H

#include "base/str.h"

enum tsql_kind {
	TSQL_SPACE,
	TSQL_COMMENT,
	TSQL_WORD,     /* keyword or plain name; #temp, $action too */
	TSQL_VARIABLE, /* @name, @@name */
	TSQL_STRING,   /* '..' or N'..'; ".." when quotes are strings */
	TSQL_QUOTED,   /* [..] or ".." */
	TSQL_NUMBER,   /* 1, 1.5, .5, 1e-5 */
	TSQL_HEX,      /* 0x.., with the lines that a backslash joins */
	TSQL_MARK,     /* ( = <> += :: .. */
	TSQL_MONEY,    /* $1.5, or another sign of a currency before it, or the sign alone */
	TSQL_GO, /* the word GO alone on its line, a count behind it or not: a client's separator */
	TSQL_UNKNOWN, /* bytes that no T-SQL holds outside of strings, names in quotes and comments */
};

struct tsql_token {
	enum tsql_kind kind;
	struct str whole; /* with quotes and comment signs */
	/* without them; doubled quotes still doubled; HEX without 0x; VARIABLE with its @ */
	struct str text;
	bool closed; /* false: the text ended inside it */
};

/* How the session reads text; NULL where a pointer is asked for means all off. */
struct tsql_options {
	bool quotes_are_strings; /* SET QUOTED_IDENTIFIER OFF: ".." is a string */
};

struct tsql_reader {
	struct str input;
	size_t pos;
	bool quotes_are_strings; /* SET QUOTED_IDENTIFIER OFF */
};

/* A reader over text, which it borrows; ".." is a name. */
struct tsql_reader tsql_reader(struct str text);

/* The next token; false at the end, then *out_token is untouched. */
bool tsql_next(struct tsql_reader *reader, struct tsql_token *out_token);

/* The next token that is neither white space nor comment; false at the end. */
bool tsql_next_code(struct tsql_reader *reader, struct tsql_token *out_token);

/* Whether a token is this word; letters are folded. */
bool tsql_is_word(const struct tsql_token *token, const char *word);

/* Whether a token is this mark of one byte. */
bool tsql_is_mark(const struct tsql_token *token, char mark);

/* Passes over the list of parameters that the server writes before a parameterised statement: (@a int,@b nvarchar(40)). */
void tsql_skip_parameters(struct tsql_reader *reader);

#endif
