/* walk - going over one statement, with its parentheses and clauses; for the files that make facts.
 *
 * Shape:   one struct tsql_level for each pair of parentheses that is open; level 0 is the statement itself.
 * Rules:   every function that takes a piece and returns one returns the piece from which to go on, never one before.
 * Threads: one struct tsql_walk per thread. Blocking: never. Errors: none.
 * Tests:   tests/unit/tsql-facts.c, tests/unit/tsql-facts-hostile.c
 */
#ifndef MODEL_TSQL_WALK_H
#define MODEL_TSQL_WALK_H

#include "model/tsql/part.h"

struct tsql_walk {
	struct tsql_scan *scan;
	unsigned depth;      /* of levels in work->levels; 0 = the statement itself */
	unsigned overflow;   /* parentheses that are too deep */
	enum tsql_verb verb; /* of the statement */
	enum tsql_class kind;
	size_t begin;     /* its first piece */
	size_t statement; /* its index */
	size_t fold_end;  /* what stands before it was folded already */
	bool has_select, has_call;
	bool ended;   /* a module's head: what follows is its body */
	bool at_item; /* a column of a SELECT list begins here */
};

/* Goes over a statement from piece i on; returns the piece at which the next one begins. */
size_t tsql_walk(struct tsql_walk *walk, size_t i);

/* Begins SELECT, INSERT, UPDATE, DELETE or MERGE in the level, i behind that word; returns the piece from which to go on. */
size_t tsql_query_begin(struct tsql_walk *walk, size_t i, enum tsql_verb verb);

/* Ends the query of the level: its target and its flags are known now. */
void tsql_query_end(struct tsql_walk *walk);

/* Takes a table, a function or whatever stands at i where a table may stand. */
size_t tsql_source_read(struct tsql_walk *walk, size_t i);

/* Takes JOIN or APPLY at i: whether it leaves out rows of its tables. */
void tsql_join_note(struct tsql_walk *walk, size_t i);

/* Takes [AS] alias [(columns)] at i for an object (-1: none); returns the piece behind. */
size_t tsql_alias_read(struct tsql_walk *walk, size_t i, int object);

/* Opens and closes a level of parentheses; i is behind the "(". */
void tsql_level_open(struct tsql_walk *walk, size_t i, bool is_source);
size_t tsql_level_close(struct tsql_walk *walk, size_t i);

/* ddl.c, call.c, border.c, sign.c, scan.c */

/* The head of CREATE, ALTER, DROP, GRANT, .., i behind the verb; notes the statement; returns the piece from which to go on. */
size_t tsql_ddl_read(struct tsql_walk *walk, size_t i);
size_t tsql_grant_read(struct tsql_walk *walk, size_t i);

/* What stands behind EXEC: a procedure, a string, AS; notes objects and inner texts, not the statement. */
size_t tsql_exec_read(struct tsql_walk *walk, size_t i);

/* The text that OPENQUERY, OPENROWSET or OPENDATASOURCE at i runs; i is the word. */
void tsql_rowset_read(struct tsql_walk *walk, size_t i);

/* Whether another statement begins at piece i, on the level of the statement itself. */
bool tsql_border(const struct tsql_walk *walk, size_t i);

/* Takes name [(columns)] AS ( of a CTE at i; opens the level of its query. Returns i when there is none. */
size_t tsql_cte_read(struct tsql_walk *walk, size_t i);

/* Looks whether the condition at the comparison i (=, <, LIKE ..) is always true, and sets flags when it is. */
void tsql_sign_condition(struct tsql_walk *walk, size_t i);

/* The level that the walk is in. */
static inline struct tsql_level *tsql_level_of(const struct tsql_walk *walk)
{
	return &walk->scan->work->levels[walk->depth];
}

#endif
