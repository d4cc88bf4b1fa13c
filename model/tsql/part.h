/* part - what the files that make facts share; no one else includes it.
 *
 * Shape:   a text is cut into pieces (its tokens without white space and comments); a scan goes over a range of them and notes
 *          statements, objects and inner texts in the work. Piece indexes are size_t; end is behind the last one.
 * Limits:  every list in struct tsql_work is fixed; what does not fit sets TSQL_TRUNCATED.
 * Threads: one struct tsql_work per thread. Blocking: never. Errors: none.
 * Tests:   tests/unit/tsql-facts.c
 */
#ifndef MODEL_TSQL_PART_H
#define MODEL_TSQL_PART_H

#include "model/tsql/facts.h"
#include "model/tsql/word.h"

#define TSQL_PIECES_MAX (2u << 20)
#define TSQL_LEVELS_MAX \
	96 /* of parentheses in a statement; what is deeper is read as if it were not in them */
#define TSQL_ALIASES_MAX   256 /* in a statement */
#define TSQL_CTES_MAX      64  /* in a statement */
#define TSQL_CALLS_MAX     128 /* of functions in a statement */
#define TSQL_VARIABLES_MAX 64  /* whose values are known, in a batch */
#define TSQL_ARENA_BYTES   (4u << 20)
#define TSQL_FOLD_STEPS    (4u << 20) /* terms and bytes that folding looks at, in all */

enum {
	PIECE_CLOSED = 1,
	PIECE_SPACED = 2,    /* white space stands before it */
	PIECE_COMMENTED = 4, /* a block comment stands before it */
	PIECE_LINED = 8,     /* a line comment stands before it */
};

struct tsql_piece {
	uint32_t start, len; /* in the text */
	uint32_t match;      /* of "(": the piece of its ")", or the end */
	uint16_t word;       /* enum tsql_word */
	uint8_t kind;        /* enum tsql_kind */
	uint8_t flags;
};

/* How a text came to be run. */
struct tsql_origin {
	enum tsql_via via;
	unsigned depth;
	bool defined;
	struct str server; /* where it runs, or empty */
};

struct tsql_scan {
	struct tsql_work *work;
	struct str text;
	size_t begin, end; /* pieces */
	struct tsql_origin origin;
	/* a comment ends the text */
	struct tsql_token tail;
	size_t variable_base; /* the first variable of this text */
};

struct tsql_alias {
	struct str name;
	int object; /* in objects, or -1: something that is no object */
	unsigned level;
};

struct tsql_cte {
	struct str name;
	int object;   /* the first that it reads, or -1 */
	bool bounded; /* it has a WHERE, TOP or join */
};

struct tsql_call {
	struct tsql_name name;
};

struct tsql_variable {
	struct str name;
	struct str value;      /* ptr NULL: not known */
	bool changed, unknown; /* as in struct tsql_folded */
};

enum tsql_level_kind {
	LEVEL_PLAIN, /* arguments, a list, an expression */
	LEVEL_QUERY,
	LEVEL_SOURCES, /* (a JOIN b ON ..) */
};

enum tsql_clause {
	CLAUSE_NONE,
	CLAUSE_ITEMS, /* SELECT .. */
	CLAUSE_TARGET,
	CLAUSE_SET,
	CLAUSE_FROM,
	CLAUSE_WHERE,
	CLAUSE_OUTPUT,
	CLAUSE_OTHER,
};

/* One pair of parentheses on the way through a statement, or the statement itself. */
struct tsql_level {
	enum tsql_level_kind kind;
	enum tsql_clause clause;
	enum tsql_verb verb;
	bool expect_source, expect_item;
	bool where, where_true, top, joined, grouped, aggregate, star, exists;
	bool limits; /* a join leaves out rows of each of its tables: any but CROSS, LEFT and FULL */
	bool outer;  /* a LEFT join leaves out rows of all tables but the first */
	bool source_unbounded; /* its last source is a query without limits */
	bool is_source;        /* stands where a table may stand */
	bool is_cte;
	unsigned case_depth;
	unsigned source_count, real_count;
	int first_object; /* that it reads, or -1 */
	bool has_target;
	struct tsql_name target;
};

