/* shape-link - which field a token of raw comes from.
 *
 * Threads: one fitting per thread. Blocking: never. Tests: tests/unit/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_LINK_H
#define STORE_BLOCK_SHAPE_LINK_H

#include "store/block/shape-recipe.h"

/* Sets form, field and what belongs to them so that the place, whose fixed text and key are set, gives the token of the record.
 *   pos      where the place's fixed text begins in raw
 *   is_json  false: words */
void link_place(struct fitting *fitting, struct place *io_place, size_t pos, bool is_json);

/* Changes a place that does not give this record's token as little as possible so that it does.
 *   young  it has not been right often: rather another field than an exception */
void link_again(struct fitting *fitting, struct place *io_place, size_t pos, bool young);

#endif
