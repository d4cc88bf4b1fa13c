/* statementfacts - what a statement's text does, as the words that rules ask for; kept for texts of one template.
 *
 * Shape:   lists of words by enum name_fact. A table is there as it is written, without its database, and by its own name alone; one
 *          without a schema also as dbo.name.
 * Cache:   keyed by the text with the digits of its numbers and the insides of its strings taken out, as far as facts do not depend on
 *          them (from_values of model/tsql/facts.h), else by the text itself; compared in full, never by its hash alone.
 * Limits:  STATEMENTFACTS_SLOTS entries of STATEMENTFACTS_BYTES; larger ones are computed each time.
 * Threads: one per thread. Blocking: never. Tests: tests/unit/statementfacts.c
 */
#ifndef CORRELATOR_RULES_STATEMENTFACTS_H
#define CORRELATOR_RULES_STATEMENTFACTS_H

#include "base/arena.h"
#include "base/error.h"
#include "correlator/rules/names.h"

#define STATEMENTFACTS_SLOTS 2048
#define STATEMENTFACTS_BYTES 2048

struct statementfacts;

struct statementfacts_figures {
	uint64_t asked, computed;
};

/* Makes one. Returns 0 or ERR_NOMEM. */
int statementfacts_new(struct statementfacts **out_facts, struct error *err);
void statementfacts_free(struct statementfacts *facts);

/* Turns to a text, which is borrowed until the next. Returns 0 or ERR_NOMEM. */
int statementfacts_of(struct statementfacts *facts, struct str text, struct error *err);

/* The words of a list, which is below FACT_COUNT: NUL-separated, each ended by one NUL; until the next text. */
struct str statementfacts_words(const struct statementfacts *facts, enum name_fact fact);

/* The text that rules match on (tsql_match_text); until the next text. Returns 0 or ERR_NOMEM. */
int statementfacts_normalized(struct statementfacts *facts, struct str *out_text,
			      struct error *err);

/* How many texts were asked for, and how many of them had to be read. */
struct statementfacts_figures statementfacts_figures(const struct statementfacts *facts);

#endif