struct tsql_work {
	struct tsql_options options;
	struct arena *arena;
	struct tsql_piece *pieces;
	size_t piece_count, piece_capacity;
	struct tsql_statement statements[TSQL_STATEMENTS_MAX];
	size_t statement_count;
	struct tsql_object objects[TSQL_OBJECTS_MAX];
	uint32_t object_hashes[TSQL_OBJECTS_MAX];
	size_t object_count;
	struct tsql_inner inner[TSQL_INNER_MAX];
	struct str inner_servers[TSQL_INNER_MAX];
	size_t inner_count, inner_bytes;
	struct tsql_variable variables[TSQL_VARIABLES_MAX];
	size_t variable_count;
	struct tsql_level levels[TSQL_LEVELS_MAX];
	struct tsql_alias aliases[TSQL_ALIASES_MAX];
	size_t alias_count;
	struct tsql_cte ctes[TSQL_CTES_MAX];
	size_t cte_count;
	struct tsql_call calls[TSQL_CALLS_MAX];
	size_t call_count;
	struct buf fold;
	size_t fold_steps; /* that are left */
	uint32_t flags;
	bool from_values;
	bool no_memory;
};

/* A value that folding found. */
struct tsql_folded {
	struct str text;     /* in the arena */
	size_t next;         /* the piece behind it */
	bool changed;        /* the value is not one literal of the text */
	bool unknown;        /* a part of it is not known and stands as the variable's name */
	unsigned char_count; /* CHAR() and NCHAR() in it */
};

/* pieces.c: reading the text */

/* Cuts a text into pieces behind those that are there; sets begin, end and tail of the scan. */
void tsql_pieces_read(struct tsql_scan *scan);

/* Takes a name of up to four parts at piece i; returns the piece behind it, or i when there is none. */
size_t tsql_name_read(const struct tsql_scan *scan, size_t i, struct tsql_name *out);

/* note.c: what is found */

/* Notes a statement; returns its index (the last one's when there are too many). */
size_t tsql_note_statement(struct tsql_scan *scan, enum tsql_verb verb, enum tsql_class kind);

/* Notes an object of the last statement; returns its index, or -1 when it is a temporary one or there are too many. */
int tsql_note_object(struct tsql_scan *scan, const struct tsql_name *name, enum tsql_class kind,
		     enum tsql_access access);

/* Notes a text that is run or came to light; server is where it runs. */
void tsql_note_inner(struct tsql_scan *scan, struct tsql_inner inner, struct str server);

/* Sets flags of the last statement, and of the text. */
void tsql_note_flags(struct tsql_scan *scan, uint32_t flags);

/* Remembers what a variable holds; a value with ptr NULL makes it unknown. */
void tsql_variable_set(struct tsql_scan *scan, const struct tsql_variable *variable);
const struct tsql_variable *tsql_variable_find(const struct tsql_scan *scan, struct str name);

/* fold.c */

/* The value of the expression at piece i: literals, + and functions on them; false when it begins with something else. */
bool tsql_fold(struct tsql_scan *scan, size_t i, struct tsql_folded *out);

/* sign.c, scan.c */

/* Flags that comments and stacked statements give, for the whole text. */
void tsql_sign_text(struct tsql_scan *scan);

/* All statements of a scan, and the texts within them. */
void tsql_scan_run(struct tsql_scan *scan);

/* The piece at i; outside of the scan one that is nothing. */
static inline const struct tsql_piece *tsql_piece_at(const struct tsql_scan *scan, size_t i)
{
	static const struct tsql_piece none = {.kind = TSQL_SPACE};

	return i >= scan->begin && i < scan->end ? &scan->work->pieces[i] : &none;
}

/* The word at i, or NONE. */
static inline enum tsql_word tsql_word_at(const struct tsql_scan *scan, size_t i)
{
	return (enum tsql_word)tsql_piece_at(scan, i)->word;
}

/* The first byte of a mark of one byte at i, else 0. */
static inline char tsql_mark_at(const struct tsql_scan *scan, size_t i)
{
	const struct tsql_piece *piece = tsql_piece_at(scan, i);

	return piece->kind == TSQL_MARK && piece->len == 1 ? scan->text.ptr[piece->start] : '\0';
}

/* The kind of the piece at i; TSQL_SPACE outside of the scan. */
static inline enum tsql_kind tsql_kind_at(const struct tsql_scan *scan, size_t i)
{
	return (enum tsql_kind)tsql_piece_at(scan, i)->kind;
}

/* The piece as it stands in the text. */
static inline struct str tsql_text_at(const struct tsql_scan *scan, size_t i)
{
	const struct tsql_piece *piece = tsql_piece_at(scan, i);

	return str_slice(scan->text, piece->start, piece->len);
}

/* The piece behind the ")" that belongs to the "(" at i; the end when there is none. */
static inline size_t tsql_behind(const struct tsql_scan *scan, size_t i)
{
	size_t match = tsql_piece_at(scan, i)->match;

	return match < scan->end ? match + 1 : scan->end;
}

#endif
