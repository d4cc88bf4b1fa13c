/* word - the words of T-SQL as numbers.
 *
 * Shape:   a sorted table, words.def. Threads: pure. Blocking: never. Errors: none.
 * Source:  Microsoft "Reserved keywords (Transact-SQL)". Tests: tests/unit/tsql-word.c
 */
#ifndef MODEL_TSQL_WORD_H
#define MODEL_TSQL_WORD_H

#include "base/str.h"

enum tsql_word {
	TSQL_W_NONE, /* a name, or a word that says nothing to facts */
#define WORD(name, properties) TSQL_W_##name,
#include "model/tsql/words.def"
#undef WORD
	TSQL_W_COUNT_ALL
};

enum tsql_word_property {
	TSQL_WORD_RESERVED = 1, /* is no alias unless in brackets */
	TSQL_WORD_STARTS = 2,   /* may begin a statement */
};

/* The number of a word, letters folded; TSQL_W_NONE when it is none of ours. */
enum tsql_word tsql_word_of(struct str text);

/* The properties of a word, ored. */
unsigned tsql_word_properties(enum tsql_word word);

#endif
