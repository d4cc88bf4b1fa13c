/* word - the words of the filter language: which part of a trail each one looks at.
 *
 * Shape:   a trail is a statement, its standing verdict and the request that the verdict names. A word stands for one or more
 *          places in it; a term is true when any of its places matches. Field names come from model/fields.def, the rest from
 *          one table here; aliases are short forms that people type.
 * Life:    everything is static. Threads: pure. Blocking: never.
 * Source:  docs/query.md. Tests: tests/unit/word.c
 */
#ifndef QUERY_WORD_H
#define QUERY_WORD_H

#include "base/buf.h"
#include "model/record.h"

enum side {
	SIDE_STATEMENT = 1,
	SIDE_REQUEST = 2,
	SIDE_VERDICT = 4,
};

/* Parts of every record that are no fields, numbered behind the fields. */
enum part {
	PART_TIME = FIELD_LIMIT,
	PART_SOURCE,
	PART_LEAF,
};

enum word_type {
	WORD_TEXT,     /* the whole value, letters folded, * and ? are wild */
	WORD_CONTAINS, /* a part of the value */
	WORD_TABLE,    /* the whole value, or its part behind the last dot */
	WORD_NUMBER,
	WORD_MS, /* a number of milliseconds; durations are read too */
	WORD_TIME,
	WORD_BOOL,
	WORD_GRADE, /* a set of grades: A, AB, U, pending */
};

struct place {
	enum side side;
	unsigned field; /* enum field or enum part */
};

#define WORD_PLACES_MAX 16

struct word {
	const char *name;
	enum word_type type;
	const char *help;
	struct place place[WORD_PLACES_MAX];
	size_t place_count;
};

/* The word of a name or alias, letters folded; false when there is none. */
bool word_find(struct str name, struct word *out_word);

/* The places that text without a word is looked for in. */
struct word word_free_text(void);

/* The word nearest to a name that word_find does not know, or NULL. */
const char *word_nearest(struct str name);

/* Why a known field cannot be asked for here ("a trail has no gaps"), or NULL for an unknown name. */
const char *word_refusal(struct str name);

/* Appends the table of words for people: name, aliases, help. */
void word_put_help(struct buf *out);

#endif
