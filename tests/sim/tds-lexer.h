/* tds-lexer - T-SQL into words, for the simulator's own small interpreter.
 *
 * Shape:   one token at a time; text borrows from the input, and is as written (quotes and brackets included) but for the marks below.
 * Errors:  an unclosed string or comment is a token of kind TDS_LEX_BROKEN.
 * Threads: pure. Blocking: never.
 * Source:  Transact-SQL syntax conventions. Tests: tests/unit/tds-select.c, tests/fuzz/tds-sql.c
 */
#ifndef TESTS_SIM_TDS_LEXER_H
#define TESTS_SIM_TDS_LEXER_H

#include <stdint.h>

#include "base/str.h"

enum tds_lex {
	TDS_LEX_END,
	TDS_LEX_NAME, /* a bare word */
	TDS_LEX_QUOTED, /* [name] or "name": text is between the marks, with the closing mark still doubled */
	TDS_LEX_STRING, /* 'text': text is between the quotes, which are still doubled inside */
	TDS_LEX_NSTRING,
	TDS_LEX_NUMBER,   /* digits */
	TDS_LEX_BINARY,   /* 0x...: text is the digits */
	TDS_LEX_VARIABLE, /* @name: text with its @ */
	TDS_LEX_GLOBAL,   /* @@name */
	TDS_LEX_SIGN,     /* ( ) , . ; = < > <= >= <> != !< !> + - * / % */
	TDS_LEX_BROKEN,
};

struct tds_lexeme {
	enum tds_lex kind;
	struct str text;
	uint32_t line; /* from 1 */
};

struct tds_lexer {
	struct str rest;
	uint32_t line;
};

/* The next token; END at the end, for ever. */
struct tds_lexeme tds_lexer_next(struct tds_lexer *lexer);

#endif
