/* template - a T-SQL text as what stays (the template) and what varies (typed literals), and back, bit for bit.
 *
 * Shape:   the template is the text with "?" for each literal and a backslash before each "?" and backslash of its own. Strings,
 *          numbers, money, hex and comments are literals; the signs of a comment stay: slash star ? star slash, and --?. NULL,
 *          parameters, names and white space stay.
 *          A literal has a kind with a value only if the kind regenerates exactly what was written (7, -12.50); all else is text
 *          (007, 1., n'x', 0XaB).
 * Doubt:   from what does not end, and from a byte that is no T-SQL, everything is one literal (TSQL_LITERAL_REST).
 * Limits:  template and literals together take at most 48 bytes a byte of text. Time is linear.
 * Life:    literals borrow from the text. Threads: one struct tsql_template per thread. Blocking: never.
 * Source:  docs/format.md. Tests: tests/unit/tsql-template.c, tests/fuzz/tsql-template.c
 */
#ifndef MODEL_TSQL_TEMPLATE_H
#define MODEL_TSQL_TEMPLATE_H

#include "base/buf.h"
#include "model/tsql/token.h"

/* Stored: the numbers never change. */
enum tsql_literal_kind {
	TSQL_LITERAL_TEXT = 0, /* as written, its signs too */
	TSQL_LITERAL_STRING =
		1, /* '..'; text is what stands between the quotes, doubled ones still doubled */
	TSQL_LITERAL_NSTRING = 2, /* N'..'; the same */
	TSQL_LITERAL_INT = 3,     /* number, of at most 18 digits */
	TSQL_LITERAL_DECIMAL =
		4, /* number / 10^scale, of at most 18 digits, one or more of them behind the point */
	TSQL_LITERAL_FLOAT = 5,   /* with an exponent, as written */
	TSQL_LITERAL_HEX = 6,     /* text is what stands behind 0x */
	TSQL_LITERAL_MONEY = 7,   /* with its sign, as written */
	TSQL_LITERAL_COMMENT = 8, /* text is what stands between the signs */
	TSQL_LITERAL_REST = 9,    /* all to the end, as written */
};

struct tsql_literal {
	enum tsql_literal_kind kind;
	uint8_t scale;   /* of DECIMAL, 1..17 */
	int64_t number;  /* of INT and DECIMAL */
	struct str text; /* as said above; of INT and DECIMAL as written */
};

struct tsql_template {
	struct buf text;
	struct tsql_literal *literals;
	size_t literal_count;
	size_t literal_capacity;
};

/* Prepares an empty template; allocates nothing. What it grows to is kept from split to split. */
void tsql_template_init(struct tsql_template *template);
void tsql_template_done(struct tsql_template *template);

/* Splits text, which may hold any bytes; what was in the template goes.
 *   options  NULL: double quotes make names
 * Returns 0 or -ERR_NOMEM; then the template is empty. */
int tsql_template_split(struct tsql_template *template, struct str text,
			const struct tsql_options *options);

/* Appends the text that a template and its literals were split from.
 * Returns 0, or with out as it was:
 *   -ERR_CORRUPT  there are more or fewer literals than places, or a literal or the template is none that a split makes
 *   -ERR_LIMIT    out is full */
int tsql_template_join(struct str template, const struct tsql_literal *literals,
		       size_t literal_count, struct buf *out, struct error *err);

/* The first 8 bytes of the SHA-256 of a template, big-endian: the same everywhere and always. */
uint64_t tsql_template_hash(struct str template);

/* Appends the literal as it stands in the text, without the signs of a comment.
 * False when it is none that a split makes; then nothing is written. */
bool tsql_literal_put(const struct tsql_literal *literal, struct buf *out);

/* Appends a text's shape, by which statements are grouped and shown; nothing can be joined from it. Literals are "?", a list
 * of them behind IN is one, rows of VALUES that look the same are one, comments are gone, white space is one blank or none,
 * and keywords are in upper case. From what is in doubt on it ends with "?". */
void tsql_shape_put(struct str text, const struct tsql_options *options, struct buf *out);

#endif
