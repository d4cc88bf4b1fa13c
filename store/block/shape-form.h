/* shape-form - one token of raw, from a field or a value of its own, and back.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_FORM_H
#define STORE_BLOCK_SHAPE_FORM_H

#include "store/block/shape-recipe.h"

/* Whether a place has a value of its own, and whether that is a number. */
bool form_has_own(const struct place *place);
bool form_own_is_number(const struct place *place);

/* Values that a token is made of. */
struct form_values {
	const struct record *record;
	size_t *piece; /* struct fitting.piece */
	int64_t number;
	struct str text;
};

/* Appends the token. False: these values give none, or out has no room. */
bool form_put(const struct place *place, const struct form_values *values, struct buf *out);

/* Sets the own value with which form_put may give the token; false: none does. Texts borrow from token or arena. */
bool form_read(const struct place *place, struct str token, struct arena *arena,
	       struct form_values *io_values);

/* token as a text slot that holds any token: behind VERBATIM, null as VERBATIM alone. False: no memory. */
bool form_verbatim(struct str token, struct arena *arena, struct str *out_text);
void form_put_verbatim(struct str text, struct buf *out);

/* How far the pieces of a field are. */
size_t *form_piece(size_t *piece, unsigned field);

#endif
