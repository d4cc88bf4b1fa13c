/* tds-parser - what the two halves of the T-SQL parser share: statements (tds-sql.c) stand on expressions (tds-expression.c).
 *
 * Shape:   one token ahead. The first error sticks: after it every call returns NULL or does nothing, so check failed at the end.
 * Threads: one parser per thread. Blocking: never.
 * Tests:   tests/unit/tds-select.c, tests/fuzz/tds-sql.c
 */
#ifndef TESTS_SIM_TDS_PARSER_H
#define TESTS_SIM_TDS_PARSER_H

#include "tests/sim/tds-lexer.h"
#include "tests/sim/tds-sql.h"

struct tds_parser {
	struct tds_lexer lexer;
	struct tds_lexeme token;
	struct arena *arena;
	struct tds_message *error;
	bool failed;
	int depth;
	size_t node_count;
};

/* Moves to the next token. */
void tds_parser_step(struct tds_parser *parser);

/* Whether the token is this word (any case, not quoted), or this sign. */
bool tds_parser_at_word(const struct tds_parser *parser, const char *word);
bool tds_parser_at_sign(const struct tds_parser *parser, const char *sign);

/* Steps over the word or sign when it is there, and says whether. */
bool tds_parser_word(struct tds_parser *parser, const char *word);
bool tds_parser_sign(struct tds_parser *parser, const char *sign);

/* Steps over the sign, or fails with message 102. */
void tds_parser_need(struct tds_parser *parser, const char *sign);

/* Fails with "Incorrect syntax near" the token (102, 156 or 105). */
void tds_parser_refuse(struct tds_parser *parser);

/* Fails with a message of its own; format has one %.*s for text. */
void tds_parser_fail(struct tds_parser *parser, uint32_t number, const char *format,
		     struct str text);

/* Whether the token may be a name: a word that is not reserved, or a quoted one. */
bool tds_parser_at_name(const struct tds_parser *parser);

/* The name at the token, with doubled marks undone; fails when there is none. */
struct str tds_parser_name(struct tds_parser *parser);

/* A zeroed object in the arena; NULL after a failure. */
void *tds_parser_new(struct tds_parser *parser, size_t size);

/* An expression without (and with) comparisons, AND, OR, NOT at its top. */
struct tds_node *tds_parser_expression(struct tds_parser *parser);
struct tds_node *tds_parser_condition(struct tds_parser *parser);

/* A type: int, nvarchar(260), varbinary(max), ... */
struct tds_type tds_parser_type(struct tds_parser *parser);

#endif
