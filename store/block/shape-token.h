/* shape-token - the tokens that a line is cut into: JSON strings, other JSON values, or words.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_TOKEN_H
#define STORE_BLOCK_SHAPE_TOKEN_H

#include "store/block/shape-recipe.h"

/* The length of the token that begins at pos, 0 when none does: a string with its quotes, an array or object with its brackets, or
 * a run without white space and any of , ] } [ { " */
size_t token_len(struct str raw, size_t pos);

/* Cuts raw into places: fixed text, keys and tokens. Returns how many, SIZE_MAX when there are more than PLACES_MAX or too much fixed text.
 * Texts borrow from raw and from arena. */
struct token_cut {
	struct place place[PLACES_MAX];
	struct token token[PLACES_MAX];
	size_t count;
	struct str last;
	bool is_json;
};
bool token_cut(struct str raw, struct arena *arena, struct token_cut *out);

/* The text of a token: of a string without quotes and escapes (in arena when it has some), else the token itself. False: no memory. */
bool token_text(struct str token, struct arena *arena, struct str *out_text);

#endif
