/* shape-rule - what follows from other fields, from the key and from what surrounds a record.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_RULE_H
#define STORE_BLOCK_SHAPE_RULE_H

#include "store/block/shape-recipe.h"

/* Whether one RULE_* (TABLE, STATEMENT_ID, STATEMENT_LEAF, REQUEST_LEAF, TIME) gives what the record has. */
bool rule_fits(unsigned rule, const struct record *record, const struct shape_links *links);

/* Does what the rules say, but for the statement_id of a statement; the other: when the key is known. False: no memory. */
bool rules_render(const struct recipe *recipe, struct rendering *rendering);
bool rules_render_id(struct rendering *rendering);

/* Whether the recipe's key rule gives the record's key; sets key_count and the slots of an event's key. */
bool key_fits(struct fitting *fitting, const struct recipe *recipe);

/* Sets the record's key. False: out of memory, or the fields say no key. */
bool key_render(const struct recipe *recipe, struct rendering *rendering);

#endif
