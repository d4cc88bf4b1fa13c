/* facts - what a T-SQL text does: statements, objects, procedures and what is remarkable; no grammar, no errors.
 *
 * Shape:   statements in text order, those within strings (dynamic SQL) behind the statement that runs them, with via and depth.
 *          Statements and objects of a module's body (CREATE PROCEDURE .. AS ..) are `defined`: not run by this text.
 *          Temporary tables, table variables, CTEs, inserted and deleted are no objects; an alias is the table it stands for.
 * Limits:  TSQL_*_MAX below; what is over is left out and TSQL_TRUNCATED is set. Time is linear in the text.
 * Life:    out of tsql_facts_of points into the scratch and into the text: until the next call with that scratch, and no longer
 *          than the text. Steady state: no malloc.
 * Threads: one scratch per thread. Blocking: never.
 * Source:  Microsoft "Transact-SQL reference". Words: verbs.def, classes.def, flags.def.
 * Tests:   tests/unit/tsql-facts*.c, tests/fuzz/tsql-facts.c
 */
#ifndef MODEL_TSQL_FACTS_H
#define MODEL_TSQL_FACTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/tsql/token.h"

#include <stdint.h>

#define TSQL_STATEMENTS_MAX  512
#define TSQL_OBJECTS_MAX     1024
#define TSQL_INNER_MAX       64           /* texts that were unwrapped or folded */
#define TSQL_INNER_BYTES_MAX (256u << 10) /* of all of them */
#define TSQL_DEPTH_MAX       8            /* of strings in strings */
#define TSQL_TEXT_MAX        (2u << 20)   /* bytes looked at; the rest is truncated */

enum tsql_verb {
#define VERB(name, number, text) TSQL_VERB_##name = number,
#include "model/tsql/verbs.def"
#undef VERB
};

enum tsql_class {
#define CLASS(name, number, text) TSQL_CLASS_##name = number,
#include "model/tsql/classes.def"
#undef CLASS
};

/* Bits of flags. */
enum tsql_flag {
#define FLAG(name, bit, text, meaning) TSQL_##name = 1 << (bit),
#include "model/tsql/flags.def"
#undef FLAG
};

/* What a statement does with an object. One object may stand in the list with several. */
enum tsql_access {
	TSQL_READ,
	TSQL_WRITE, /* insert, update, delete, merge, truncate, bulk insert, restore */
	TSQL_CREATED,
	TSQL_ALTERED, /* ADD MEMBER, ENABLE TRIGGER, UPDATE STATISTICS too */
	TSQL_DROPPED,
	TSQL_EXECUTED,
	TSQL_GRANTED, /* GRANT, DENY or REVOKE on it; the statement's verb says which */
};

/* How the text of a statement reaches the server. */
enum tsql_via {
	TSQL_DIRECT,
	TSQL_EXEC_STRING, /* EXEC ('..') */
	TSQL_SP_EXECUTESQL,
	TSQL_OPENQUERY,
	TSQL_OPENROWSET,
	TSQL_EXEC_AT,  /* EXEC ('..') AT server */
	TSQL_PREPARED, /* sp_prepare, sp_prepexec, sp_cursoropen and their kin */
};

/* A name as written, without its quotes (]] and "" undone). Parts that are not there are empty with ptr NULL; db..t has
 * an empty schema with a ptr. */
struct tsql_name {
	struct str server; /* also the linked server through which an inner text runs */
	struct str database;
	struct str schema;
	struct str object;
};

struct tsql_object {
	struct tsql_name name;
	/* TABLE for what SELECT, INSERT .. name, view or not; PROCEDURE or FUNCTION for what is called; OBJECT for what
	 * GRANT names without a class; USER or LOGIN (with TSQL_GRANTED) for who gets a permission or a role */
	enum tsql_class kind;
	enum tsql_access access;
	enum tsql_via via;
	unsigned statement; /* its index in statements */
	bool defined;
};

struct tsql_statement {
	enum tsql_verb verb;
	/* of CREATE, ALTER, DROP, TRUNCATE, BACKUP .., and of the ON .. :: of a GRANT; else NONE */
	enum tsql_class kind;
	enum tsql_via via;
	unsigned depth; /* 0 = in the text itself, 1 = in a string of it, .. */
	uint32_t flags; /* TSQL_* of this statement; those of its inner texts stand at theirs */
	bool defined;
};

/* A text that is run as a statement, or that folding brought to light. */
struct tsql_inner {
	struct str text;
	enum tsql_via via; /* DIRECT: a folded value that is not run */
	bool folded;       /* it is nowhere in the text in one piece */
};

struct tsql_facts {
	const struct tsql_statement *statements;
	size_t statement_count;
	const struct tsql_object *objects;
	size_t object_count;
	const struct tsql_inner *inner;
	size_t inner_count;
	uint32_t flags; /* of all statements that are not `defined` together */
	/* of the first statement that does something (not DECLARE, SET, IF ..), else of the first */
	enum tsql_verb verb;
	/* the facts depend on values of literals: they hold for this text, not for its template */
	bool from_values;
};

/* Memory for tsql_facts_of, kept from call to call. */
struct tsql_scratch {
	struct arena arena;
	struct tsql_work *work;
};

/* Prepares an empty scratch; allocates nothing. It grows to at most 16 bytes a token of the longest text, and 32 MiB. */
void tsql_scratch_init(struct tsql_scratch *scratch);
void tsql_scratch_done(struct tsql_scratch *scratch);

/* The facts of a text.
 *   text     borrowed; any bytes
 *   options  NULL for the usual: quoted identifiers on
 * Returns 0 or -ERR_NOMEM; then *out is untouched. */
int tsql_facts_of(struct str text, const struct tsql_options *options, struct tsql_scratch *scratch,
		  struct tsql_facts *out);

/* Appends the text that rules match on: the statement without comments and with white space collapsed to one blank, then each
 * inner text the same way behind a newline. Words, names and literals stand as written. */
void tsql_match_text(struct str text, const struct tsql_facts *facts,
		     const struct tsql_options *options, struct buf *out);

/* Appends a name as a person writes it: server.database.schema.object without brackets. Leading parts that are not there are
 * left out, others are empty: server..schema.object. */
void tsql_name_put(const struct tsql_name *name, struct buf *out);

/* Static texts: "CREATE", "SERVER AUDIT", "delete_without_where", "read", "sp_executesql"; "" for an unknown value. */
const char *tsql_verb_text(enum tsql_verb verb);
const char *tsql_class_text(enum tsql_class kind);
const char *tsql_flag_text(enum tsql_flag flag);
const char *tsql_access_text(enum tsql_access access);
const char *tsql_via_text(enum tsql_via via);

#endif
