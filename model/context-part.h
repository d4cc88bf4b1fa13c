/* context-part - what the readers of context values share among themselves.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/context.c
 */
#ifndef MODEL_CONTEXT_PART_H
#define MODEL_CONTEXT_PART_H

#include "model/context.h"

/* Whether it may be an id: 1..CONTEXT_ID_MAX bytes of printable ASCII without a space. */
bool context_is_id(struct str text);

/* Copies a context, so that ids which stand in from->decoded stand in out_context->decoded. */
void context_publish(const struct context *from, struct context *out_context);

/* Moves an id of the context into its own decoded bytes; false when there is no room. */
bool context_keep(struct context *context, struct str *id);

/* context_parse of a text that will not live: the ids are kept in out_context. */
bool context_parse_decoded(struct str text, struct str key, struct context *out_context);

#endif
