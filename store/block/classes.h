/* classes - which groups of a column are coded with the same table: those whose bytes are alike.
 *
 * Shape:   groups begin in the order of their mean, cut into equal parts; then each goes where it costs least, a few times. Twice as many
 *          classes are tried as long as they pay.
 * Threads: pure. Blocking: never. Tests: tests/unit/classes.c
 */
#ifndef STORE_BLOCK_CLASSES_H
#define STORE_BLOCK_CLASSES_H

#include <stddef.h>
#include <stdint.h>

/* Bytes in groups: group g ends at ends[g]; the last one at count. */
struct classes_input {
	const uint8_t *bytes;
	const uint32_t *ends;
	size_t count, group_count;
};

struct classes {
	uint8_t *of;    /* of each group; NULL when there is one class */
	unsigned count; /* at least 1 */
	uint64_t bits;  /* of bytes, tables and classes, estimated */
};

/* Returns 0 or -ERR_NOMEM. */
int classes_make(const struct classes_input *input, struct classes *out);
void classes_done(struct classes *classes);

#endif
