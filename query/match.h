/* match - one term's test of one value, made once and asked often.
 *
 * Text:    ASCII letters are folded; * is any run of bytes and ? one byte, when the pattern has them.
 * Threads: read-only once made. Blocking: never.
 * Tests:   tests/unit/match.c
 */
#ifndef QUERY_MATCH_H
#define QUERY_MATCH_H

#include "query/expression.h"
#include "query/filter.h"
#include "query/zone.h"
#include "store/block.h"

/* What the text of a value may depend on. */
struct match_context {
	const struct zone *zone;
	int64_t now_ns;
};

enum match_type {
	MATCH_EQUAL,
	MATCH_GLOB,
	MATCH_CONTAINS,
	MATCH_CONTAINS_GLOB,
	MATCH_PRESENT,     /* the pattern is * */
	MATCH_LAST_PART,   /* all of it, or what stands behind its last dot; may be a glob */
	MATCH_ORDER,       /* text compared bytewise with < > */
	MATCH_RANGE,       /* low <= number < high,  */
	MATCH_NUMBER_GLOB, /* the decimal text of a number against a glob: status:4* */
	MATCH_GRADES,
	MATCH_EXPRESSION,
};

struct match {
	enum match_type type;
	enum compare_op op; /* MATCH_ORDER */
	struct str pattern;
	int64_t low, high; /* MATCH_RANGE; both inclusive */
	unsigned grades;   /* MATCH_GRADES: bit g of enum grade */
	struct str holds;  /* of texts: what each one that matches holds, letters of either case */
	struct expression *expression; /* MATCH_EXPRESSION */
};

/* The grades as numbers, for sets and counts. */
enum grade {
	GRADE_PENDING,
	GRADE_A,
	GRADE_B,
	GRADE_C,
	GRADE_D,
	GRADE_U1,
	GRADE_U2,
	GRADE_X,
	GRADE_COUNT,
};

/* The grade of its text ("A", "U1"); GRADE_PENDING for anything else. */
enum grade grade_of(struct str text);

/* "A", "U1", "pending". Static text. */
const char *grade_name(enum grade grade);

/* A set of grades from "A", "AB", "U" (U1 and U2), "u1", "P" or "pending"; false when it is anything else. */
bool grade_parse_set(struct str text, unsigned *out_grades);

/* Makes the test of a term. query is for the place in errors, and its arena for regular expressions. The match borrows from the term.
 * Returns 0, ERR_USAGE, ERR_LIMIT or ERR_NOMEM. */
int match_make(const struct query *query, const struct term *term,
	       const struct match_context *context, struct match *out_match, struct error *err);

/* Whether a text value that is present matches. */
bool match_text(const struct match *match, struct str value);

/* The same test for many texts at once (store/scan.h). *out_needle borrows from match. */
void match_needle(const struct match *match, struct block_needle *out_needle);

/* Whether a number, time or boolean that is present matches. */
bool match_number(const struct match *match, int64_t value);

#endif
