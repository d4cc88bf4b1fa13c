/* jsontext - the text of a JSON string slice, in an arena.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/jsontext.c
 */
#ifndef MODEL_JSONTEXT_H
#define MODEL_JSONTEXT_H

#include "base/arena.h"

/* The text of what stands between the quotes of a JSON string: the slice itself when it has no escapes, else a copy in the
 * arena with escapes resolved and lone surrogates as WTF-8. False when the arena is full. */
bool jsontext_get(struct str raw, bool has_escapes, struct arena *arena, struct str *out_text);

#endif
