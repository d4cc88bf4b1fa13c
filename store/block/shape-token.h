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

/* The length of the CSV cell that begins at pos: up to a comma or line end outside quotes; it may be 0. */
size_t token_cell_len(struct str raw, size_t pos);

struct token_cut {
	struct place place[PLACES_MAX];
	struct token token[PLACES_MAX];
	size_t count;
	struct str last;
	bool is_json;
};

/* Cuts raw into places: fixed text, keys and tokens. What is no JSON is cut into words, or into the cells of CSV.
 * Texts borrow from raw and from arena. False: too many places or too much fixed text, or no memory. */
bool token_cut(struct str raw, bool csv, struct arena *arena, struct token_cut *out);

/* The text of a token: of a string without quotes and escapes (in arena when it has some), else the token itself. False: no memory. */
bool token_text(struct str token, struct arena *arena, struct str *out_text);

#endif
