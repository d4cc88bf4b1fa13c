/* extra - a value in a record's extra by what it means, whatever its key is called.
 *
 * Shape:   extra is one flat JSON object; keys are compared by their letters and digits alone, without "context" or "requestContext" in
 *          front.
 * Threads: pure. Blocking: never. Tests: tests/unit/extra.c
 */
#ifndef CORRELATOR_RULES_EXTRA_H
#define CORRELATOR_RULES_EXTRA_H

#include "base/arena.h"
#include "correlator/rules/names.h"

/* The text of the first key that means it; numbers and words as written. It borrows from json or lives in arena. False when there is
 * none, or no room. */
bool extra_find(struct str json, enum name_extra what, struct arena *arena, struct str *out_text);

#endif
