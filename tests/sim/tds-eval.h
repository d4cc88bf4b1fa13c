/* tds-eval - expressions of the simulator's T-SQL: bound to the columns and variables in scope, then computed row by row.
 *
 * Shape:   a condition is a BIT value; NULL is its "unknown". Text compares without regard to the case of ASCII letters and to trailing
 *          spaces, as the server's collation does.
 * Life:    values borrow from the row, the tree, and the scratch arena (until it is cleared).
 * Errors:  the message in the scope, worded as SQL Server does; the first one sticks and every value is then NULL.
 * Threads: one scope per thread. Blocking: never.
 * Source:  Transact-SQL reference: data type precedence, CAST and CONVERT, string functions. Tests: tests/unit/tds-select.c
 */
#ifndef TESTS_SIM_TDS_EVAL_H
#define TESTS_SIM_TDS_EVAL_H

#include "base/arena.h"
#include "tests/sim/tds-sql.h"

#define TDS_VARIABLES_MAX 128

struct tds_facts { /* what a session knows without a table */
	struct str server, database, user, application, host;
	struct str version_text, product_version; /* @@VERSION; "16.0.4105.2" */
	int16_t spid;
	int64_t now_ns;    /* fixed for a statement */
	int64_t row_count; /* of the statement before */
};

struct tds_variable {
	struct str name;
	struct tds_type type;
	struct tds_value value;
};

struct tds_rows { /* a table's current row, column by column */
	struct str name, alias;
	const struct tds_column *column;
	size_t column_count;
	void (*get)(const void *owner, size_t column, struct arena *scratch, struct tds_value *out);
	const void *owner;
};

struct tds_scope {
	const struct tds_facts *facts;
	const struct tds_rows *rows; /* NULL: no table */
	struct tds_variable *variable;
	size_t variable_count;
	struct arena *arena;   /* for what lives as long as the statement */
	struct arena *scratch; /* for what lives as long as a row */
	struct tds_message error;
	bool failed;
};

/* Finds the columns, variables and functions of a tree and sets the type of each node. False: see scope->error. */
bool tds_bind(struct tds_scope *scope, struct tds_node *node);

/* Whether a bound or unbound tree is a condition (a WHERE needs one). */
bool tds_is_condition(const struct tds_node *node);

/* The value of a bound tree. */
struct tds_value tds_eval(struct tds_scope *scope, const struct tds_node *node);

/* Sets scope->error unless it is set: message `number`, its text from format with one %.*s. */
void tds_scope_fail(struct tds_scope *scope, uint32_t number, uint8_t severity, const char *format,
		    struct str text);

/* The value as another type. try: NULL instead of an error. style: of CONVERT; 0 is the default. */
struct tds_value tds_cast(struct tds_scope *scope, struct tds_value value, struct tds_type type,
			  int64_t style, bool try);

/* Negative, 0 or positive, after making both the type that has precedence. Neither is NULL. */
int tds_compare(struct tds_scope *scope, struct tds_value left, struct tds_value right);

/* A value of a kind; a NULL. */
struct tds_value tds_null(enum tds_kind kind);
struct tds_value tds_number(enum tds_kind kind, int64_t number);
struct tds_value tds_text(enum tds_kind kind, struct str text);

/* A copy of text in the arena; empty when it is full (the scope then has failed). */
struct str tds_keep(struct tds_scope *scope, struct arena *arena, struct str text);

/* The type that the siblings from first on have together: the one that has precedence, with the greatest length. */
struct tds_type tds_type_of_branches(const struct tds_node *first);

/* Functions: which there are, the type of their result, their value. */
struct tds_function;
const struct tds_function *tds_function_find(struct str name);
size_t tds_function_index(const struct tds_function *function);
bool tds_function_takes(const struct tds_function *function, size_t argument_count);
struct tds_type tds_function_type(size_t index, const struct tds_node *call);
struct tds_value tds_function_call(struct tds_scope *scope, const struct tds_node *call);

#endif
