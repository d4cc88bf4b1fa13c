/* token - T-SQL text cut into tokens; every byte belongs to one.
 *
 * Shape:   words, variables, strings, quoted names, numbers, comments (which nest), white space, and marks of one byte.
 * Errors:  none: whatever is not closed runs to the end of the text and says so (closed = false).
 * Life:    tokens borrow from the input. Threads: one reader per thread. Blocking: never.
 * Source:  Microsoft "Transact-SQL syntax conventions", "Database identifiers", "Slash star". Tests: tests/unit/token.c
 */
#ifndef MODEL_TSQL_TOKEN_H
#define MODEL_TSQL_TOKEN_H

#include "base/str.h"

enum tsql_kind {
	TSQL_SPACE,
	TSQL_COMMENT,
	TSQL_WORD,     /* keyword or plain name; #temp too */
	TSQL_VARIABLE, /* @name, @@name */
	TSQL_STRING,   /* '..' or N'..' */
	TSQL_QUOTED,   /* [..] or ".." */
	TSQL_NUMBER,
	TSQL_HEX, /* 0x.. */
	TSQL_MARK,
};

struct tsql_token {
	enum tsql_kind kind;
	struct str whole; /* with quotes and comment signs */
	struct str
		text; /* without them; doubled quotes still doubled; HEX without 0x; VARIABLE with its @ */
	bool closed; /* false: the text ended inside it */
};

struct tsql_reader {
	struct str input;
	size_t pos;
};

/* A reader over text, which it borrows. */
struct tsql_reader tsql_reader(struct str text);

/* The next token; false at the end, then *out_token is untouched. */
bool tsql_next(struct tsql_reader *reader, struct tsql_token *out_token);

/* The next token that is neither white space nor comment; false at the end. */
bool tsql_next_code(struct tsql_reader *reader, struct tsql_token *out_token);

/* Whether a token is this word; letters are folded. */
bool tsql_is_word(const struct tsql_token *token, const char *word);

/* Whether a token is this mark. */
bool tsql_is_mark(const struct tsql_token *token, char mark);

/* Passes over the list of parameters that the server writes before a parameterised statement: (@a int,@b nvarchar(40)). */
void tsql_skip_parameters(struct tsql_reader *reader);

#endif
