/* shape-fit - whether a recipe, or a part of one, gives a record.
 *
 * Threads: one fitting per thread. Blocking: never. Tests: tests/unit/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_FIT_H
#define STORE_BLOCK_SHAPE_FIT_H

#include "store/block/shape-recipe.h"

/* Begins anew: no slots, no pieces. */
void fit_begin(struct fitting *fitting);

/* Whether a place gives the token at *io_pos, behind its fixed text; sets its token and moves *io_pos behind it. */
bool place_fits(struct fitting *fitting, const struct place *place, size_t *io_pos,
		struct token *out_token);

/* The length of the token that begins at pos, as the place has it; SIZE_MAX: none does. */
size_t place_token_len(const struct place *place, struct str raw, size_t pos);

/* Whether the items give extra; fitting->token has the tokens of raw. */
bool extra_fits(struct fitting *fitting, const struct recipe *recipe);

/* Makes the items of a record's extra: those of old (may be NULL) and what else there is. False: extra can't be cut, or no memory. */
bool extra_make(struct fitting *fitting, const struct recipe *old, struct recipe *io_recipe);

/* Appends the value of an item. False: no memory, or the token gives none. */
bool item_put(const struct item *item, struct str token, struct arena *arena, struct buf *out);

/* Whether an item is expected to be there. */
bool item_expected(const struct item *item, struct str token);

#endif
