/* tds-sql - the part of T-SQL that questions about an audit are made of, parsed into trees.
 *
 * Shape:   a batch is a list of statements: SELECT over at most one table or function, SET, USE, DECLARE, PRINT. Expressions have
 *          literals, variables, columns, calls, CAST and CONVERT, CASE, arithmetic, comparisons, LIKE, IN, BETWEEN, IS NULL.
 * Life:    trees and texts live in the arena.
 * Errors:  a struct tds_message as SQL Server words it: 102 and its like.
 * Limits:  64 levels of nesting (message 191).
 * Threads: pure. Blocking: never.
 * Source:  Transact-SQL reference, SELECT. Tests: tests/unit/tds-select.c, tests/fuzz/tds-sql.c
 */
#ifndef TESTS_SIM_TDS_SQL_H
#define TESTS_SIM_TDS_SQL_H

#include "base/arena.h"
#include "tests/sim/tds-token.h"

enum tds_node_kind {
	TDS_NODE_VALUE,
	TDS_NODE_VARIABLE, /* @name */
	TDS_NODE_GLOBAL,   /* @@name */
	TDS_NODE_COLUMN,   /* qualifier.name */
	TDS_NODE_STAR,     /* * or qualifier.*: only as an item, or in COUNT(*) */
	TDS_NODE_CALL,     /* name(children) */
	TDS_NODE_CAST,     /* child to type; with a second child: CONVERT's style; negated: TRY_ */
	TDS_NODE_CASE,     /* children: condition, result, ..., [otherwise] */
	TDS_NODE_SUM,      /* op: + - * / % */
	TDS_NODE_COMPARE,  /* op: = < > l(<=) g(>=) n(<>) */
	TDS_NODE_LIKE,     /* negated: NOT LIKE */
	TDS_NODE_IN,       /* first child in the others */
	TDS_NODE_IS_NULL,
	TDS_NODE_AND,
	TDS_NODE_OR,
	TDS_NODE_NOT,
};

struct tds_node {
	enum tds_node_kind kind;
	char op;
	bool negated;
	uint32_t line;
	struct str name, qualifier;
	struct tds_value value; /* VALUE */
	struct tds_type type;   /* CAST: the target; VALUE: its own; after binding: of the result */
	size_t index;           /* after binding: the column, the variable, or the function */
	struct tds_node *child, *next;
};

enum tds_statement_kind { TDS_SELECT, TDS_SET_OPTION, TDS_SET_VARIABLE, TDS_USE, TDS_PRINT };

struct tds_item { /* of a SELECT list, or of ORDER BY */
	struct tds_node *node;
	struct str alias; /* empty: none */
	bool descending;
	struct tds_item *next;
};

struct tds_from {
	struct str database, schema, object, alias; /* object empty: no FROM */
	bool function;
	struct tds_node *argument; /* the literal DEFAULT is a NULL value */
};

struct tds_statement {
	enum tds_statement_kind kind;
	uint32_t line;
	bool distinct;
	struct tds_node *top; /* NULL: no TOP */
	struct tds_item *item;
	struct tds_from from;
	struct tds_node *where; /* NULL: none */
	struct tds_item *order;
	struct str name;        /* USE: the database; SET @name and DECLARE */
	struct tds_type type;   /* DECLARE */
	bool declares;          /* SET_VARIABLE by DECLARE */
	struct tds_node *value; /* SET_VARIABLE, PRINT; NULL: none */
	struct tds_statement *next;
};

/* Parses a batch. Returns true and the first statement (NULL: an empty batch), or false and the message. */
bool tds_sql_parse(struct str text, struct arena *arena, struct tds_statement **out_first,
		   struct tds_message *out_error);

/* Parses the parameter list of sp_executesql ("@p nvarchar(260), @n int"): one SET_VARIABLE statement for each. */
bool tds_sql_parse_parameters(struct str text, struct arena *arena,
			      struct tds_statement **out_first, struct tds_message *out_error);

#endif
